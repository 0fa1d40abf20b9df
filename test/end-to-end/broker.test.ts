/**
 * The whole of it on real input: the bundles that deploy, wired from the synthesized template, against real
 * authorization servers.
 */
import { rmSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type LocalBroker, startLocalBroker } from '../../local/broker.ts';
import { type RealServer, startNodeOauth2Server, startOidcProvider } from './authorization-servers.ts';
import { startBroker } from './broker-process.ts';
import { dataDirectory } from './synthesized.ts';

/** Renewed at half their life. */
const accessTokenSeconds = 12;
const directory = dataDirectory(inject('assembly'));
const nameOf = ({ name }: RealServer): string => (name.startsWith('@') ? 'oauth2-server' : name);

interface Served {
  readonly status: number;
  readonly problem?: string;
  readonly accessToken?: string;
  readonly generation?: number;
  readonly lifeMs?: number;
}

const log: string[] = [];
const served: Served[] = [];
let servers: readonly RealServer[];
let broker: LocalBroker;

async function get(fetch: LocalBroker['fetch'], connection: string): Promise<Served> {
  const reply = await fetch(`/token/${connection}?min_ttl=5`);
  if (!reply.ok) return { status: reply.status, problem: await reply.text() };
  const body = (await reply.json()) as { access_token: string; generation: number; expires_at: string };
  return {
    status: 200,
    accessToken: body.access_token,
    generation: body.generation,
    lifeMs: Date.parse(body.expires_at) - Date.now(),
  };
}

async function generationOf(fetch: LocalBroker['fetch'], connection: string): Promise<number> {
  const { generation } = (await (await fetch(`/connections/${connection}`)).json()) as { generation: number };
  return generation;
}

async function nextRenewalAt(fetch: LocalBroker['fetch'], connection: string): Promise<number> {
  const { next_renewal_at } = (await (await fetch(`/connections/${connection}`)).json()) as { next_renewal_at: string };
  return Date.parse(next_renewal_at);
}

/** Resolves when the connection has come to this generation; the test's time-out is its bound. */
async function untilGeneration(fetch: LocalBroker['fetch'], connection: string, generation: number): Promise<void> {
  while ((await generationOf(fetch, connection)) < generation) await setTimeout(200);
}

beforeAll(async () => {
  servers = [await startOidcProvider(directory, accessTokenSeconds), await startNodeOauth2Server(accessTokenSeconds)];
  broker = await startLocalBroker({ port: 0, directory, provider: 'none', onLog: (_, line) => log.push(line) });
  for (const server of servers) {
    const reply = await broker.fetch(`/connections/${nameOf(server)}`, {
      method: 'PUT',
      body: JSON.stringify({
        provider: 'generic-oauth2',
        settings: { token_endpoint: server.tokenEndpoint },
        client: server.client,
        refresh_token: server.firstRefreshToken,
        renewal: 'always',
      }),
    });
    expect(await reply.json()).toMatchObject({ state: 'active' });
    expect(reply.status).toBe(201);
  }
});

afterAll(async () => {
  await broker.close();
  for (const server of servers) await server.close();
  rmSync(directory, { recursive: true, force: true });
});

describe('fifty clients through three renewals', () => {
  test('each gets a token that lives, and the provider sees one call for each generation', async () => {
    const names = servers.map(nameOf);
    let done = false;
    const client = async (index: number) => {
      while (!done) {
        served.push(await get(broker.fetch, names[index % names.length] ?? ''));
        await setTimeout(400);
      }
    };
    const clients = Array.from({ length: 50 }, (_, index) => client(index));
    await Promise.all(names.map((name) => untilGeneration(broker.fetch, name, 4)));
    done = true;
    await Promise.all(clients);

    expect(served.filter(({ status }) => status !== 200)).toEqual([]);
    expect(served.filter(({ lifeMs = 0 }) => lifeMs <= 0)).toEqual([]);
    for (const server of servers) {
      expect(server.calls.filter(({ status }) => status !== 200)).toEqual([]);
      expect(server.calls).toHaveLength(await generationOf(broker.fetch, nameOf(server)));
    }
  });

  test('a thousand requests, fifty at a time, during a renewal: all served, one call', async () => {
    const [server] = servers;
    if (server === undefined) throw new Error('no server');
    const name = nameOf(server);
    const before = await generationOf(broker.fetch, name);
    // The requests begin before the next renewal and go on until it is through.
    const dueInMs = (await nextRenewalAt(broker.fetch, name)) - Date.now();
    await setTimeout(Math.max(0, dueInMs - 1_000));
    const answers: Served[] = [];
    const renewed = () => answers.some(({ generation = 0 }) => generation > before);
    const client = async () => {
      while (answers.length < 1_000 || !renewed()) answers.push(await get(broker.fetch, name));
    };
    await Promise.all(Array.from({ length: 50 }, client));
    await untilGeneration(broker.fetch, name, before + 1);
    expect(new Set(answers.map(({ generation }) => generation)).size).toBeGreaterThan(1);
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(server.calls.filter(({ status }) => status !== 200)).toEqual([]);
    expect(server.calls).toHaveLength(await generationOf(broker.fetch, name));
    served.push(...answers);
  });

  test('nothing secret is in what the functions wrote', () => {
    const secrets = [
      ...servers.flatMap(({ client, firstRefreshToken }) => [client.client_secret, firstRefreshToken]),
      ...served.flatMap(({ accessToken = [] }) => accessToken),
    ];
    const written = log.join('\n');
    expect(written).toContain('refresh_succeeded');
    expect(secrets.filter((secret) => written.includes(secret))).toEqual([]);
  });
});

describe('kill -9 of everything', () => {
  test('the next start goes on where it was, and the next renewals work', async () => {
    await broker.close();
    const first = await startBroker(directory);
    const names = servers.map(nameOf);
    const generations = await Promise.all(names.map((name) => generationOf(first.fetch, name)));
    await Promise.all(names.map((name, i) => untilGeneration(first.fetch, name, (generations[i] ?? 0) + 1)));
    await first.killEverything();

    const second = await startBroker(directory);
    await Promise.all(names.map((name, i) => untilGeneration(second.fetch, name, (generations[i] ?? 0) + 2)));
    for (const name of names) expect((await get(second.fetch, name)).status).toBe(200);
    for (const server of servers) expect(server.calls.filter(({ status }) => status !== 200)).toEqual([]);
    expect(await second.interrupt()).toBe(0);
  });
});
