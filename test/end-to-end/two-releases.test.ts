/**
 * While `cdk deploy` replaces one function after the other, and wherever two releases run side by side for longer, the
 * functions of both are at work on one table. Here they are, each with its own code: refreshers, planners, token
 * functions and the rest, at a provider where a refresh token that is sent twice ends the grant.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { DynamoDBClient, GetItemCommand, ListTablesCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, expect, inject, onTestFailed, onTestFinished, test } from 'vitest';
import { emulatorClient } from '../../local/platform/account.ts';
import { outlivesGrant } from '../../shared/domain/connection.ts';
import { writePreviousRelease } from '../deploy/previous-release.ts';
import { killBefore } from '../kill/blows.ts';
import type { Moment } from '../kill/moments.ts';
import { type Release, type Stage, startStage } from '../kill/stage.ts';
import { type RealServer, startNodeOauth2Server, startOidcProvider } from './authorization-servers.ts';
import { dataDirectory } from './synthesized.ts';

/** Renewed at half their life. */
const accessTokenSeconds = 12;
const patience = { timeout: 150_000, interval: 500 };
const directory = dataDirectory(inject('assembly'));
const scratch = mkdtempSync(join(tmpdir(), 'token-broker-releases-'));
const previous = join(scratch, 'previous');
let stage: Stage;
let provider: RealServer;
let table: DynamoDBClient;

beforeAll(async () => {
  await writePreviousRelease(previous);
  [stage, provider] = await Promise.all([
    startStage(directory, undefined, previous),
    startOidcProvider(scratch, accessTokenSeconds),
  ]);
  table = new DynamoDBClient({ ...emulatorClient, endpoint: stage.dynamoDb });
}, 300_000);

afterAll(async () => {
  table?.destroy();
  await stage?.close();
  await provider?.close();
  for (const path of [directory, scratch]) rmSync(path, { recursive: true, force: true });
});

const keyOf = async (connection: string) => ({
  TableName: (await table.send(new ListTablesCommand({}))).TableNames?.find((name) => name.startsWith('Connections')),
  Key: marshall({ connection }),
});

async function itemOf(connection: string): Promise<Record<string, unknown>> {
  const { Item } = await table.send(new GetItemCommand({ ...(await keyOf(connection)), ConsistentRead: true }));
  return unmarshall(Item ?? {});
}

const renewedBy = ({ log }: Release): number => log.filter((line) => line.includes('"refresh_succeeded"')).length;

const adoptedBy = ({ log }: Release): number => log.filter((line) => line.includes('"adopted":true')).length;

/** One release is killed with a token set in its secret that it had not committed; the other one has to adopt it. */
async function expectTakenOver(connection: string, from: Release, to: Release): Promise<void> {
  const before = adoptedBy(to);
  let kills = 0;
  const killAt = async (at: Moment, isOver: () => boolean): Promise<void> => {
    while (!isOver()) {
      const strike = stage.strike(connection, at, async (struck, forward) => {
        // A sender that has given up, as on a busy machine, is not found: then another one comes.
        const sender = struck.pid();
        const own = from.broker.lambda.environments().some(({ pid }) => pid === sender);
        if (!own || isOver()) return forward();
        await killBefore(struck, forward);
        kills += 1;
        return undefined;
      });
      await strike.over;
    }
  };
  await killAt('commit', () => kills > 0);
  await killAt('acquire', () => adoptedBy(to) > before);
}

/** With two client secrets, the first of which is good: the former release knows one. */
async function put(release: Release, connection: string, { client, ...server }: RealServer): Promise<void> {
  await api(release, `PUT /connections/${connection}`, {
    provider: 'generic-oauth2',
    settings: {
      token_endpoint: await stage.door(connection, server.tokenEndpoint),
      refresh_token_rotation: 'single_use',
    },
    client: { ...client, client_secret: [client.client_secret, 'the one before'] },
    refresh_token: server.firstRefreshToken,
    renewal: 'always',
  });
}

/** A client of each release's API, which asks all the time while that release's planner looks. */
function startClients(connection: string): { stop(): Promise<void> } {
  let over = false;
  const clients = stage.releases.map(async ({ broker }, index) => {
    await sleep(index * 250);
    while (!over) {
      for (const { functionName, input } of broker.deployment.schedules)
        await broker.lambda.invoke(functionName, JSON.parse(input));
      await broker.fetch(`/token/${connection}?min_ttl=5`);
      await sleep(500);
    }
  });
  return {
    async stop() {
      over = true;
      await Promise.all(clients);
    },
  };
}

async function api({ broker }: Release, request: string, body?: object): Promise<Record<string, unknown>> {
  const [method = '', path = ''] = request.split(' ');
  const reply = await broker.fetch(path, { method, ...(body && { body: JSON.stringify(body) }) });
  const text = await reply.text();
  expect(reply.status, text).toBeLessThan(300);
  return text === '' ? {} : JSON.parse(text);
}

/**
 * What the present release writes and the former one does not know: these attributes of the item, as they are while
 * nothing happens to them, and a pause.
 */
const unknownTo = ({ versionId }: { readonly versionId: string }) => ({
  secondRefresher: { signs: { refused_soon: { at: Date.now(), times: 1 } } },
  clientSecret: { inUse: 'first', versionId },
  announcedSecretEnd: Date.now(),
});

test('attributes that the former release does not know are those that are watched here', async () => {
  const { href } = pathToFileURL(join(`${previous}-sources`, 'shared/domain/connection.ts'));
  const former = await import(/* @vite-ignore */ href);
  const watched = [...Object.keys(unknownTo({ versionId: '' })), 'paused'];
  expect(new Set(Object.keys(outlivesGrant).filter((name) => !(name in former.outlivesGrant)))).toEqual(
    new Set(watched),
  );
});

test('the former release keeps a pause that it does not know, and does not obey it', { timeout: 200_000 }, async () => {
  const [present, former] = stage.releases as [Release, Release];
  const server = await startNodeOauth2Server(accessTokenSeconds);
  try {
    await put(present, 'paused', server);
    await api(present, 'GET /token/paused?wait=25');
    await api(present, 'PUT /connections/paused/pause');
    const { paused } = await itemOf('paused');
    expect(paused).toMatchObject({ at: expect.any(Number) });
    const [{ functionName = '' } = {}] = former.broker.deployment.eventSources;
    const event = { Records: [{ messageId: '1', body: JSON.stringify({ connection: 'paused' }) }] };
    await expect
      .poll(async () => {
        await former.broker.lambda.invoke(functionName, event);
        return (await itemOf('paused')).generation;
      }, patience)
      .toBe(2);
    expect((await itemOf('paused')).paused).toEqual(paused);
    await api(present, 'DELETE /connections/paused/pause');
    expect(await itemOf('paused')).not.toHaveProperty('paused');
  } finally {
    await server.close();
  }
});

test('the releases renew one grant in turns, take over from each other, and keep what the other one wrote', {
  timeout: 400_000,
}, async () => {
  onTestFailed(() => console.error(stage.logOf('mixed').join('\n')));
  const [present, former] = stage.releases as [Release, Release];
  await put(present, 'mixed', provider);
  await api(present, 'GET /token/mixed?wait=25');
  const { config } = (await itemOf('mixed')) as { config: { credentials: { versionId: string } } };
  const written = unknownTo(config.credentials);
  await table.send(
    new UpdateItemCommand({
      ...(await keyOf('mixed')),
      UpdateExpression: `SET ${Object.keys(written).map((name) => `${name} = :${name}`)}`,
      ExpressionAttributeValues: marshall(
        Object.fromEntries(Object.entries(written).map(([name, value]) => [`:${name}`, value])),
      ),
    }),
  );

  const clients = startClients('mixed');
  onTestFinished(clients.stop);
  await expectTakenOver('mixed', former, present);
  await expectTakenOver('mixed', present, former);
  const before = stage.releases.map(renewedBy);
  await expect
    .poll(() => stage.releases.every((release, index) => renewedBy(release) > (before[index] ?? 0)), patience)
    .toBe(true);
  await clients.stop();
  const seen = await Promise.all(stage.releases.map((release) => api(release, 'GET /connections/mixed')));
  expect(seen.map(({ state, generation }) => ({ state, generation }))).toEqual(
    Array(2).fill({ state: 'active', generation: provider.calls.length }),
  );
  // One call for each token set, whichever release was killed, and none refused.
  expect(provider.calls.filter(({ status }) => status !== 200)).toEqual([]);
  expect(await itemOf('mixed')).toMatchObject(written);
});
