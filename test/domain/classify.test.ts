import { describe, expect, test } from 'vitest';
import { classify } from '../../shared/domain/classify.ts';
import type { Exchange } from '../../shared/domain/exchange.ts';
import { limits } from '../../shared/domain/limits.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import { redact } from '../../shared/domain/redact.ts';
import type { Dialect } from '../../shared/domain/reply.ts';
import { Secret } from '../../shared/domain/secret.ts';
import { type EpochMs, plus } from '../../shared/domain/time.ts';

const requestedAt = Date.parse('2026-03-01T12:00:00Z') as EpochMs;
const receivedAt = plus(requestedAt, 2_000);
const dialect: Dialect = {
  grant: 'refresh_token',
  errorRules: [],
  defaultLifetimeMs: 3_600_000,
  expiresInUnit: 'seconds',
  resetHeaders: [],
};

function reply(status: number, body: unknown = '', headers: Record<string, string> = {}): Exchange {
  return { kind: 'reply', status, headers, body: typeof body === 'string' ? body : JSON.stringify(body) };
}

const outcome = (answer: Exchange, differing: Partial<Dialect> = {}, sent: readonly string[] = ['rt-sent']): Outcome =>
  classify(
    answer,
    { requestedAt, receivedAt },
    sent.map((text) => new Secret(text)),
    { ...dialect, ...differing },
  );

function failure(...of: Parameters<typeof outcome>) {
  const result = outcome(...of);
  if (result.kind !== 'failure') throw new Error('a success');
  return result;
}

describe('without provider rules', () => {
  test.each<[string, Exchange, object]>([
    [
      'connection refused',
      { kind: 'not_sent', code: 'connection_refused' },
      { class: 'transient', code: 'connection_refused' },
    ],
    ['a time-out', { kind: 'lost', code: 'time_out' }, { class: 'in_doubt', code: 'time_out' }],
    ['500', reply(500), { class: 'in_doubt', code: 'http_500', status: 500 }],
    ['a page with 503', reply(503, '<html>', { 'content-type': 'text/html' }), { class: 'in_doubt', code: 'http_503' }],
    [
      'invalid_grant beside a 500 is not believed',
      reply(500, { error: 'invalid_grant' }),
      { class: 'in_doubt', code: 'http_500' },
    ],
    ['429', reply(429, { error: 'invalid_grant' }), { class: 'transient', code: 'http_429' }],
    [
      'invalid_grant',
      reply(400, { error: 'invalid_grant' }),
      { class: 'dead_grant', cause: 'invalid_grant', code: 'invalid_grant', status: 400 },
    ],
    [
      'invalid_grant with 200',
      reply(200, { error: 'invalid_grant' }),
      { class: 'dead_grant', code: 'invalid_grant', status: 200 },
    ],
    [
      'invalid_client',
      reply(401, { error: 'invalid_client' }),
      { class: 'misconfigured', cause: 'invalid_client', code: 'invalid_client' },
    ],
    [
      'unauthorized_client',
      reply(400, { error: 'unauthorized_client' }),
      { class: 'misconfigured', cause: 'invalid_client', code: 'unauthorized_client' },
    ],
    [
      'invalid_scope',
      reply(400, { error: 'invalid_scope' }),
      { class: 'misconfigured', cause: 'invalid_request', code: 'invalid_scope' },
    ],
    [
      'unsupported_grant_type',
      reply(400, { error: 'unsupported_grant_type' }),
      { class: 'misconfigured', code: 'unsupported_grant_type' },
    ],
    [
      'invalid_request',
      reply(400, { error: 'invalid_request' }),
      { class: 'misconfigured', cause: 'invalid_request', code: 'invalid_request' },
    ],
    ['server_error with 400', reply(400, { error: 'server_error' }), { class: 'in_doubt', code: 'server_error' }],
    [
      'temporarily_unavailable with 200',
      reply(200, { error: 'temporarily_unavailable' }),
      { class: 'transient', code: 'temporarily_unavailable' },
    ],
    [
      'a firewall',
      reply(403, '<html>', { 'content-type': 'text/html' }),
      { class: 'transient', code: 'http_403', description: 'not JSON: text/html' },
    ],
    ['401 without a word', reply(401), { class: 'transient', code: 'http_401' }],
    ['an unknown error', reply(400, { error: 'Access Denied' }), { class: 'transient', code: 'access_denied' }],
    ['a redirect', reply(302, '', { location: 'https://login.example.com' }), { class: 'transient', code: 'http_302' }],
    [
      'a page with 200',
      reply(200, '<html>', { 'content-type': 'text/html' }),
      { class: 'in_doubt', code: 'unreadable_reply' },
    ],
    ['200 without a token', reply(200, { ok: true }), { class: 'in_doubt', code: 'no_access_token' }],
    [
      'dead on arrival',
      reply(200, { access_token: 'a', expires_in: 1 }),
      { class: 'transient', code: 'expired_on_arrival' },
    ],
  ])('%s', (_, answer, expected) => {
    expect(failure(answer)).toMatchObject(expected);
  });

  test('tokens are a success', () => {
    expect(outcome(reply(200, { access_token: 'a', expires_in: 600 }))).toMatchObject({
      kind: 'success',
      tokens: { expiresAt: requestedAt + 600_000 },
    });
  });

  test('a client without a grant has none that could die', () => {
    expect(failure(reply(400, { error: 'invalid_grant' }), { grant: 'client_credentials' })).toMatchObject({
      class: 'misconfigured',
      cause: 'invalid_client',
      code: 'invalid_grant',
    });
  });

  test('total: every status has a class', () => {
    for (let status = 200; status < 600; status += 1)
      expect(failure(reply(status, 'x')).class).toMatch(/^(transient|in_doubt)$/);
  });
});

describe("a provider's rules", () => {
  const errorRules: Dialect['errorRules'] = [
    {
      name: 'not_now',
      when: { status: [400], error: ['invalid_grant'], description: 'not now' },
      class: 'transient',
      retryAfterSeconds: 60,
      comment: '-',
      source: '-',
    },
    {
      name: 'early',
      when: { header: { name: 'reason', matches: '^early' } },
      class: 'too_early',
      comment: '-',
      source: '-',
    },
    {
      name: 'bad',
      when: { body: '"status":"BAD_REFRESH_TOKEN"' },
      class: 'dead_grant',
      cause: 'invalid_grant',
      comment: '-',
      source: '-',
    },
  ];

  test('come before the common ones, and every condition must hold', () => {
    const matching = { error: 'invalid_grant', error_description: 'NOT now' };
    expect(failure(reply(400, matching), { errorRules })).toMatchObject({
      class: 'transient',
      retryAt: receivedAt + 60_000,
    });
    expect(failure(reply(401, matching), { errorRules }).class).toBe('dead_grant');
    expect(failure(reply(400, { ...matching, error_description: 'revoked' }), { errorRules }).class).toBe('dead_grant');
    expect(failure(reply(400, { ...matching, error: 'other' }), { errorRules })).not.toHaveProperty('retryAt');
  });

  test('look at headers and at the whole body', () => {
    expect(failure(reply(400, '', { reason: 'Early bird' }), { errorRules }).class).toBe('too_early');
    expect(failure(reply(400, { status: 'BAD_REFRESH_TOKEN' }), { errorRules }).class).toBe('dead_grant');
  });
});

describe('when to come back', () => {
  const resetHeaders = ['x-ratelimit-minutely-reset', 'x-ratelimit-reset'];
  const minute = String(requestedAt + 60_000);
  const day = String(requestedAt + 86_400_000);

  test('Retry-After is believed on any failure', () => {
    expect(failure(reply(503, '', { 'retry-after': '30' })).retryAt).toBe(receivedAt + 30_000);
    expect(failure(reply(429, '', { 'retry-after': 'Sun, 01 Mar 2026 12:05:00 GMT' })).retryAt).toBe(
      requestedAt + 300_000,
    );
  });

  test('reset headers are believed on a 429, the most telling first', () => {
    expect(
      failure(reply(429, '', { 'x-ratelimit-minutely-reset': minute, 'x-ratelimit-reset': day }), { resetHeaders })
        .retryAt,
    ).toBe(requestedAt + 60_000);
    expect(failure(reply(429, '', { 'x-ratelimit-reset': day }), { resetHeaders }).retryAt).toBe(
      requestedAt + 86_400_000,
    );
    expect(failure(reply(400, '', { 'x-ratelimit-reset': day }), { resetHeaders })).not.toHaveProperty('retryAt');
  });

  test('nothing is made up', () => {
    expect(failure(reply(429))).not.toHaveProperty('retryAt');
    expect(failure(reply(429, '', { 'retry-after': 'later' }))).not.toHaveProperty('retryAt');
  });
});

describe('a refresh token in an error', () => {
  test('is carried along', () => {
    expect(failure(reply(500, { refresh_token: 'rt-new' })).refreshToken?.reveal()).toBe('rt-new');
  });

  test('is no news if it is the one that was sent', () => {
    expect(failure(reply(400, { error: 'invalid_grant', refresh_token: 'rt-sent' }))).not.toHaveProperty(
      'refreshToken',
    );
  });
});

describe('no secret comes back in a failure', () => {
  const jwt = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl';
  const sent = ['rt short', 's3cr3t+/='];

  test.each([
    ['as it was sent', 'Token rt short is unknown'],
    ['as it looks in a URL', 'POST body was refresh_token%20rt%20short and s3cr3t%2B%2F%3D'],
    ['as it looks in a form', 'got rt+short'],
  ])('%s', (_, error_description) => {
    const { description } = failure(reply(400, { error: 'invalid_grant', error_description }), {}, sent);
    expect(description).toContain('[redacted]');
    expect(description).not.toMatch(/rt.short|rt%20short|s3cr3t/);
  });

  test('not in the code either', () => {
    expect(failure(reply(400, { error: 'hunter2' }), {}, ['hunter2']).code).toBe('http_400');
    expect(failure(reply(400, { error: 'a1b2c3d4e5f6a7b8c9d0' })).code).toBe('http_400');
  });

  test('nor the tokens that the error brings with it', () => {
    const body = { error: 'access_denied', error_description: 'use new-one', refresh_token: 'new-one' };
    expect(JSON.stringify(failure(reply(400, body)))).not.toContain('new-one');
  });

  test.each([
    ['a JWT', `Token ${jwt} expired`, 'Token [redacted] expired'],
    ['a long opaque text', 'Grant gAAAA22pQ0Zk-_x8Yq revoked', 'Grant [redacted] revoked'],
    [
      'what follows a name',
      'client_secret=abc is wrong, "refresh_token": "xyz"',
      'client_secret=[redacted] is wrong, "refresh_token": "[redacted]"',
    ],
    ['what follows a scheme', 'Header was Basic YTpiYzpkZWY=', 'Header was Basic [redacted]'],
  ])('%s', (_, text, expected) => {
    expect(redact(text, [])).toBe(expected);
  });

  test.each([
    'Rate limit exceeded: access_token not expired',
    'Old refresh token used.',
    'The refresh token expired at 10/11/2022 9:18:20 PM and it is now 10/28/2022 4:15:50 PM.',
    'Token is not allowed, because of invalid or empty chainId',
    'Invalid refresh token: revoked by the user',
    'AADSTS700082: The refresh token has expired due to inactivity.',
    'Bearer authentication is required',
  ])('plain words stay: %s', (text) => {
    expect(redact(text, [])).toBe(text);
  });

  test('what is shown has one line and no control characters', () => {
    expect(redact(' gone\r\n\tfor \u001b[31mgood\u0000 ', [])).toBe('gone for [31mgood');
  });

  test('a description has its bound, and no half of a secret at its end', () => {
    const secret = 'k'.repeat(20);
    const error_description = `${'word '.repeat(58)}${secret} ${'word '.repeat(100)}`;
    const { description = '' } = failure(reply(400, { error: 'x', error_description }), {}, [secret]);
    expect(description).toHaveLength(limits.descriptionLength);
    expect(description).not.toContain('kk');
  });
});
