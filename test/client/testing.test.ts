/** The broker for the tests of programs keeps the contract of the real one, and a client is told of each state. */
import { describe, expect, test } from 'vitest';
import { tokenBroker } from '../../client/index.ts';
import { type TestState, testBroker } from '../../client/testing.ts';
import type { ProblemCode } from '../../lambdas/problems.ts';
import { problem } from '../../lambdas/reply.ts';
import { undocumentedIn } from '../handlers/documented.ts';

const credentials = { bearer: 'a-jwt' };
const ask = (broker: ReturnType<typeof testBroker>, path: string, init: RequestInit = {}): Promise<Response> =>
  broker.fetch(`${broker.url}${path}`, { ...init, headers: { authorization: 'Bearer a-jwt' } });
const reject = (generation: number): RequestInit => ({ method: 'POST', body: JSON.stringify({ generation }) });

const states: readonly TestState[] = [
  'serving',
  'renewing',
  'reauthorization_required',
  'misconfigured',
  'unavailable',
  'throttled',
  'overloaded',
  'forbidden',
];

describe('the contract', () => {
  test.each(states)('%s: each reply is as openapi.json has it', async (state) => {
    const broker = testBroker({
      connections: { demo: { state, endpoint: 'https://a.example', values: { realmId: '1' } } },
    });
    const calls: [string, string, RequestInit?][] = [
      ['GET /token/{connection}', '/token/demo'],
      ['GET /token/{connection}', '/token/demo?min_ttl=3600'],
      ['GET /token/{connection}', '/token/missing'],
      ['GET /token', '/token'],
      ['POST /token/{connection}/rejections', '/token/demo/rejections', reject(1)],
      ['POST /token/{connection}/rejections', '/token/demo/rejections', reject(9)],
    ];
    for (const [route, path, init] of calls) {
      const reply = await ask(broker, path, init);
      const told = { statusCode: reply.status, headers: Object.fromEntries(reply.headers), body: await reply.text() };
      expect(undocumentedIn(route, told), `${route}: ${told.body}`).toEqual([]);
    }
  });

  test.each(['reauthorization_required', 'misconfigured', 'unavailable'] as const)(
    '%s: title, status and advice are those of the broker',
    async (state) => {
      const reply = await ask(testBroker({ connections: { demo: { state } } }), '/token/demo');
      const { title, status, retryable, code } = (await reply.json()) as {
        code: ProblemCode;
        [member: string]: unknown;
      };
      const real = problem(code, { detail: '' });
      expect(reply.status).toBe(real.statusCode);
      expect({ title, status, retryable }).toEqual(
        (({ title, status, retryable }) => ({ title, status, retryable }))(JSON.parse(real.body ?? '')),
      );
    },
  );
});

describe('what a program meets', () => {
  const clientOf = (broker: ReturnType<typeof testBroker>) =>
    tokenBroker({ url: broker.url, fetch: broker.fetch, credentials, timeoutMs: 500 });

  test('a token, and a newer one when it was renewed', async () => {
    let now = Date.now();
    const broker = testBroker({ now: () => now });
    const client = clientOf(broker);
    expect((await client.token('demo')).accessToken).toBe(broker.accessToken('demo'));
    expect((await client.token('demo', { minTtl: 60 })).generation).toBe(1);
    now += 595_000;
    expect((await tokenBroker({ url: broker.url, fetch: broker.fetch, credentials }).token('demo')).generation).toBe(2);
    expect(broker.renew('demo')).toBe(3);
    expect(broker.requests.map(({ path }) => path)).toEqual(['/token/demo', '/token/demo']);
  });

  test.each<[TestState, object]>([
    ['reauthorization_required', { code: 'reauthorization_required', retryable: false, reason: 'invalid_grant' }],
    ['misconfigured', { code: 'misconfigured', retryable: false, status: 409 }],
    ['unavailable', { code: 'temporarily_unavailable', retryable: true, retryAfterMs: expect.any(Number) }],
    ['throttled', { code: 'throttled', retryable: true }],
    ['overloaded', { code: 'temporarily_unavailable', retryable: true }],
    ['forbidden', { code: 'forbidden', retryable: false }],
    ['down', { code: 'unreachable', retryable: true }],
    ['silent', { code: 'timed_out', retryable: true }],
  ])('%s', async (state, error) => {
    const broker = testBroker({ connections: { demo: { state } } });
    await expect(clientOf(broker).token('demo')).rejects.toMatchObject({ name: 'TokenBrokerError', ...error });
  });

  test('a broker that goes down while a token lives, and comes back', async () => {
    const broker = testBroker();
    const client = clientOf(broker);
    await client.token('demo');
    broker.put('demo', { state: 'down' });
    expect((await client.token('demo')).generation).toBe(1);
    await expect(client.token('demo', { minTtl: 3_600 })).rejects.toMatchObject({ code: 'unreachable' });
    broker.put('demo', {});
    expect((await tokenBroker({ url: broker.url, fetch: broker.fetch, credentials }).token('demo')).generation).toBe(1);
    broker.delete('demo');
    await expect(client.token('demo', { minTtl: 300 })).resolves.toMatchObject({ generation: 1 });
    await expect(client.reject('demo', { generation: 1 })).rejects.toMatchObject({ code: 'connection_not_found' });
    await expect(client.token('demo')).rejects.toMatchObject({ code: 'connection_not_found' });
  });

  test('a token that the API refuses, once', async () => {
    const broker = testBroker({
      api: async (_, init) => {
        const sent = new Headers(init?.headers).get('authorization');
        return new Response('{}', { status: sent === `Bearer ${broker.accessToken('demo')}` ? 200 : 401 });
      },
    });
    const client = clientOf(broker);
    await client.token('demo');
    broker.renew('demo');
    expect((await client.fetch('demo', 'https://api.example/me')).status).toBe(200);
    expect(broker.requests.at(-1)).toEqual({
      method: 'POST',
      path: '/token/demo/rejections',
      body: { generation: 1, status: 401 },
    });
  });

  test('a renewal that takes long: the token until its end, and then 503', async () => {
    let now = Date.now();
    const broker = testBroker({ connections: { demo: { state: 'renewing', lifeSeconds: 60 } }, now: () => now });
    expect((await ask(broker, '/token/demo')).status).toBe(200);
    now += 55_000;
    expect((await ask(broker, '/token/demo')).status).toBe(503);
    broker.put('demo', { lifeSeconds: 60 });
    expect((await ask(broker, '/token/demo')).status).toBe(200);
  });
});
