/** The TypeScript client on the local broker: signed requests through its gateway, with the bundles that deploy. */
import { rmSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { TokenBrokerOptions } from '../../client/api.ts';
import { brokerOf } from '../../client/broker.ts';
import { tokenBroker } from '../../client/index.ts';
import { machine } from '../../client/world.ts';
import { type LocalBroker, startLocalBroker } from '../../local/broker.ts';
import { account } from '../../local/platform/account.ts';
import { type RealServer, startOidcProvider } from './authorization-servers.ts';
import { dataDirectory } from './synthesized.ts';

const directory = dataDirectory(inject('assembly'));
const accessTokenSeconds = 40;

let server: RealServer;
let local: LocalBroker;
let port = 0;

const start = async (): Promise<void> => {
  local = await startLocalBroker({ port, directory, provider: 'none' });
  port = Number(new URL(local.url).port);
};

/** A client of the local broker, and the requests that it sends there. */
function clientWith(options: Partial<TokenBrokerOptions> = {}) {
  const sent: string[] = [];
  const send: typeof fetch = (input, init) => {
    sent.push(`${init?.method ?? 'GET'} ${String(input).slice(local.url.length)}`);
    return fetch(input, init);
  };
  const { url, credentials } = local;
  return { sent, broker: tokenBroker({ url, credentials, region: account.region, fetch: send, ...options }) };
}

beforeAll(async () => {
  server = await startOidcProvider(directory, accessTokenSeconds);
  await start();
  const put = await local.fetch('/connections/demo', {
    method: 'PUT',
    body: JSON.stringify({
      provider: 'generic-oauth2',
      settings: { token_endpoint: server.tokenEndpoint },
      client: server.client,
      refresh_token: server.firstRefreshToken,
      renewal: 'always',
    }),
  });
  expect(put.status).toBe(201);
});

afterAll(async () => {
  await local.close();
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

test('a thousand callers at once are one request, and get one token', async () => {
  const { broker, sent } = clientWith();
  const tokens = await Promise.all(Array.from({ length: 1_000 }, () => broker.token('demo')));
  expect(new Set(tokens.map(({ accessToken }) => accessToken)).size).toBe(1);
  expect(sent).toEqual(['GET /token/demo']);
  expect(tokens[0]?.expiresAt).toBeGreaterThan(Date.now());
});

test('each kind of call is signed so that the gateway takes it', async () => {
  const { broker, sent } = clientWith();
  const { generation } = await broker.token('demo', { minTtl: 5 });
  const newer = await broker.reject('demo', { generation, status: 401, detail: 'refusé "token"' });
  expect(newer.generation).toBeGreaterThan(generation);
  expect(sent.slice(0, 2)).toEqual(['GET /token/demo?min_ttl=5', 'POST /token/demo/rejections']);
});

test('a refused token is reported and replaced in the midst of a call', async () => {
  const { broker } = clientWith();
  const refused = (await broker.token('demo')).accessToken;
  const { url, credentials } = local;
  const calls: string[] = [];
  const api: typeof fetch = async (input, init) => {
    if (String(input).startsWith(url)) return fetch(input, init);
    const authorization = new Headers(init?.headers).get('authorization') ?? '';
    calls.push(authorization);
    return new Response('{}', { status: authorization === `Bearer ${refused}` ? 401 : 200 });
  };
  const worker = tokenBroker({ url, credentials, region: account.region, fetch: api });
  expect((await worker.fetch('demo', 'https://api.example/me')).status).toBe(200);
  expect(calls).toHaveLength(2);
  // The provider forbids nothing here, but the broker renews a reported token once, however many clients report it.
  expect(server.calls.filter(({ status }) => status !== 200)).toEqual([]);
});

test('a key that is not known, a name that is not there and another Region are told apart', async () => {
  const stranger = clientWith({ credentials: { accessKeyId: 'AKIDSTRANGER', secretAccessKey: 'x' } });
  await expect(stranger.broker.token('demo')).rejects.toMatchObject({
    code: 'forbidden',
    message: expect.stringContaining("grantGetToken(role, 'demo')"),
  });
  await expect(clientWith().broker.token('missing')).rejects.toMatchObject({
    code: 'connection_not_found',
    message: expect.stringContaining('PUT /connections/missing'),
  });
  await expect(clientWith({ region: 'eu-west-1' }).broker.token('demo')).rejects.toMatchObject({ code: 'forbidden' });
});

test('a clock that is twenty minutes ahead signs by the time of the broker', async () => {
  const { url, credentials } = local;
  const world = { ...machine(undefined), timeOfDay: () => Date.now() + 1_200_000 };
  const broker = brokerOf({ url, credentials, region: account.region }, world);
  expect((await broker.token('demo')).generation).toBeGreaterThan(0);
});

test('while the token lives, a restart of the broker fails no call', async () => {
  const { broker, sent } = clientWith();
  const { expiresAt } = await broker.token('demo', { minTtl: 10 });
  expect(expiresAt - Date.now()).toBeGreaterThan(8_000);
  let [serving, calls] = [true, 0];
  const worker = (async (): Promise<void> => {
    for (; serving; calls += 1) {
      await broker.token('demo');
      await setTimeout(20);
    }
  })();
  await local.close();
  await expect(clientWith().broker.token('demo', { timeoutMs: 500 })).rejects.toMatchObject({ code: 'unreachable' });
  const whileDown = calls + 5;
  while (calls < whileDown) await setTimeout(20);
  await start();
  serving = false;
  await worker;
  expect(sent.length).toBeLessThan(calls);
  expect((await broker.token('demo', { minTtl: accessTokenSeconds / 2 + 5 })).generation).toBeGreaterThan(0);
});

test('a connection that was deleted gives no token any more', async () => {
  const { broker } = clientWith();
  await broker.token('demo');
  expect((await local.fetch('/connections/demo', { method: 'DELETE' })).ok).toBe(true);
  await expect(broker.token('demo', { minTtl: 3_600 })).rejects.toMatchObject({ code: 'connection_not_found' });
  await expect(broker.token('demo')).rejects.toMatchObject({ code: 'connection_not_found' });
});
