/** The functions with secrets in the table, and on their way there. */

import { DynamoDBClient, PutItemCommand, ScanCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { versionIdOf } from '../plain.ts';
import { lifetimeSeconds } from './provider.ts';
import { secretsInTable } from './stores.ts';
import { hunt, nobody, openWorld } from './world.ts';

let world: Awaited<ReturnType<typeof openWorld>>;
let client: DynamoDBClient;

beforeAll(async () => {
  world = await openWorld();
  client = new DynamoDBClient({});
  await world.stores.newSecretsTable();
});
afterAll(async () => {
  client.destroy();
  await world.close();
});

const put = (connection: string) =>
  world.call(`PUT /connections/${connection}`, {
    provider: 'generic-oauth2',
    settings: { token_endpoint: world.provider.tokenEndpoint },
    client: { client_id: 'app', client_secret: world.secret('client') },
    refresh_token: world.secret('refresh'),
    renewal: 'always',
  });
const sealed = async (connection: string): Promise<readonly { readonly name: string; readonly sealed: string }[]> => {
  const { Items = [] } = await client.send(new ScanCommand({ TableName: secretsInTable.SECRETS_TABLE_NAME }));
  return Items.map((item) => unmarshall(item) as { name: string; sealed: string }).filter(({ name }) =>
    name.startsWith(`${connection}/`),
  );
};
const namesOf = async (connection: string) => (await sealed(connection)).map(({ name }) => name).sort();
const inVault = (connection: string) => JSON.stringify(world.stores.vault()).includes(`token-broker/${connection}/`);
const renewed = async (connection: string): Promise<number | undefined> => {
  world.later(lifetimeSeconds);
  await world.refresh(connection);
  return (await world.stores.items())[connection]?.generation;
};

test('all of a connection is in the table, sealed, and nothing of it in Secrets Manager', async () => {
  await world.with(secretsInTable, async () => {
    expect((await put('sealed')).status).toBe(201);
    expect(await namesOf('sealed')).toEqual(['sealed/client', 'sealed/refresh-0']);
    expect(await renewed('sealed')).toBe(1);
    expect(await renewed('sealed')).toBe(2);
    expect((await world.call('GET /token/sealed')).status).toBe(200);
    expect(await namesOf('sealed')).toEqual([
      'sealed/client',
      'sealed/refresh-0',
      'sealed/refresh-0',
      'sealed/refresh-0',
    ]);
    expect(inVault('sealed')).toBe(false);
    const sent = world.provider.calls.map(({ parameters }) => parameters.get('refresh_token') ?? '');
    expect(sent.length).toBe(2);
    const stored = JSON.stringify(await sealed('sealed'));
    expect(sent.filter((refreshToken) => stored.includes(refreshToken))).toEqual([]);
  });
});

test('what was put into Secrets Manager is renewed in the table, and removed from both', async () => {
  await put('moved');
  expect(await renewed('moved')).toBe(1);
  const before = JSON.stringify(world.stores.vault());
  await world.with(secretsInTable, async () => {
    expect(await renewed('moved')).toBe(2);
    expect(JSON.stringify(world.stores.vault())).toBe(before);
    expect(await namesOf('moved')).toEqual(['moved/refresh-0']);
    expect(await renewed('moved')).toBe(3);
    // Without Secrets Manager the client is not to be had, which is no verdict on the grant.
    await world.with({ ...secretsInTable, SECRET_PREFIX: '' }, async () => {
      expect(await renewed('moved')).toBe(3);
      expect((await world.stores.items()).moved).toMatchObject({
        state: 'active',
        failure: { code: 'credentials_missing' },
      });
    });
  });
  await world.with(secretsInTable, async () => {
    expect(await renewed('moved')).toBe(4);
    expect((await world.call('DELETE /connections/moved')).status).toBe(200);
    await world.refresh('moved');
    expect((await world.stores.items()).moved).toBeUndefined();
    expect(await sealed('moved')).toEqual([]);
  });
});

test('old versions are pruned before the function returns', async () => {
  await world.with(secretsInTable, async () => {
    await put('pruned');
    const dayMs = 86_400_000;
    for (let i = 1; i <= 150; i += 1) {
      const Item = {
        name: { S: 'pruned/refresh-0' },
        versionId: { S: versionIdOf('00000000-0000-4000-8000', i) },
        writtenAt: { N: String(Date.now() - dayMs - i) },
      };
      await client.send(new PutItemCommand({ TableName: secretsInTable.SECRETS_TABLE_NAME, Item }));
    }
    await client.send(
      new UpdateItemCommand({
        TableName: process.env.TABLE_NAME,
        Key: { connection: { S: 'pruned' } },
        UpdateExpression: 'SET fence = :fence',
        ExpressionAttributeValues: { ':fence': { N: '60' } },
      }),
    );
    expect(await renewed('pruned')).toBe(1);
    expect((await namesOf('pruned')).filter((name) => name === 'pruned/refresh-0')).toHaveLength(100);
  });
});

test('a key that cannot be read is an outage: nothing is stored, and nothing is asked of the provider', async () => {
  const calls = world.provider.calls.length;
  await world.with({ ...secretsInTable, SECRETS_KEY_SECRET_ID: 'no-such-key' }, async () => {
    expect((await put('keyless')).status).toBe(503);
    await world.refresh('sealed');
  });
  await world.with({ ...secretsInTable, AWS_ENDPOINT_URL_SECRETS_MANAGER: nobody }, async () => {
    expect((await put('keyless')).status).toBe(503);
  });
  expect(await sealed('keyless')).toEqual([]);
  expect((await world.stores.items()).keyless).toBeUndefined();
  expect(world.provider.calls.length).toBe(calls);
});

test('a text from another place is told as unreadable; nothing is asked of the provider, and the grant is kept', async () => {
  await world.with(secretsInTable, async () => {
    await put('swapped');
    const [, other] = await sealed('sealed');
    const place = (await world.stores.items()).swapped?.refreshToken;
    await client.send(
      new UpdateItemCommand({
        TableName: secretsInTable.SECRETS_TABLE_NAME,
        Key: { name: { S: 'swapped/refresh-0' }, versionId: { S: place?.versionId ?? '' } },
        UpdateExpression: 'SET sealed = :sealed',
        ExpressionAttributeValues: { ':sealed': { S: other?.sealed ?? '' } },
      }),
    );
    const calls = world.provider.calls.length;
    expect(await renewed('swapped')).toBe(0);
    expect((await world.stores.items()).swapped).toMatchObject({
      state: 'active',
      failure: { class: 'transient', code: 'refresh_token_unreadable' },
    });
    expect(world.provider.calls.length).toBe(calls);
  });
});

hunt(() => world);
