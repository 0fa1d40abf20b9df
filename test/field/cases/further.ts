/** Further inputs of the kinds that reports are of. */
import { expect } from 'vitest';
import type { Expected, FieldCase, ServerReply } from '../case.ts';

const hour = 3_600;
const good = { access_token: 'at-1', expires_in: hour, refresh_token: 'rt-0' };
const brief = { hours: 0.2 };

const dead: Expected = { status: { state: 'reauthorization_required' }, calls: 1, served: null };
const stopped: Expected = { status: { state: 'misconfigured' }, calls: 1, served: null };
const passes: Expected = { status: { state: 'active' }, calls: [2, 150], last: { access_token: 'at-9' } };
const back: ServerReply = { body: { access_token: 'at-9', expires_in: hour, refresh_token: 'rt-0' } };

const entry = (
  what: string,
  answers: readonly ServerReply[],
  expected: Expected,
  more: Partial<FieldCase> = {},
): FieldCase => ({
  source: 'of this kind',
  what,
  answers,
  expected,
  ...more,
});
const refused = (body: object | string, status = 400, headers: Record<string, string> = {}): ServerReply => ({
  status,
  body,
  headers,
});

/** Refusals in other words, places and encodings. */
export const furtherRefusals: readonly FieldCase[] = [
  entry('a list of errors with codes in upper case', [refused({ errors: [{ code: 'INVALID_GRANT' }] })], dead),
  entry('an error inside of a detail', [refused({ detail: { error: 'invalid_grant' } })], dead),
  entry('an error as a JSON text inside of a message', [refused({ message: '{"error":"invalid_grant"}' })], dead),
  entry(
    'a problem of RFC 9457',
    [
      refused({ type: 'about:blank', title: 'Bad Request', detail: 'The refresh token has expired.' }, 400, {
        'content-type': 'application/problem+json',
      }),
    ],
    dead,
  ),
  entry('words in a title alone', [refused({ title: 'Refresh token revoked' })], dead),
  entry('a challenge and no body', [refused('', 401, { 'www-authenticate': 'Bearer error="invalid_grant"' })], dead),
  entry('a byte-order mark before the error', [refused('\uFEFF{"error":"invalid_grant"}')], dead),
  entry('the error in gzip, without a header', [{ ...refused({ error: 'invalid_grant' }), packed: ['gzip'] }], dead),
  entry('the error in UTF-16', [{ ...refused({ error: 'invalid_grant' }), packed: ['utf-16'] }], dead),
  entry('a client that is refused in camel case', [refused({ errorCode: 'invalidClient' }, 401)], stopped),
  entry('a client that is refused in words', [refused({ error: 'Unauthorized Client' }, 401)], stopped),
  entry('duplicate members: the last one counts', [refused('{"error":"server_error","error":"invalid_grant"}')], dead),
  entry(
    'rate limits in other words',
    [refused({ error: 'invalid_request', error_description: 'Too many requests, slow down' }), back],
    passes,
  ),
  entry(
    'maintenance, put to an invalid grant',
    [refused({ error: 'invalid_grant', error_description: 'The service is temporarily down for maintenance' }), back],
    passes,
  ),
  entry(
    'a page for people with 403',
    [refused('<html><body>Access denied by the firewall</body></html>', 403, { 'content-type': 'text/html' }), back],
    passes,
  ),
  entry(
    'an outage that talks of the refresh token',
    [refused({ error: 'invalid_grant', error_description: 'refresh token expired' }, 503), back],
    passes,
  ),
  entry(
    'a Cloudflare challenge with 429',
    [refused('<html>cf</html>', 429, { 'retry-after': '1', 'content-type': 'text/html' }), back],
    passes,
  ),
  entry('a status that is none of HTTP’s usual ones', [refused('', 499), back], passes),
  entry('a body of nothing but blanks', [refused(' \n\t ', 400), back], passes),
  entry('numbers in the place of codes', [refused({ error: 17 }, 400), back], passes),
  entry(
    'an error of a thousand nested objects',
    [refused(`${'{"error":'.repeat(1_000)}"invalid_grant"${'}'.repeat(1_000)}`), back],
    passes,
  ),
  entry(
    'a prototype in the place of members',
    [refused('{"__proto__":{"error":"invalid_grant"},"constructor":1}', 400), back],
    { status: {}, calls: [1, 150] },
  ),
];

/** Redirects, headers and sizes. */
export const furtherWire: readonly FieldCase[] = [
  entry(
    'a redirect to an address inside',
    [refused('', 307, { location: 'http://169.254.169.254/latest/meta-data' })],
    { status: { last_failure: { rule: 'moved_endpoint' } }, calls: [1, 8] },
  ),
  entry('a redirect to a script', [refused('', 302, { location: 'javascript:alert(1)' })], {
    status: { last_failure: { rule: 'moved_endpoint' } },
    calls: [1, 8],
  }),
  entry(
    'a redirect with the client secret in its path',
    [refused('', 302, { location: 'https://a.example/hun7er2/x' })],
    { status: { last_failure: { rule: 'moved_endpoint' } }, calls: [1, 8] },
  ),
  entry('a redirect without a target, with a body of tokens', [{ status: 302, body: good }], {
    status: {},
    calls: [1, 8],
    served: null,
  }),
  entry(
    'a redirect with user and password in its target',
    [refused('', 308, { location: 'https://user:hun7er2@a.example/token' })],
    { status: { last_failure: { error_description: 'redirects to https://a.example/token' } }, calls: [1, 8] },
  ),
  entry('a reply of 70 KB', [{ body: { ...good, filler: 'x'.repeat(70_000) } }, back], { status: {}, calls: [1, 150] }),
  entry(
    'a reply of 10 MB in a few KB of gzip',
    [
      { body: { ...good, filler: 'x'.repeat(10_000_000) }, packed: ['gzip'], headers: { 'content-encoding': 'gzip' } },
      back,
    ],
    { status: {}, calls: [1, 150] },
  ),
  entry('a refusal to be patient for ten years', [refused('', 429, { 'retry-after': '315360000' })], {
    status: { state: 'active' },
    calls: [1, 2],
  }),
  ...[429, 503, 400].map((status) =>
    entry(
      `a Retry-After of a second with each ${status}, for hours`,
      [refused({ error: 'not_now' }, status, { 'retry-after': '1' })],
      { status: { state: 'active' }, calls: [60, 130], looks: 600 },
      { hours: 2 },
    ),
  ),
  entry(
    'a Retry-After that is past',
    [refused('', 429, { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }), back],
    passes,
  ),
  entry('a Retry-After that is no number', [refused('', 429, { 'retry-after': '5 minutes' }), back], passes),
  entry('a negative Retry-After', [refused('', 429, { 'retry-after': '-5' }), back], passes),
];

const life = (expiry: object, expiresAt: string): FieldCase =>
  entry(
    `a life told as ${JSON.stringify(expiry)}`,
    [{ body: { access_token: 'at-1', ...expiry } }],
    { served: { expires_at: expect.stringContaining(expiresAt) } },
    brief,
  );

/** Expiries in other clothes. */
export const furtherLives: readonly FieldCase[] = [
  life({ expires_in: '3600.0' }, '2026-11-29T01:00'),
  life({ expires_in: ' 3600 ' }, '2026-11-29T01:00'),
  life({ expires_in: '3600s' }, '2026-11-29T01:00'),
  life({ expires_in: 3_600.9 }, '2026-11-29T01:00'),
  life({ ExpiresIn: 3_600 }, '2026-11-29T01:00'),
  life({ 'expires-in': 3_600 }, '2026-11-29T01:00'),
  life({ expires_at: 1_795_914_000 }, '2026-11-29T01:00'),
  life({ expires_at: 1_795_914_000_000 }, '2026-11-29T01:00'),
  life({ expires_at: '1795914000' }, '2026-11-29T01:00'),
  life({ expires_on: 'Sun, 29 Nov 2026 01:00:00 GMT' }, '2026-11-29T01:00'),
  life({ expires_at: '2026-11-29T02:00:00+01:00' }, '2026-11-29T01:00'),
  life({ expires_at: '2026-11-29 01:00:00Z' }, '2026-11-29T01:00'),
  life({ expires_at: '/Date(1795914000000)/' }, '2026-11-29T01:00'),
];

/** Access and refresh tokens that are odd. */
export const furtherTokens: readonly FieldCase[] = [
  entry(
    'a JWT without a signature is passed on as it is',
    [{ body: { ...good, access_token: 'eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.' } }],
    { served: { access_token: 'eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.' } },
    brief,
  ),
  entry(
    'a line break in the access token, and a header after it',
    [{ body: { ...good, access_token: 'at\r\nX-Evil: 1' } }, back],
    { status: {}, calls: [1, 150], last: { access_token: 'at-9' } },
  ),
  entry('an access token in another script', [{ body: { ...good, access_token: 'токен' } }, back], {
    status: {},
    calls: [1, 150],
    last: { access_token: 'at-9' },
  }),
  entry(
    'a refresh token in another script goes back as it came',
    [
      { body: { access_token: 'at-1', expires_in: 600, refresh_token: 'ключ🔑' } },
      { body: { access_token: 'at-2', expires_in: 600 } },
    ],
    { sent: ['rt-0', 'ключ🔑'] },
    { hours: 0.4 },
  ),
  entry(
    'a refresh token with plus and percent goes back as it came',
    [
      { body: { access_token: 'at-1', expires_in: 600, refresh_token: 'a+b%20c%2B&d=e' } },
      { body: { access_token: 'at-2', expires_in: 600 } },
    ],
    { sent: ['rt-0', 'a+b%20c%2B&d=e'] },
    { hours: 0.4 },
  ),
  entry(
    'duplicate refresh tokens: the last one counts',
    [
      { body: '{"access_token":"at-1","expires_in":600,"refresh_token":"rt-1","refresh_token":"rt-2"}' },
      { body: { access_token: 'at-2', expires_in: 600 } },
    ],
    { sent: ['rt-0', 'rt-2'] },
    { hours: 0.4 },
  ),
  entry(
    'an empty list beside tokens is no error',
    [{ body: { ...good, errors: [] } }],
    { served: { access_token: 'at-1' } },
    brief,
  ),
  entry(
    '"error": "none" beside tokens is no error',
    [{ body: { ...good, error: 'none' } }],
    { served: { access_token: 'at-1' } },
    brief,
  ),
  entry('tokens with 203', [{ status: 203, body: good }], { served: { access_token: 'at-1' } }, brief),
  entry('tokens as a list of one', [{ body: [good] }], { served: { access_token: 'at-1' } }, brief),
  entry(
    'a scope with line breaks',
    [{ body: { ...good, scope: 'a\nb' } }],
    { served: { access_token: 'at-1' } },
    brief,
  ),
];
