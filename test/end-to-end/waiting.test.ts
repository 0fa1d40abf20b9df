/**
 * Clients that wait for a provider which does not answer, on the bundles that deploy: as many environments as there are
 * of the token function, eight, do not become theirs.
 */
import { rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type LocalBroker, startLocalBroker } from '../../local/broker.ts';
import { listen } from '../../local/platform/loopback.ts';
import { dataDirectory } from './synthesized.ts';

const directory = dataDirectory(inject('assembly'));
let broker: LocalBroker;
let tokenEndpoint: string;

/** A provider that takes its time, which each connection's refresh token tells in milliseconds, or never answers. */
const calls: string[] = [];
const server = createServer(async (request, response) => {
  const refreshToken = new URLSearchParams(await text(request)).get('refresh_token') ?? '';
  calls.push(refreshToken);
  const afterMs = Number(refreshToken.split(' ')[1]);
  if (Number.isNaN(afterMs)) return;
  await setTimeout(afterMs);
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ access_token: refreshToken, token_type: 'Bearer', expires_in: 3_600 }));
});
const callsOf = (connection: string): number => calls.filter((call) => call.split(' ')[0] === connection).length;

async function connect(connection: string, answersAfterMs: number | 'never'): Promise<void> {
  const reply = await broker.fetch(`/connections/${connection}`, {
    method: 'PUT',
    body: JSON.stringify({
      provider: 'generic-oauth2',
      settings: { token_endpoint: tokenEndpoint },
      client: { client_id: 'worker', client_secret: 'a secret of the test' },
      refresh_token: `${connection} ${answersAfterMs}`,
      renewal: 'always',
    }),
  });
  expect(reply.status).toBe(201);
}

/** `served`, `later` with a Retry-After, or what else it is: a bare 503 of the gateway, most of all. */
async function get(connection: string, waitSeconds: number): Promise<string> {
  const reply = await broker.fetch(`/token/${connection}?wait=${waitSeconds}`);
  const body = await reply.text();
  if (reply.status === 200) return 'served';
  const code = (JSON.parse(body) as { code?: string }).code;
  if (code === 'temporarily_unavailable' && reply.headers.has('retry-after')) return 'later';
  return `${reply.status} ${body}`;
}

const atOnce = (clients: number, connection: string, waitSeconds: number): Promise<string[]> =>
  Promise.all(Array.from({ length: clients }, () => get(connection, waitSeconds)));

/** What 24 clients got that wait for one connection, and what one of another connection got meanwhile. */
async function sideBySide(bad: string, good: string): Promise<{ waiting: Set<string>; beside: Set<string> }> {
  let done = false;
  const waiting = atOnce(24, bad, 25).finally(() => {
    done = true;
  });
  const beside: string[] = [];
  while (!done) {
    beside.push(await get(good, 10));
    await setTimeout(100);
  }
  return { waiting: new Set(await waiting), beside: new Set(beside) };
}

beforeAll(async () => {
  const { url } = await listen(server, 0);
  tokenEndpoint = `${url}/token`;
  broker = await startLocalBroker({ port: 0, directory, provider: 'none' });
  await connect('healthy', 0);
  expect(await get('healthy', 10)).toBe('served');
});

afterAll(async () => {
  await broker.close();
  server.closeAllConnections();
  server.close();
  rmSync(directory, { recursive: true, force: true });
});

test('two hundred clients at once, a renewal of half a second: all are served, with one call', async () => {
  await connect('quick', 500);
  expect(new Set(await atOnce(200, 'quick', 10))).toEqual(new Set(['served']));
  expect(callsOf('quick')).toBe(1);
});

test('two hundred clients of one that hangs are told when to come again', async () => {
  await connect('hanging', 'never');
  await expect.poll(() => callsOf('hanging'), { timeout: 30_000 }).toBe(1);
  expect(new Set(await atOnce(200, 'hanging', 10))).toEqual(new Set(['later']));
});

test('a healthy connection is served beside clients that wait for one that hangs', async () => {
  await connect('bad', 'never');
  await expect.poll(() => callsOf('bad'), { timeout: 30_000 }).toBe(1);
  expect(await sideBySide('bad', 'healthy')).toEqual({ waiting: new Set(['later']), beside: new Set(['served']) });
});

test('a healthy connection is served beside clients of one whose renewal cannot begin', async () => {
  // Two refreshers are held already; these hold the other six, and wait for more.
  const others = Array.from({ length: 12 }, (_, index) => `other-${index}`);
  await Promise.all(others.map((other) => connect(other, 'never')));
  const held = () => ['hanging', 'bad', ...others].filter((name) => callsOf(name) > 0).length;
  await expect.poll(held, { timeout: 60_000 }).toBe(8);
  await connect('behind', 0);
  expect(await sideBySide('behind', 'healthy')).toEqual({ waiting: new Set(['later']), beside: new Set(['served']) });
  expect(callsOf('behind')).toBe(0);
});
