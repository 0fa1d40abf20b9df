import { describe, expect, test } from 'vitest';
import { instantOf, retryAfterOf } from '../../shared/domain/instants.ts';
import { type Dialect, type Reading, readReply } from '../../shared/domain/reply.ts';
import { type EpochMs, plus } from '../../shared/domain/time.ts';

const requestedAt = Date.parse('2026-03-01T12:00:00Z') as EpochMs;
const receivedAt = plus(requestedAt, 1_500);
const dialect: Dialect = {
  grant: 'refresh_token',
  errorRules: [],
  defaultLifetimeMs: 1_200_000,
  expiresInUnit: 'seconds',
  resetHeaders: [],
};

const read = (
  body: unknown,
  { status = 200, type = 'application/json', ...differing }: Partial<Dialect> & { status?: number; type?: string } = {},
): Reading =>
  readReply(
    { status, headers: { 'content-type': type }, body: typeof body === 'string' ? body : JSON.stringify(body) },
    { requestedAt, receivedAt },
    { ...dialect, ...differing },
  );

function tokensOf(reading: Reading) {
  if (reading.kind !== 'tokens') throw new Error(`not a token set: ${JSON.stringify(reading)}`);
  return reading.tokens;
}

function errorOf(reading: Reading) {
  if (reading.kind !== 'error') throw new Error('a token set, not an error');
  return reading;
}

const lifetimeMs = (members: object, differing: Partial<Dialect> = {}): number =>
  tokensOf(read({ access_token: 'a', ...members }, differing)).expiresAt - requestedAt;

describe('a token set', () => {
  test('is read from JSON', () => {
    const tokens = tokensOf(
      read({ access_token: 'at-1', token_type: 'bearer', expires_in: 600, refresh_token: 'rt-2', scope: 'read write' }),
    );
    expect(tokens).toMatchObject({
      tokenType: 'Bearer',
      scope: 'read write',
      requestedAt,
      receivedAt,
      expiresAt: requestedAt + 600_000,
    });
    expect(tokens.accessToken.reveal()).toBe('at-1');
    expect(tokens.refreshToken?.reveal()).toBe('rt-2');
  });

  test('is read from a form, whatever the content type says', () => {
    const body = 'access_token=at%2D1&expires_in=600&token_type=bearer';
    expect(tokensOf(read(body, { type: 'application/x-www-form-urlencoded' })).accessToken.reveal()).toBe('at-1');
    expect(tokensOf(read(body, { type: 'text/plain' })).expiresAt).toBe(requestedAt + 600_000);
  });

  test('is read behind a byte-order mark, and with status 201', () => {
    expect(read('\uFEFF{"access_token":"a"}').kind).toBe('tokens');
    expect(read({ access_token: 'a' }, { status: 201 }).kind).toBe('tokens');
  });

  test('without type and scope is a Bearer token of the scope that was granted', () => {
    const tokens = tokensOf(read({ access_token: 'a' }));
    expect(tokens.tokenType).toBe('Bearer');
    expect(tokens).not.toHaveProperty('scope');
    expect(tokens).not.toHaveProperty('refreshToken');
  });

  test('keeps another token type as it came, and no line break in it', () => {
    expect(tokensOf(read({ access_token: 'a', token_type: 'DPoP' })).tokenType).toBe('DPoP');
    expect(tokensOf(read({ access_token: 'a', token_type: 'X\r\nEvil: 1' })).tokenType).toBe('Bearer');
  });

  test('from client credentials brings no refresh token (RFC 6749 §4.4.3)', () => {
    expect(
      tokensOf(read({ access_token: 'a', refresh_token: 'r' }, { grant: 'client_credentials' })),
    ).not.toHaveProperty('refreshToken');
  });
});

describe('the expiry', () => {
  test.each([
    ['a number', { expires_in: 600 }, 600_000],
    ['a text, as Exact sends it', { expires_in: '600' }, 600_000],
    ['missing', {}, 1_200_000],
    ['null', { expires_in: null }, 1_200_000],
    ['a word', { expires_in: 'never' }, 1_200_000],
    ['zero: "does not expire"', { expires_in: 0 }, 1_200_000],
    ['negative: "does not expire"', { expires_in: -1 }, 1_200_000],
    ['short', { expires_in: 5 }, 5_000],
    ['epoch seconds', { expires_at: requestedAt / 1_000 + 90 }, 90_000],
    ['epoch seconds in a text', { expires_on: String(requestedAt / 1_000 + 90) }, 90_000],
    ['epoch milliseconds', { expires_at: requestedAt + 90_000 }, 90_000],
    ['an ISO date', { expires_at: '2026-03-01T12:01:30Z' }, 90_000],
    ['an ISO date with an offset', { expires_at: '2026-03-01T05:01:30-07:00' }, 90_000],
    ['an ISO date without a zone', { expires_at: '2026-03-01T12:01:30' }, 90_000],
    [
      'told twice: the lifetime wins, since it needs no common clock',
      { expires_in: 60, expires_at: '2030-01-01T00:00:00Z' },
      60_000,
    ],
  ])('%s', (_, members, expected) => {
    expect(lifetimeMs(members)).toBe(expected);
  });

  test('in milliseconds where the provider counts so', () => {
    expect(lifetimeMs({ expires_in: 600_000 }, { expiresInUnit: 'milliseconds' })).toBe(600_000);
    expect(lifetimeMs({ expires_in: 5_184_000_000 }, { expiresInUnit: 'milliseconds' })).toBe(5_184_000_000);
  });

  test.each([
    ['the largest integer', '9223372036854775807'],
    ['a number without end', '9'.repeat(300)],
    ['100 years', 3_155_760_000],
  ])('beyond reason is a year: %s', (_, expires_in) => {
    expect(lifetimeMs({ expires_in })).toBe(366 * 86_400_000);
  });

  test('counts from the start of the request, and a token that was dead on arrival is none', () => {
    expect(errorOf(read({ access_token: 'a', expires_in: 4.1 })).unusable).toBe('expired_on_arrival');
    expect(read({ access_token: 'a', expires_in: 4.101 }).kind).toBe('tokens');
    expect(
      errorOf(
        read({ access_token: 'a', refresh_token: 'r', expires_at: '2026-03-01T11:00:00Z' }),
      ).refreshToken?.reveal(),
    ).toBe('r');
  });
});

describe('an end of the grant', () => {
  const endTold = (seconds: number) =>
    tokensOf(read({ access_token: 'a', expires_in: 600, refresh_token_expires_in: seconds })).grantEndsAt;
  test('counts where so much of it is left when the reply has come, which took 1.5 s', () => {
    expect(endTold(22)).toBe(requestedAt + 22_000);
    expect(endTold(21)).toBeUndefined();
  });
});

describe('no token set', () => {
  test.each([
    ['a page with status 200', '<html>maintenance</html>', 'unreadable_reply'],
    ['nothing', '', 'unreadable_reply'],
    ['a list', '[]', 'unreadable_reply'],
    ['cut JSON', '{"access_token":"a', 'unreadable_reply'],
    ['an empty access token', '{"access_token":""}', 'no_access_token'],
    ['a blank access token', '{"access_token":" "}', 'no_access_token'],
    ['an access token that no header can carry', '{"access_token":"a\\nb"}', 'no_access_token'],
    ['a fraction for a token', '{"access_token":7.5}', 'no_access_token'],
  ])('%s', (_, body, unusable) => {
    expect(errorOf(read(body, { type: 'text/html' })).unusable).toBe(unusable);
  });

  test('an error with status 200 is an error, even beside a token', () => {
    expect(errorOf(read({ error: 'invalid_grant', access_token: 'a' })).said.code).toBe('invalid_grant');
    expect(errorOf(read({ error: { code: 'X-1', message: 'no' }, access_token: 'a' }))).toMatchObject({
      said: { code: 'X-1', description: 'no' },
    });
    expect(errorOf(read({ error: { message: 'no' }, access_token: 'a' })).explicit).toBe(true);
    expect(read({ error: null, access_token: 'a' }).kind).toBe('tokens');
    expect(read({ error: '', access_token: 'a' }).kind).toBe('tokens');
  });

  test('a token with status 400 is none', () => {
    expect(errorOf(read({ access_token: 'a' }, { status: 400 }))).not.toHaveProperty('unusable');
  });

  test('a refresh token in an error is carried along', () => {
    expect(
      errorOf(read({ error: 'access_denied', refresh_token: 'rt-2' }, { status: 400 })).refreshToken?.reveal(),
    ).toBe('rt-2');
  });

  test('the words of the provider are found wherever they are', () => {
    expect(errorOf(read({ error: 'x', error_description: 'gone' }, { status: 400 })).said.description).toBe('gone');
    expect(errorOf(read({ fault: { faultstring: 'Failed to execute' } }, { status: 500 })).said.description).toBe(
      'Failed to execute',
    );
    expect(errorOf(read('Bad Request', { status: 400, type: 'text/plain' })).said.description).toBe('Bad Request');
    expect(errorOf(read('<h1>Blocked</h1>', { status: 403, type: 'text/html' })).said.description).toBe(
      'not JSON: text/html',
    );
    expect(errorOf(read('', { status: 403 })).said).not.toHaveProperty('description');
  });
});

describe('instants', () => {
  test('Retry-After is seconds or an HTTP date', () => {
    expect(retryAfterOf('120', receivedAt)).toBe(receivedAt + 120_000);
    expect(retryAfterOf('Sun, 01 Mar 2026 12:02:00 GMT', receivedAt)).toBe(requestedAt + 120_000);
    expect(retryAfterOf('soon', receivedAt)).toBeUndefined();
    expect(retryAfterOf('0', receivedAt)).toBeUndefined();
    expect(retryAfterOf(undefined, receivedAt)).toBeUndefined();
  });

  test('a number is a lifetime below 10^9, epoch seconds below 10^11, epoch milliseconds from there', () => {
    const start = 0 as EpochMs;
    expect(instantOf(1e9 - 1, start)).toBe((1e9 - 1) * 1_000);
    expect(instantOf(1e9, plus(start, 5))).toBe(1e12);
    expect(instantOf(1e11 - 1, start)).toBe((1e11 - 1) * 1_000);
    expect(instantOf(1e11, start)).toBe(1e11);
  });

  test('a date that is none tells nothing', () => {
    expect(instantOf('2026-13-45T99:00:00Z', requestedAt)).toBeUndefined();
    expect(instantOf('tomorrow', requestedAt)).toBeUndefined();
    expect(instantOf(true, requestedAt)).toBeUndefined();
  });
});
