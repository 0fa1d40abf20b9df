/** Replies whose tokens are somewhere else, in something else, or called something else: none of them may be lost. */
import type { Expected, FieldCase, ServerReply } from '../case.ts';

const tokens = { access_token: 'at-1', token_type: 'Bearer', expires_in: 3_600, refresh_token: 'rt-1' };
const json = JSON.stringify(tokens);
const kept: Expected = { status: { state: 'active' }, served: { access_token: 'at-1' }, sent: ['rt-0', 'rt-1'] };

const entry = (source: string, what: string, reply: ServerReply, expected: Expected = kept): FieldCase => ({
  source,
  what,
  answers: [reply],
  hours: 1.2,
  expected,
});

const within = (source: string, what: string, body: object, expected?: Expected) =>
  entry(source, what, { body }, expected);

export const inside: readonly FieldCase[] = [
  within('developers.tiktok.com, v1', 'data', { message: 'success', data: { ...tokens, error_code: 0 } }),
  within('developer.withings.com', 'body, beside a status of its own', { status: 0, body: { userid: '1', ...tokens } }),
  within('open.douyin.com', 'result', { code: 0, msg: 'success', result: tokens }),
  within('of this kind', 'two objects deep', { response: { token: tokens } }),
  within('of this kind', 'a list inside of an object', { data: [tokens] }),
  within('docs.aws.amazon.com, Cognito InitiateAuth', 'AuthenticationResult', {
    AuthenticationResult: { AccessToken: 'at-1', ExpiresIn: 3_600, RefreshToken: 'rt-1', TokenType: 'Bearer' },
    ChallengeParameters: {},
  }),
  within('api.slack.com, user tokens', 'authed_user, where there is no token beside it', {
    ok: true,
    authed_user: { id: 'U1', ...tokens },
  }),
  within('api.slack.com, bot and user tokens', 'the outer tokens count', {
    ok: true,
    ...tokens,
    authed_user: { access_token: 'at-user', refresh_token: 'rt-user', expires_in: 1 },
  }),
  entry(
    'of this kind',
    'a rotated refresh token inside of a success without an access token',
    {
      body: { data: { refresh_token: 'rt-1' } },
    },
    { status: { state: 'active' }, sent: ['rt-0', 'rt-1'] },
  ),
  within(
    'of this kind',
    'what an error says of a member is no token',
    {
      errors: { access_token: 'is not allowed', refresh_token: 'cannot be used' },
    },
    { status: { state: 'active' }, served: null, sent: ['rt-0', 'rt-0'] },
  ),
  within('of this kind', 'an object of the prototype is no place', JSON.parse(`{"__proto__":${json}}`), {
    ...kept,
    status: {},
  }),
];

const text = (what: string, body: string, expected?: Expected) => entry('of this kind', what, { body }, expected);

export const guarded: readonly FieldCase[] = [
  text('a guard against inclusion', `)]}',\n${json}`),
  text('an endless loop before it', `while(1);${json}`),
  text('a callback around it', `callback(${json});`),
  text('a warning of PHP before it', `<br />\n<b>Warning</b>: foo in <b>/x.php</b> on line <b>3</b><br />\n${json}`),
  text('a comment of a proxy behind it', `${json}\n<!-- generated in 3 ms -->`),
  text('zero bytes behind it', `${json}\0\0`),
  text('made JSON twice', JSON.stringify(json)),
  text('a comma before the end', json.replace('}', ',}')),
  text('no number', json.replace('3600', 'NaN')),
  text('a line break in a text', json.replace('Bearer', 'Bea\nrer')),
  text('a tab in the scope', json.replace('{', '{"scope":"a\tb",')),
  text('a refresh token that is a number of twenty digits', json.replace('"rt-1"', '12345678901234567890'), {
    status: { state: 'active' },
    sent: ['rt-0', '12345678901234567890'],
  }),
  entry('of this kind', 'JSON that is called a form', {
    body: json,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  }),
];

const wire = (what: string, headers: string, body: string = json, more: Partial<ServerReply> = {}): FieldCase =>
  entry('RFC 9112', what, {
    raw: `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n${headers}\r\n${body}`,
    ...more,
  });
const chunk = `${json.length.toString(16)}\r\n${json}\r\n`;

export const brokenOff: readonly FieldCase[] = [
  wire('reset behind the whole object', '', json, { reset: true }),
  wire('shorter than it was announced, but whole', `Content-Length: ${json.length + 10}\r\n`),
  wire('without its last chunk', 'Transfer-Encoding: chunked\r\n', chunk),
  wire('reset before its last chunk', 'Transfer-Encoding: chunked\r\n', chunk, { reset: true }),
  wire(
    'a length beside chunks',
    `Content-Length: ${json.length}\r\nTransfer-Encoding: chunked\r\n`,
    `${chunk}0\r\n\r\n`,
  ),
  wire('a control character in a header', `X-Odd: a\x01b\r\nContent-Length: ${json.length}\r\n`),
  wire('a header over two lines', `X-Odd: a\r\n  b\r\nContent-Length: ${json.length}\r\n`),
  wire('headers of 20 KB', `X-Odd: ${'a'.repeat(20_000)}\r\nContent-Length: ${json.length}\r\n`),
  {
    ...wire('cut in the middle is a doubt', `Content-Length: ${json.length}\r\n`, json.slice(0, -1)),
    expected: { status: { last_failure: { class: 'in_doubt' } }, served: null },
  },
];

const refresh = (value: unknown, sent: string) =>
  within(
    'of this kind',
    `a refresh token ${JSON.stringify(value)}`,
    { ...tokens, refresh_token: value },
    {
      ...kept,
      sent: ['rt-0', sent],
    },
  );
const access = (value: unknown, access_token: string) =>
  within(
    'RFC 6750 §2.1',
    `an access token ${JSON.stringify(value)}`,
    { ...tokens, access_token: value },
    {
      ...kept,
      served: { access_token },
    },
  );

export const tokenTexts: readonly FieldCase[] = [
  ...['null', 'undefined', 'None', ' nil '].map((value) => refresh(value, 'rt-0')),
  refresh(0, 'rt-0'),
  refresh(['rt-1'], 'rt-1'),
  access(12_345, '12345'),
  access('Bearer at-1', 'at-1'),
  access('bearer  at-1', 'at-1'),
  access('at bearer 1', 'at bearer 1'),
];

/** A token of two hours, where an hour is assumed of one whose reply tells nothing that is understood. */
const twoHours = (expiry: object): FieldCase =>
  within(
    'of this kind',
    JSON.stringify(expiry),
    { access_token: 'at-1', ...expiry },
    {
      served: { expires_in: 7_199 },
    },
  );
const jwt = (claims: object): string => `eyJhbGciOiJSUzI1NiJ9.${btoa(JSON.stringify(claims)).replaceAll('=', '')}.c2ln`;
const midnight = Date.parse('2026-11-29T00:00:00Z') / 1_000;

export const units: readonly FieldCase[] = [
  ...['2h', '120 min', '120 minutes', 'PT2H', 'PT1H60M', '02:00:00', '0.02:00:00', '7.2e3', '7,200', '7200000ms'].map(
    (expires_in) => twoHours({ expires_in }),
  ),
  ...[
    'Sun Nov 29 2026 02:00:00 GMT+0000 (Coordinated Universal Time)',
    'Sun Nov 29 02:00:00 UTC 2026',
    'Sun Nov 29 02:00:00 2026',
    '29 Nov 2026 02:00:00 GMT',
    '2026-11-29T02:00:00Z[UTC]',
    (midnight + 7_200) * 1e6,
    `${String((midnight + 7_200) * 1e3)}000000`,
  ].map((expires_at) => twoHours({ expires_at })),
  ...[
    { exp: midnight + 7_200, iat: midnight },
    { exp: midnight + 7_200 },
    { exp: midnight + 7_200, iat: midnight - 3_600 },
    // Its clock is a day behind: only the difference can be believed.
    { exp: midnight + 7_200 - 86_400, iat: midnight - 86_400 },
  ].map((claims) =>
    within(
      'RFC 9068 §2.2',
      `a JWT that says ${JSON.stringify(claims)}, and a reply that says nothing`,
      {
        access_token: jwt(claims),
      },
      { served: { expires_in: 7_199 } },
    ),
  ),
];

const week = { asymmetricMatch: (value: unknown) => String(value).startsWith('2026-12-06'), toString: () => 'a week' };

export const ends: readonly FieldCase[] = Object.entries({
  refresh_token_expires_in_days: 7,
  refresh_token_lifetime: 604_800,
  refresh_token_ttl: '604800',
  refresh_token_validity_seconds: 604_800,
  refresh_token_expires_in_sec: 604_800,
  refresh_token_expire_in: 604_800,
  rt_expires_in: 604_800,
  refresh_token_valid_until: '2026-12-06T00:00:00Z',
  refresh_token_expiry_date: '2026-12-06',
  refresh_token_exp: midnight + 604_800,
  refreshTokenExpireTime: (midnight + 604_800) * 1_000,
  refreshTokenExpiredTime: (midnight + 604_800) * 1_000,
  consent_expires_at: '2026-12-06T00:00:00Z',
}).map(([name, value]) => ({
  ...within(
    'oyvindwe/connectlife#25 and others of this kind',
    name,
    { ...tokens, [name]: value },
    {
      status: { grant_ends_at: week },
    },
  ),
  hours: 0.1,
}));
