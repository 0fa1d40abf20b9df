import { describe, expect, test } from 'vitest';
import type { Advice } from '../../client/advice-kinds.ts';
import { type ApiRequest, adviceFor, longestDelaySeconds } from '../../client/api-rules.ts';
import type { EpochMs } from '../../shared/domain/time.ts';

const now = Date.parse('2026-03-01T12:00:00Z') as EpochMs;

/** What is to be done about a reply of a provider without rules of its own. */
const advice = (
  status: number,
  headers: Record<string, string> = {},
  request: Partial<ApiRequest> = {},
  body = '',
): Advice => adviceFor({ status, headers, body }, { failures: 0, now, chance: 0, ...request }, { rules: [] });
const bearer = (error: string) => ({
  'www-authenticate': `Bearer realm="api", error="${error}", error_description="x"`,
});

describe('without rules of the provider', () => {
  test.each<[number, Advice['do']]>([
    [200, 'proceed'],
    [204, 'proceed'],
    [302, 'correct_request'],
    [400, 'correct_request'],
    [401, 'report_token'],
    [403, 'correct_request'],
    [404, 'correct_request'],
    [408, 'retry'],
    [409, 'correct_request'],
    [425, 'retry'],
    [429, 'retry'],
    [500, 'retry'],
    [501, 'correct_request'],
    [503, 'retry'],
    [504, 'retry'],
    [505, 'correct_request'],
    [600, 'correct_request'],
  ])('a %i asks to %s', (status, todo) => {
    expect(advice(status)).toMatchObject({
      do: todo,
      reason: expect.stringMatching(/\.$/),
      source: expect.stringMatching(/^RFC /),
    });
  });

  test.each<[string, number, Advice['do']]>([
    ['invalid_token', 401, 'report_token'],
    ['invalid_token', 400, 'report_token'],
    ['invalid_request', 401, 'correct_request'],
    ['insufficient_scope', 403, 'reauthorize'],
    ['invalid_token_format', 403, 'correct_request'],
  ])('the error code %s in WWW-Authenticate of a %i asks to %s', (error, status, todo) => {
    expect(advice(status, bearer(error)).do).toBe(todo);
  });

  test.each([{}, bearer('invalid_token')])(
    'a token that was reported once is reported again, one that was reported twice needs a person',
    (headers) => {
      expect(advice(401, headers, { failures: 1 }).do).toBe('report_token');
      expect(advice(401, headers, { failures: 2 }).do).toBe('reauthorize');
    },
  );

  test('what failed inside the server may have been done, unless it only reads', () => {
    expect(advice(500, {}, { method: 'POST' })).toMatchObject({ mayHaveActed: true });
    expect(advice(500)).toMatchObject({ mayHaveActed: true });
    expect(advice(500, {}, { method: 'get' })).toMatchObject({ mayHaveActed: false });
    expect(advice(429, {}, { method: 'POST' })).toMatchObject({ mayHaveActed: false });
  });
});

test('no reply may mean that it was done', () => {
  const unanswered = (request: Partial<ApiRequest>) =>
    adviceFor(undefined, { failures: 0, now, chance: 0, ...request }, { rules: [] });
  expect(unanswered({ method: 'POST' })).toMatchObject({
    do: 'retry',
    retryAfterSeconds: 1,
    mayHaveActed: true,
    reason: expect.stringMatching(/^No reply/),
  });
  expect(unanswered({ method: 'GET', failures: 3 })).toMatchObject({
    do: 'retry',
    retryAfterSeconds: 8,
    mayHaveActed: false,
  });
});

describe('the time to wait', () => {
  const waits = (status: number, headers: Record<string, string>, request: Partial<ApiRequest> = {}) => {
    const given = advice(status, headers, request);
    if (given.do !== 'retry') throw new Error(given.do);
    expect(given.retryAfterSeconds).toBe(Math.ceil((given.retryAt - now) / 1_000));
    return given.retryAt - now;
  };

  test('doubles with every failure, up to an hour', () => {
    expect([0, 1, 2, 3].map((failures) => waits(429, {}, { failures }))).toEqual([60_000, 120_000, 240_000, 480_000]);
    expect(waits(429, {}, { failures: 6 })).toBe(longestDelaySeconds * 1_000);
    expect(waits(429, {}, { failures: 5_000 })).toBe(longestDelaySeconds * 1_000);
  });

  test('is chosen by chance where there is a range', () => {
    expect([0, 0.5, 0.999].map((chance) => waits(500, {}, { chance }))).toEqual([15_000, 22_500, 29_985]);
    expect(waits(500, {}, { chance: 0.5, failures: 1 })).toBe(45_000);
  });

  test('is what Retry-After says, in seconds or as a date, however often it failed', () => {
    expect(waits(429, { 'retry-after': '7' }, { failures: 9 })).toBe(7_000);
    expect(waits(503, { 'retry-after': 'Sun, 01 Mar 2026 12:00:09 GMT' })).toBe(9_000);
    expect(waits(503, { 'retry-after': 'soon' })).toBe(15_000);
  });

  test('is a second at least: a date that has passed here has not passed there', () => {
    expect(waits(503, { 'retry-after': 'Sun, 01 Mar 2026 11:00:00 GMT' })).toBe(1_000);
    expect(waits(503, { 'retry-after': 'Sun, 01 Mar 2026 12:00:02 GMT' })).toBe(2_000);
  });
});

describe('the provider’s own words', () => {
  test('are told, without what looks like a secret', () => {
    const body = JSON.stringify({ error: { code: 'Denied', message: 'no right, access_token=abcdefghijklmnop0123' } });
    expect(advice(403, {}, {}, body)).toMatchObject({
      error: 'Denied',
      description: 'no right, access_token=[redacted]',
    });
  });

  test('are not looked for in a success', () => {
    expect(advice(200, {}, {}, '{"message":"12 invoices"}')).not.toHaveProperty('description');
  });
});
