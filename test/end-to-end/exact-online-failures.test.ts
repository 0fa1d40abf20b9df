/** What can go wrong at Exact Online: what clients are told of it, what it costs, and how it recovers. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ExactOnline, mishaps } from '../../local/simulators/exact-online.ts';
import type { Mishap } from '../../local/simulators/simulator.ts';
import {
  bodyFor,
  callApi,
  type ExactBroker,
  rest,
  startExactBroker,
  tokenCalls,
  untilDue,
} from './exact-online-broker.ts';

let world: ExactBroker;
beforeAll(async () => {
  world = await startExactBroker();
});
afterAll(() => world.close());

describe('a renewal that fails for a while', () => {
  test('too early: the token stays in use without a warning, and is renewed when Exact allows', async () => {
    const exact = await world.inUse('early', { minTokenAgeSeconds: 585 });
    await world.forward(untilDue);
    await world.until('early', {
      state: 'active',
      last_failure: { class: 'too_early', error: 'access_denied', status: 400 },
    });
    expect(await world.served('early')).toMatchObject({ generation: 1 });
    await world.forward(10);
    await world.until('early', { generation: 2 });
    expect(tokenCalls(exact)).toEqual([200, 400, 200]);
  });

  test('a fault of the gateway: served with a warning, then 503 with Exact’s words and when to come back, then renewed', async () => {
    const exact = await world.inUse('fault');
    await world.failing('fault', exact, mishaps.faultBeforeRotating);
    expect(await world.token('fault')).toMatchObject({
      status: 200,
      body: { generation: 1, warning: expect.stringContaining('http_500') },
    });
    expect(await world.status('fault')).toMatchObject({
      state: 'active',
      last_failure: { class: 'in_doubt', error: 'http_500' },
      not_before: expect.any(String),
    });
    exact.next(mishaps.faultBeforeRotating);
    await world.forward(rest);
    await world.until('fault', { last_failure: { count: 2 } });
    const answer = await world.token('fault', 'wait=0');
    expect(answer).toMatchObject({
      status: 503,
      body: {
        code: 'temporarily_unavailable',
        retryable: true,
        downstream_errors: [
          {
            error: 'http_500',
            status: 500,
            error_description: 'Failed to execute the ExtractVariables: ExtractAccessToken',
          },
        ],
      },
    });
    expect(answer.headers.get('retry-after')).toBe(String(answer.body.retry_after));
    await world.forward(2 * rest);
    await world.until('fault', { state: 'active', generation: 2 });
    await world.served('fault');
    expect(tokenCalls(exact)).toEqual([200, 500, 500, 200]);
  });

  test('a reply that is lost where a refresh token works twice: it is sent again, and nothing is lost', async () => {
    const exact = await world.inUse('lost', { refreshTokens: 'reusable', minTokenAgeSeconds: 0 });
    await world.failing('lost', exact, mishaps.replyLost);
    expect(await world.status('lost')).toMatchObject({ state: 'active', last_failure: { class: 'in_doubt' } });
    await world.forward(rest);
    await world.until('lost', { state: 'active', generation: 2 });
    await world.served('lost');
    expect(tokenCalls(exact)).toEqual([200, 0, 200]);
  });

  test('429: nobody calls before the reset that Exact names in epoch milliseconds, however many ask', async () => {
    const exact = await world.inUse('throttled');
    const reset = Date.now() + (untilDue + 300) * 1_000;
    await world.failing('throttled', exact, {
      answer: {
        status: 429,
        headers: { 'X-RateLimit-Minutely-Remaining': '0', 'X-RateLimit-Minutely-Reset': String(reset) },
      },
    });
    const { not_before } = await world.status('throttled');
    expect(Date.parse(String(not_before)) - reset).toBeGreaterThanOrEqual(0);
    expect(Date.parse(String(not_before)) - reset).toBeLessThan(1_001);
    await world.forward(200);
    const answers = await Promise.all([1, 2, 3].map(() => world.token('throttled', 'wait=0')));
    for (const answer of answers)
      expect(answer).toMatchObject({
        status: 503,
        body: { retryable: true, retry_after: 60, downstream_errors: [{ error: 'http_429' }] },
      });
    expect(tokenCalls(exact)).toEqual([200, 429]);
    await world.forward(101);
    await world.served('throttled');
    expect(tokenCalls(exact)).toEqual([200, 429, 200]);
  });

  test('a page of a firewall: it is no verdict on the grant, and is tried again after half an hour', async () => {
    const exact = await world.inUse('firewall');
    await world.failing('firewall', exact, mishaps.firewall);
    expect(await world.status('firewall')).toMatchObject({
      state: 'active',
      last_failure: { class: 'transient', error: 'http_403', status: 403 },
    });
    const { not_before } = await world.status('firewall');
    expect(Date.parse(String(not_before)) - Date.now()).toBeGreaterThan(1_700_000);
    await world.forward(1_700);
    expect(await world.token('firewall', 'wait=0')).toMatchObject({
      status: 503,
      body: { code: 'temporarily_unavailable' },
    });
    expect(tokenCalls(exact)).toEqual([200, 403]);
    await world.forward(110);
    await world.served('firewall');
    expect(tokenCalls(exact)).toEqual([200, 403, 200]);
  });
});

describe('a connection that is not configured right', () => {
  test('a wrong client secret: the token is served to its end, then 409 without a call, and a PUT mends it', async () => {
    const exact = await world.inUse('secret');
    const { clientId: client_id } = exact.client;
    await world.connect('secret', bodyFor(exact, { client: { client_id, client_secret: 'an old one' } }));
    await world.forward(untilDue);
    await world.until('secret', { state: 'misconfigured', cause: 'invalid_client' });
    expect(await world.token('secret')).toMatchObject({
      status: 200,
      body: { warning: expect.stringContaining('misconfigured') },
    });
    await world.forward(rest);
    const answers = await Promise.all([1, 2, 3].map(() => world.token('secret')));
    for (const { status, body } of answers) {
      expect([status, body]).toMatchObject([
        409,
        {
          code: 'misconfigured',
          retryable: false,
          cause: 'invalid_client',
          downstream_errors: [{ error: 'invalid_client', status: 400 }],
        },
      ]);
      expect(body.detail).toContain(
        'check client.client_id, client.client_secret. Correct its settings with PUT /connections/secret',
      );
    }
    expect(tokenCalls(exact)).toEqual([200, 400]);
    expect(await world.connect('secret', bodyFor(exact))).toMatchObject({ state: 'active' });
    expect(await world.served('secret')).toMatchObject({ generation: 2 });
    expect(tokenCalls(exact)).toEqual([200, 400, 200]);
  });

  test('a client of another country: Exact’s words are handed on, and the right client brings a token', async () => {
    const exact = await world.exactFor('country');
    const refresh_token = world.grantOf(exact);
    await world.connect(
      'country',
      bodyFor(exact, { client: { client_id: 'belgian', client_secret: 'x' }, refresh_token }),
    );
    expect(await world.token('country')).toMatchObject({
      status: 409,
      body: {
        code: 'misconfigured',
        downstream_errors: [{ error_description: "Client with identifier 'belgian' not found." }],
      },
    });
    expect(await world.put('country', bodyFor(exact))).toMatchObject({
      status: 400,
      body: { faults: [{ path: 'refresh_token' }] },
    });
    await world.connect('country', bodyFor(exact, { refresh_token }));
    await world.served('country');
    expect(tokenCalls(exact)).toEqual([400, 200]);
  });
});

describe('a grant that is dead', () => {
  test.each([
    [
      'replaced',
      'invalid_grant',
      'replaced by a second authorization of the same user',
      (exact: ExactOnline) => exact.authorize(),
    ],
    [
      'reused',
      'refresh_token_reused',
      'used by somebody else',
      (exact: ExactOnline, refreshToken: string) => renewElsewhere(exact, refreshToken),
    ],
    ['lapsed', 'refresh_token_expired', 'not used for 30 days', () => world.forward(31 * 86_400)],
  ] as const)(
    '%s: 409 with cause %s, as it was %s; not one more call; a login recovers it',
    async (connection, cause, _, dies) => {
      const exact = await world.exactFor(connection);
      const refresh_token = world.grantOf(exact);
      await dies(exact, refresh_token);
      const before = tokenCalls(exact).length;
      await world.connect(connection, bodyFor(exact, { refresh_token }));
      const first = await world.token(connection);
      expect(first).toMatchObject({
        status: 409,
        body: {
          code: 'reauthorization_required',
          cause,
          retryable: false,
          downstream_errors: [{ error: expect.any(String) }],
        },
      });
      expect(await world.status(connection)).toMatchObject({ state: 'reauthorization_required', cause });
      await world.forward(3_600);
      await Promise.all([1, 2, 3].map(() => world.token(connection)));
      expect(tokenCalls(exact)).toHaveLength(before + 1);
      expect(await world.login(connection)).toMatchObject({ title: 'Connected' });
      expect(await callApi(exact, await world.served(connection))).toBe(200);
      expect(await world.status(connection)).toMatchObject({ state: 'active' });
    },
  );

  test('by a fault that hid a rotation: it is called in doubt, not Exact’s verdict, and a login recovers it', async () => {
    const exact = await world.inUse('doubt');
    await world.failing('doubt', exact, mishaps.faultAfterRotating);
    await world.forward(rest);
    await world.until('doubt', { state: 'reauthorization_required', cause: 'refresh_in_doubt' });
    expect(await world.token('doubt')).toMatchObject({
      status: 409,
      body: { code: 'reauthorization_required', cause: 'refresh_in_doubt' },
    });
    expect(tokenCalls(exact)).toEqual([200, 500, 401]);
    expect(await world.login('doubt')).toMatchObject({ title: 'Connected' });
    expect(await world.served('doubt')).toMatchObject({ generation: 2 });
  });
});

async function renewElsewhere(exact: ExactOnline, refresh_token: string): Promise<void> {
  const { clientId: client_id, clientSecret: client_secret } = exact.client;
  const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token, client_id, client_secret });
  expect((await fetch(exact.tokenEndpoint, { method: 'POST', body: form })).status).toBe(200);
}

test('the budget of eight errors an hour is kept: then no call reaches Exact until the hour is over, and it recovers by itself', async () => {
  const exact = await world.inUse('budget');
  const down: Mishap = { answer: { status: 500 } };
  await world.failing('budget', exact, ...Array.from({ length: 8 }, () => down));
  for (const count of [2, 3, 4, 5, 6, 7, 8]) {
    await world.forwardPastBackOff('budget');
    await world.until('budget', { last_failure: { count } });
  }
  const { not_before: backOff } = await world.until('budget', { budget: { errors_left_this_hour: 0 } });
  await world.forwardPastBackOff('budget');
  // The ninth try finds the budget spent, and waits for the first of the errors to be an hour old.
  await world.until('budget', {
    state: 'active',
    last_failure: { count: 8 },
    not_before: expect.not.stringMatching(String(backOff)),
  });
  const answers = await Promise.all(Array.from({ length: 5 }, () => world.token('budget')));
  for (const answer of answers)
    expect(answer).toMatchObject({ status: 503, body: { code: 'temporarily_unavailable', retryable: true } });
  expect(tokenCalls(exact)).toHaveLength(9);
  await world.forwardPastBackOff('budget');
  await world.served('budget');
  expect(tokenCalls(exact)).toHaveLength(10);
});

test('nothing secret is in what the functions wrote', () => {
  expect(world.secrets.length).toBeGreaterThan(20);
  expect(world.leaked(world.secrets)).toEqual([]);
});
