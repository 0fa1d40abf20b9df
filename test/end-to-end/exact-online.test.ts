/**
 * Exact Online when all is well: the broker with Exact's preset, at a simulator that keeps Exact's rules, is connected
 * and renews.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  bodyFor,
  callApi,
  type ExactBroker,
  startExactBroker,
  tokenCalls,
  untilDue,
  untilExpired,
} from './exact-online-broker.ts';

let world: ExactBroker;
beforeAll(async () => {
  world = await startExactBroker();
});
afterAll(() => world.close());

describe('connecting', () => {
  test('a grant that was imported is renewed at once, and opens the API', async () => {
    const exact = await world.exactFor('import');
    const description = await world.connect('import', bodyFor(exact, { refresh_token: world.grantOf(exact) }));
    expect(description).toMatchObject({ state: 'active', client: { client_secret: '[redacted]' } });
    const token = await world.served('import');
    expect(token).toMatchObject({ generation: 1, token_type: 'Bearer' });
    expect(await callApi(exact, token)).toBe(200);
    expect(tokenCalls(exact)).toEqual([200]);
  });

  test('a login brings the first token, which is renewed no sooner than Exact allows', async () => {
    const exact = await world.exactFor('login');
    const description = await world.connect('login', bodyFor(exact));
    expect(description).toMatchObject({ state: 'reauthorization_required', cause: 'not_authorized_yet' });
    expect(await world.token('login')).toMatchObject({
      status: 409,
      body: { code: 'reauthorization_required', retryable: false },
    });
    expect(await world.login('login')).toMatchObject({ status: 200, title: 'Connected' });
    expect(await callApi(exact, await world.served('login'))).toBe(200);
    await world.forward(560);
    await world.served('login');
    expect(tokenCalls(exact)).toEqual([200]);
    await world.forward(untilDue - 560);
    await world.until('login', { generation: 2 });
    expect(tokenCalls(exact)).toEqual([200, 200]);
  });

  test('a login that is denied changes nothing, and the next one connects', async () => {
    const exact = await world.exactFor('denied');
    await world.connect('denied', bodyFor(exact));
    exact.person({ user: 'owner', answer: 'deny' });
    expect(await world.login('denied')).toMatchObject({ status: 403, title: 'Not connected: access was denied' });
    expect(await world.status('denied')).toMatchObject({ state: 'reauthorization_required', generation: 0 });
    expect(tokenCalls(exact)).toEqual([]);
    exact.person({ user: 'owner', answer: 'allow' });
    expect(await world.login('denied')).toMatchObject({ title: 'Connected' });
  });

  test('a login with a wrong client secret ends on a page with Exact’s words, and with the right one it connects', async () => {
    const exact = await world.exactFor('login-secret');
    const { clientId: client_id } = exact.client;
    await world.connect('login-secret', bodyFor(exact, { client: { client_id, client_secret: 'a wrong one' } }));
    const page = await world.login('login-secret');
    expect(page).toMatchObject({ status: 502, title: 'The provider refused' });
    expect(page.html).toContain('invalid_client');
    await world.connect('login-secret', bodyFor(exact));
    expect(await world.login('login-secret')).toMatchObject({ title: 'Connected' });
  });

  test('a request with a wrong preset, setting or credential is refused: every field, and what would be right', async () => {
    const exact = await world.exactFor('wrong');
    const unknown = await world.put('wrong', bodyFor(exact, { provider: 'exact' }));
    expect(unknown).toMatchObject({
      status: 400,
      body: { code: 'invalid_request', retryable: false, faults: [{ path: 'provider' }] },
    });
    expect(String(unknown.body.detail)).toMatch(
      /^provider: is not known; known are .*exact-online.*\. Nothing was changed\.$/,
    );
    const { status, body } = await world.put('wrong', {
      provider: 'exact-online',
      settings: { country: 'lu', county: 'nl' },
      client: { client_secret: 'secret ' },
    });
    expect(status).toBe(400);
    expect(body.faults).toEqual(
      expect.arrayContaining([
        { path: 'settings.country', message: 'must be one of nl, be, de, fr, es, co.uk, com' },
        { path: 'settings.county', message: expect.stringMatching(/^is not known; did you mean country\?$/) },
        { path: 'client.client_id', message: 'is missing' },
        {
          path: 'client.client_secret',
          message: 'must be printable ASCII without line breaks, and without spaces at its ends',
        },
      ]),
    );
    expect((await world.token('wrong')).status).toBe(404);
  });
});

describe('when all is well', () => {
  test('twenty clients through three lifetimes cost one call for each, and no error', async () => {
    const exact = await world.inUse('happy');
    for (const generation of [2, 3, 4]) {
      await world.forward(untilDue);
      await world.until('happy', { generation });
      const tokens = await Promise.all(Array.from({ length: 20 }, () => world.served('happy')));
      expect(new Set(tokens.map((token) => token.generation))).toEqual(new Set([generation]));
      expect(await callApi(exact, tokens[0] ?? {})).toBe(200);
    }
    expect(tokenCalls(exact)).toEqual([200, 200, 200, 200]);
    expect(await world.status('happy')).toMatchObject({ state: 'active', budget: { errors_left_this_hour: 8 } });
    expect(await world.status('happy')).not.toHaveProperty('last_failure');
  });

  test('a grant that nobody uses for two months is used once a week, and does not lapse', async () => {
    const exact = await world.inUse('idle');
    await world.forward(7_200);
    for (const generation of [2, 3, 4, 5, 6, 7, 8, 9]) {
      await world.forward(7 * 86_400);
      await world.until('idle', { generation });
    }
    expect(tokenCalls(exact)).toEqual(Array.from({ length: 9 }, () => 200));
    await world.forward(untilExpired);
    expect(await callApi(exact, await world.served('idle'))).toBe(200);
  });

  test('a token that Exact refuses, although it lives, is renewed once, and not sooner than Exact allows', async () => {
    const exact = await world.inUse('refused');
    const reported = await Promise.all([1, 2, 3].map(() => world.reject('refused', { generation: 1, status: 401 })));
    for (const answer of reported)
      expect(answer).toMatchObject({ status: 503, body: { code: 'temporarily_unavailable', retryable: true } });
    // Longer than the token function remembers what it has read.
    await world.forward(6);
    expect(await world.token('refused')).toMatchObject({
      status: 200,
      body: { generation: 1, warning: expect.stringContaining('refused this token') },
    });
    expect(tokenCalls(exact)).toEqual([200]);
    await world.forward(untilDue - 6);
    expect(await world.reject('refused', { generation: 1 })).toMatchObject({ status: 200, body: { generation: 2 } });
    expect(tokenCalls(exact)).toEqual([200, 200]);
  });
});

test('nothing secret is in what the functions wrote', () => {
  expect(world.secrets.length).toBeGreaterThan(8);
  expect(world.leaked(world.secrets)).toEqual([]);
});
