/**
 * Secrets in the table: a broker that began with Secrets Manager goes on there, is killed, and in the end forgets
 * everything.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { DynamoDBClient, ListTablesCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { startDynamoDb } from '../../local/aws/dynamodb/dynamodb.ts';
import { emulatorClient } from '../../local/platform/account.ts';
import type { SignedFetch } from '../../local/platform/signed-fetch.ts';
import { type RealServer, startOidcProvider } from './authorization-servers.ts';
import { type BrokerProcess, startBroker } from './broker-process.ts';
import { dataDirectory } from './synthesized.ts';

/** Renewed at half their life. */
const accessTokenSeconds = 12;
const directory = dataDirectory(inject('assembly'));
const providerDirectories = [0, 1].map(() => mkdtempSync(join(tmpdir(), 'token-broker-provider-')));
const secrets: string[] = [];
const printed: string[] = [];
let servers: readonly RealServer[];
let running: BrokerProcess | undefined;

beforeAll(async () => {
  servers = await Promise.all(providerDirectories.map((path) => startOidcProvider(path, accessTokenSeconds)));
  secrets.push(...servers.flatMap(({ client, firstRefreshToken }) => [client.client_secret, firstRefreshToken]));
});
afterAll(async () => {
  await running?.killEverything();
  for (const server of servers) await server.close();
  for (const path of [directory, ...providerDirectories]) rmSync(path, { recursive: true, force: true });
});

async function start(...more: string[]): Promise<SignedFetch> {
  running = await startBroker(directory, 'none', ...more);
  return running.fetch;
}
async function stop(how: 'interrupt' | 'killEverything'): Promise<void> {
  const stopped = running;
  running = undefined;
  await stopped?.[how]();
  printed.push(...(stopped?.printed ?? []));
}

async function connect(fetch: SignedFetch, name: string, server: RealServer | undefined): Promise<void> {
  const body = {
    provider: 'generic-oauth2',
    settings: { token_endpoint: server?.tokenEndpoint },
    client: server?.client,
    refresh_token: server?.firstRefreshToken,
    renewal: 'always',
  };
  expect((await fetch(`/connections/${name}`, { method: 'PUT', body: JSON.stringify(body) })).status).toBe(201);
}

/**
 * Resolves when each connection has been renewed so many times more, with a token that is served; the test's time-out
 * is its bound.
 */
async function renewals(fetch: SignedFetch, names: readonly string[], more: number): Promise<void> {
  const generation = async (name: string) =>
    ((await (await fetch(`/connections/${name}`)).json()) as { generation: number }).generation;
  const targets = await Promise.all(names.map(async (name) => ({ name, target: (await generation(name)) + more })));
  for (const { name, target } of targets) {
    // A client that asks does not wait for the planner's minute.
    for (;;) {
      const reply = await fetch(`/token/${name}?min_ttl=5`);
      const { access_token } = (await reply.json()) as { access_token?: string };
      if (access_token !== undefined) secrets.push(access_token);
      if (reply.ok && (await generation(name)) >= target) break;
      await setTimeout(200);
    }
  }
}

/**
 * Resolves while no renewal is near: one that is killed with the provider's answer in memory is lost, whatever the
 * store.
 */
async function untilQuiet(fetch: SignedFetch, names: readonly string[]): Promise<void> {
  const nextAt = async (name: string) =>
    Date.parse(((await (await fetch(`/connections/${name}`)).json()) as { next_renewal_at: string }).next_renewal_at);
  while (Math.min(...(await Promise.all(names.map(nextAt)))) < Date.now() + 1_500) await setTimeout(200);
}

/** Every item of every table, while the broker does not run. */
async function items(): Promise<Readonly<Record<'connections' | 'secrets', readonly Record<string, unknown>[]>>> {
  const server = await startDynamoDb({ directory: join(directory, 'dynamodb') });
  const client = new DynamoDBClient({ ...emulatorClient, endpoint: server.url });
  const { TableNames = [] } = await client.send(new ListTablesCommand({}));
  const of = async (start: string) => {
    const { Items = [] } = await client.send(
      new ScanCommand({ TableName: TableNames.find((name) => name.startsWith(start)) }),
    );
    return Items.map((item) => unmarshall(item));
  };
  const found = { connections: await of('Connections'), secrets: await of('Secrets') };
  client.destroy();
  await server.close();
  return found;
}

/** The secrets that Secrets Manager has of a connection, while the broker does not run: one row for each version. */
function vault(connection: string): readonly { readonly name: string; readonly beingDeleted: boolean }[] {
  const database = new DatabaseSync(join(directory, 'broker.sqlite'), { readOnly: true });
  const rows = database
    .prepare('select name, deletion_at from secret join secret_version using (arn) where name like ?')
    .all(`token-broker/${connection}/%`);
  database.close();
  return rows.map(({ name, deletion_at }) => ({ name: String(name), beingDeleted: deletion_at !== null }));
}

test('begun in Secrets Manager, renewed in the table, killed, renewed on, forgotten', {
  timeout: 300_000,
}, async () => {
  const first = await start();
  await connect(first, 'before', servers[0]);
  await renewals(first, ['before'], 2);
  await stop('interrupt');
  const vaultBefore = vault('before');
  // The import, two renewals and the client.
  expect(vaultBefore.length).toBeGreaterThanOrEqual(4);

  const second = await start('--secret-store', 'dynamodb');
  await connect(second, 'after', servers[1]);
  await renewals(second, ['before', 'after'], 2);
  await untilQuiet(second, ['before', 'after']);
  await stop('killEverything');

  const third = await start('--secret-store', 'dynamodb');
  await renewals(third, ['before', 'after'], 2);
  for (const server of servers) expect(server.calls.filter(({ status }) => status !== 200)).toEqual([]);
  await untilQuiet(third, ['before', 'after']);
  await stop('killEverything');

  // What was written since the switch is in the table, sealed, and what was written before is where it was.
  const { secrets: sealed, connections } = await items();
  expect(vault('before')).toEqual(vaultBefore);
  expect(vault('after')).toEqual([]);
  expect(connections.map(({ connection }) => connection).sort()).toEqual(['after', 'before']);
  const sealedOf = (kind: string) => sealed.filter(({ name }) => String(name).startsWith(kind)).length;
  expect({ before: sealedOf('before/client'), after: sealedOf('after/client') }).toEqual({ before: 0, after: 1 });
  expect(sealedOf('before/refresh-')).toBeGreaterThanOrEqual(4);
  expect(sealedOf('after/refresh-')).toBeGreaterThanOrEqual(5);
  expect(secrets.filter((secret) => JSON.stringify([sealed, connections]).includes(secret))).toEqual([]);
  await expect(startBroker(directory)).rejects.toThrow('start it with --secret-store dynamodb, as before');

  const last = await start('--secret-store', 'dynamodb');
  for (const name of ['before', 'after']) {
    expect((await last(`/connections/${name}`, { method: 'DELETE' })).status).toBe(200);
    while ((await last(`/connections/${name}`)).status !== 404) await setTimeout(200);
  }
  await stop('interrupt');
  expect(await items()).toEqual({ connections: [], secrets: [] });
  expect(vault('before').filter(({ beingDeleted }) => !beingDeleted)).toEqual([]);
  expect(secrets.filter((secret) => printed.join('\n').includes(secret))).toEqual([]);
});
