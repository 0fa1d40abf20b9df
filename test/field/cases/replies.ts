/** How a reply is read: what it is wrapped in, and what its members are called. */
import type { Expected, FieldCase, ServerReply } from '../case.ts';

const tokens = { access_token: 'at-1', token_type: 'Bearer', expires_in: 3_600, refresh_token: 'rt-1' };
const read: Expected = {
  status: { state: 'active' },
  served: { access_token: 'at-1', expires_in: 3_599 },
  sent: ['rt-0', 'rt-1'],
};

const packed = (how: ServerReply['packed'], encoding?: string): FieldCase => ({
  source: 'modelcontextprotocol/typescript-sdk#2408, #2436',
  what: `${how?.join(' in ')}${encoding === undefined ? ', without a word' : `, called ${encoding}`}`,
  answers: [
    { packed: how ?? [], headers: encoding === undefined ? {} : { 'content-encoding': encoding }, body: tokens },
  ],
  hours: 2,
  expected: read,
});

export const wrappings: readonly FieldCase[] = [
  packed(['gzip'], 'gzip'),
  packed(['deflate'], 'deflate'),
  packed(['deflate-raw'], 'deflate'),
  packed(['br'], 'br'),
  packed(['zstd'], 'zstd'),
  packed(['gzip'], 'x-gzip'),
  packed(['gzip'], 'GZIP'),
  packed(['gzip', 'br'], 'gzip, br'),
  packed(['gzip', 'gzip'], 'gzip'),
  packed(['gzip']),
  packed(['deflate']),
  packed(['deflate-raw']),
  packed(['br']),
  packed(['zstd']),
  packed(['gzip', 'zstd']),
  packed(['utf-16']),
  packed([], 'gzip'),
  packed([], 'br'),
  packed([], 'identity'),
  packed([], 'compress'),
  {
    source: 'of this kind',
    what: 'a refusal that is wrapped',
    answers: [
      { status: 400, packed: ['gzip'], headers: { 'content-encoding': 'gzip' }, body: { error: 'invalid_grant' } },
    ],
    expected: { status: { state: 'reauthorization_required' }, calls: 1 },
  },
  {
    source: 'of this kind',
    what: 'a gigabyte in a few bytes is too large, and no more than that',
    answers: [
      { packed: ['gzip'], headers: { 'content-encoding': 'gzip' }, body: `{"a":"${'x'.repeat(3_000_000)}"}` },
      { body: tokens },
    ],
    hours: 1,
    expected: { status: { state: 'active' }, last: { access_token: 'at-1' } },
  },
];

const kept = (what: string, refresh_token: unknown, sent: string): FieldCase => ({
  source: 'of this kind',
  what,
  answers: [{ body: { ...tokens, refresh_token } }],
  hours: 2,
  expected: { status: { state: 'active' }, sent: ['rt-0', sent] },
});

export const refreshTokens: readonly FieldCase[] = [
  { ...kept('a line break at its end', 'rt-1\n', 'rt-1\n'), source: 'a server in the field' },
  kept('blanks around', ' rt-1 ', ' rt-1 '),
  kept('a tab inside', 'rt\t1', 'rt\t1'),
  kept('letters beyond ASCII', 'rt-é-漢', 'rt-é-漢'),
  kept('a number', 12_345, '12345'),
  kept('long', 'r'.repeat(20_000), 'r'.repeat(20_000)),
  kept('empty', '', 'rt-0'),
  kept('blank', '  ', 'rt-0'),
  kept('null', null, 'rt-0'),
  kept('absent', undefined, 'rt-0'),
  {
    source: 'of this kind',
    what: 'one that cannot be kept is a doubt, and said',
    answers: [
      { body: { ...tokens, refresh_token: { value: 'rt-1' } } },
      { status: 400, body: { error: 'invalid_grant' } },
    ],
    expected: { status: { state: 'reauthorization_required', cause: 'refresh_in_doubt' }, calls: 2 },
  },
  {
    source: 'of this kind',
    what: 'half a surrogate pair cannot be kept',
    answers: [
      { body: `{"access_token":"at-1","expires_in":3600,"refresh_token":"rt-\\ud800"}` },
      { status: 400, body: { error: 'invalid_grant' } },
    ],
    expected: { status: { state: 'reauthorization_required', cause: 'refresh_in_doubt' }, calls: 2 },
  },
];

const zoho = { provider: 'zoho', settings: { region: 'eu' } };
const life = (what: string, members: object, expires_in = 3_599, more: Partial<FieldCase> = {}): FieldCase => ({
  source: 'of this kind',
  what,
  answers: [{ body: { access_token: 'at-1', refresh_token: 'rt-1', ...members } }],
  hours: 1,
  expected: { served: { access_token: 'at-1', expires_in } },
  ...more,
});

export const lives: readonly FieldCase[] = [
  life('milliseconds beside seconds', { expires_in_sec: 3_600, expires_in: 3_600_000 }, 3_599, {
    ...zoho,
    source: 'ZohoClient#11',
  }),
  life('a thousand times the life that is known', { expires_in: 3_600_000 }, 3_599, zoho),
  life('a thousand times what expires_at says', { expires_in: 7_200_000, expires_at: '2026-11-29T02:00:00Z' }, 7_199),
  life('sixty days are sixty days', { expires_in: 5_184_000 }, 5_183_999),
  life('expires, a number', { expires: 7_200 }, 7_199),
  life('expires, epoch seconds', { expires: Date.parse('2026-11-29T02:00:00Z') / 1_000 }, 7_199),
  life('expires, a date', { expires: 'Sun, 29 Nov 2026 02:00:00 GMT' }, 7_199),
  life('expiresIn', { expiresIn: 7_200 }, 7_199),
  life('ExpiresIn', { ExpiresIn: '7200' }, 7_199),
  life('expires_in_seconds', { expires_in_seconds: 7_200 }, 7_199),
  life('expiresAt', { expiresAt: '2026-11-29T02:00:00.000Z' }, 7_199),
  life('expires_on', { expires_on: String(Date.parse('2026-11-29T02:00:00Z') / 1_000) }, 7_199),
  life('.expires, as ASP.NET has it', { '.expires': 'Sun, 29 Nov 2026 02:00:00 GMT' }, 7_199),
  life('a date with UTC behind it', { expires_at: '2026-11-29 02:00:00 UTC' }, 7_199),
  life('a date with GMT behind it', { expires_at: '2026-11-29 02:00:00 GMT' }, 7_199),
  life('a date with an offset behind a blank', { expires_at: '2026-11-29 04:00:00 +0200' }, 7_199),
  life('a date of e-mails (RFC 2822)', { expires_at: 'Sun, 29 Nov 2026 04:00:00 +0200' }, 7_199),
  life('a date of old HTTP (RFC 850)', { expires_at: 'Sunday, 29-Nov-26 02:00:00 GMT' }, 7_199),
  life('a date with seven digits behind the second', { expires_at: '2026-11-29T02:00:00.0000000Z' }, 7_199),
  life('a date of old .NET', { expires_at: '/Date(1795917600000)/' }, 7_199),
  life('seconds with their unit', { expires_in: '7200s' }, 7_199),
  life('a number as a float in a text', { expires_in: '7200.5' }, 7_199),
  life('in data beside the token', { data: { x: 1 }, expires_in: '7200' }, 7_199),
];

const typed = (token_type: unknown, scheme: string): FieldCase => ({
  source: scheme === 'Bearer' ? 'DuendeArchive#1413, postman#4140' : 'RFC 9449 and its like',
  what: `${token_type}`,
  answers: [{ body: { ...tokens, token_type } }],
  hours: 1,
  expected: { served: { token_type: scheme, headers: { Authorization: `${scheme} at-1` } } },
});

export const types: readonly FieldCase[] = [
  ...[
    'BearerToken',
    'bot',
    'user',
    'JWT',
    'bearer',
    'BEARER',
    'access_token',
    'token',
    'Bearer ',
    'bearer_token',
    'urn:ietf:params:oauth:token-type:jwt',
    'Bearer Token',
    7,
    null,
  ].map((label) => typed(label, 'Bearer')),
  typed('DPoP', 'DPoP'),
  typed('dpop', 'DPoP'),
  typed('MAC', 'MAC'),
  typed('mac', 'MAC'),
  typed('GNAP', 'GNAP'),
];

const succeeds = (what: string, members: object): FieldCase => ({
  source: 'of this kind',
  what,
  answers: [{ body: { ...tokens, ...members } }],
  hours: 2,
  expected: read,
});

export const truths: readonly FieldCase[] = [
  ...[[], {}, null, '', false, 0, ' ', { code: '', message: null }, { code: 0 }, [null]].map((error) =>
    succeeds(`"error": ${JSON.stringify(error)} beside tokens`, { error }),
  ),
  succeeds('"errors": [] beside tokens', { errors: [] }),
  succeeds('"status": "success" beside tokens', { status: 'success', code: 'ok' }),
  succeeds('"message" beside tokens', { message: 'Welcome back' }),
  {
    source: 'RFC 6749 §5.1',
    what: 'scope asked for and not told',
    settings: { scope: 'books offline_access' },
    answers: [{ body: tokens }],
    hours: 1,
    expected: { served: { scope: 'books offline_access' } },
  },
  {
    source: 'spring-security-oauth#828',
    what: 'scope asked for and told otherwise',
    settings: { scope: 'books offline_access' },
    answers: [{ body: { ...tokens, scope: 'books' } }, { body: tokens }],
    hours: 3,
    expected: { served: { scope: 'books' }, last: { scope: 'books' } },
  },
  {
    source: 'of this kind',
    what: 'a line break behind the access token',
    answers: [{ body: { ...tokens, access_token: 'at-1\r\n' } }],
    hours: 1,
    expected: { served: { access_token: 'at-1' } },
  },
];

/** Secrets in other costumes; the runner looks for them in all that is told. */
export const costumes: readonly FieldCase[] = [' hun7er2', 'HUN7ER2', 'bad_hun7er2', 'hun7er2!', 'x.hun7er2'].flatMap(
  (error): FieldCase[] => [
    {
      source: 'OWASP ASVS 5.0 V16',
      what: `an error called "${error}"`,
      answers: [{ status: 400, body: { error, error_description: `no ${error.toUpperCase()} here` } }],
      hours: 1,
      expected: { status: { state: 'active' } },
    },
    {
      source: 'OWASP ASVS 5.0 V16',
      what: `an error "${error}" in another place`,
      answers: [{ status: 400, body: { errors: [{ code: error, message: `hun7er2 ${encodeURIComponent(error)}` }] } }],
      hours: 1,
      expected: { status: { state: 'active' } },
    },
  ],
);

export const halves: readonly FieldCase[] = [
  {
    source: 'fuzzing',
    what: 'half a surrogate pair beside an error and a rotated refresh token',
    answers: [
      {
        status: 400,
        body: `{"error":"temporarily_unavailable","error_description":"x \\ud800",
          "id_token":"\\ud800","refresh_token":"rt-1"}`,
      },
      { body: { access_token: 'at-2', expires_in: 3_600 } },
    ],
    hours: 1,
    expected: { status: { state: 'active' }, sent: ['rt-0', 'rt-1'], last: { access_token: 'at-2' } },
  },
  {
    source: 'fuzzing',
    what: 'half a surrogate pair in scope and type of a success',
    answers: [{ body: '{"access_token":"at-1","expires_in":3600,"scope":"a\\udc00","token_type":"\\ud800"}' }],
    hours: 1,
    expected: { served: { access_token: 'at-1', token_type: 'Bearer' } },
  },
];
