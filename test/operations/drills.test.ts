/**
 * The tasks of docs/operations.md that an operator does with care, done here: sealing keys and a client's secret are
 * rotated, the table is restored to a point in time, and a lost state is replaced. What the manual says of each is what
 * these tests expect.
 */
import { randomBytes } from 'node:crypto';
import {
  DeleteItemCommand,
  DynamoDBClient,
  PutItemCommand,
  ScanCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { marshall } from '@aws-sdk/util-dynamodb';
import { decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { lifetimeSeconds } from '../handlers/provider.ts';
import { secretsInTable } from '../handlers/stores.ts';
import { handlerWorld, hunt } from '../handlers/world.ts';

// Cold environments load their modules again.
vi.setConfig({ testTimeout: 90_000 });

const world = await handlerWorld();
let secrets: SecretsManagerClient;
let table: DynamoDBClient;

beforeAll(() => {
  secrets = new SecretsManagerClient({});
  table = new DynamoDBClient({});
});
afterAll(() => {
  secrets.destroy();
  table.destroy();
});

const TableName = 'connections';

/** `aws secretsmanager put-secret-value`, as the manual has it; returns the new version. */
async function rotated(SecretId: string): Promise<string> {
  const SecretString = world.known(randomBytes(32).toString('hex'));
  const { VersionId = '' } = await secrets.send(new PutSecretValueCommand({ SecretId, SecretString }));
  return VersionId;
}

async function put(connection: string, more: object = {}): Promise<void> {
  const { status, body } = await world.call(`PUT /connections/${connection}`, {
    provider: 'generic-oauth2',
    settings: { token_endpoint: world.provider.tokenEndpoint },
    client: { client_id: connection, client_secret: world.secret('client') },
    refresh_token: world.secret('refresh'),
    renewal: 'always',
    ...more,
  });
  expect(status, JSON.stringify(body)).toBeLessThan(300);
}

async function connect(connection: string): Promise<void> {
  await put(connection);
  await world.refresh(connection);
}

const itemOf = async (connection: string) => (await world.stores.items())[connection];
/** The version of the key that the present access token is sealed with. */
const keyOf = async (connection: string): Promise<unknown> =>
  decodeProtectedHeader(String((await itemOf(connection))?.tokens?.sealed)).kid;

async function served(connection: string): Promise<string> {
  const { status, body } = await world.call(`GET /token/${connection}?wait=0`);
  expect(status, JSON.stringify(body)).toBe(200);
  return world.known(String(body.access_token));
}

/** A renewal that is due, in whatever environment there is. */
async function renewed(connection: string): Promise<void> {
  const before = (await itemOf(connection))?.generation ?? 0;
  world.later(lifetimeSeconds);
  await world.call(`GET /token/${connection}?wait=0`);
  await world.refresh(connection);
  expect((await itemOf(connection))?.generation).toBe(before + 1);
}

const cold = (act: () => Promise<unknown>): Promise<void> => world.with({}, async () => void (await act()));

/** The refresh tokens of a connection in Secrets Manager, as `aws secretsmanager get-secret-value` shows them. */
function vaulted(connection: string): readonly string[] {
  const versions = world.stores.vault() as readonly { readonly name: string; readonly value: string }[];
  return versions
    .filter(({ name }) => name.startsWith(`token-broker/${connection}/refresh-`))
    .map(({ value }) => JSON.parse(JSON.parse(value).SecretString).refresh_token);
}

/** Of these, the one that was never sent: the newest. */
function unsent(connection: string): string {
  const sent = new Set(world.provider.calls.map(({ parameters }) => parameters.get('refresh_token')));
  const [newest = '', ...more] = vaulted(connection).filter((token) => !sent.has(token));
  expect(more).toEqual([]);
  return newest;
}

/** Renewed twice since the backup, whose item then stands in the table again. */
async function restored(connection: string): Promise<void> {
  await connect(connection);
  const backup = await itemOf(connection);
  await renewed(connection);
  await renewed(connection);
  const Item = marshall(backup, { removeUndefinedValues: true });
  await table.send(new PutItemCommand({ TableName, Item }));
  world.later(lifetimeSeconds);
}
const look = async (connection: string): Promise<void> => {
  await world.call(`GET /token/${connection}?wait=0`);
  await world.refresh(connection);
};

describe('a sealing key is rotated, and no client notices', () => {
  test('the access key: tokens that it sealed are served by every environment, and new ones have the new key', async () => {
    await connect('access');
    const before = await keyOf('access');
    const token = await served('access');
    const version = await rotated('access-key');
    expect(await served('access')).toBe(token);
    await cold(async () => expect(await served('access')).toBe(token));
    expect(await keyOf('access')).toBe(before);
    await cold(async () => {
      await renewed('access');
      expect(await keyOf('access')).toContain(version);
      await served('access');
    });
    // An environment that never heard of the rotation opens what the new key sealed.
    world.later(6);
    await served('access');
  });

  test('the refresh key: a refresh token that it sealed, since its version in the store was taken, is still used', async () => {
    await restored('refresh');
    await cold(() => look('refresh'));
    expect(await itemOf('refresh')).toMatchObject({ refreshToken: { kind: 'sealed' } });
    await rotated('refresh-key');
    // The version of the next one was taken since the backup as well.
    await cold(() => renewed('refresh'));
    await cold(() => renewed('refresh'));
    expect(await itemOf('refresh')).toMatchObject({ state: 'active', refreshToken: { kind: 'secret' } });
  });

  test('the state key: a link that was made before leads on, after the second rotation it does not', async () => {
    await put('linked', {
      settings: {
        token_endpoint: world.provider.tokenEndpoint,
        authorization_endpoint: world.provider.tokenEndpoint.replace('/token', '/auth'),
      },
    });
    const link = await world.link('linked');
    await rotated('state-key');
    await cold(async () => expect((await world.begin(link)).pathname).toBe('/auth'));
    await rotated('state-key');
    await cold(async () => expect(await world.visit(link)).not.toMatchObject({ status: 200 }));
  });
});

describe('the key of the table of secrets is rotated', () => {
  /** What the manual counts before a second rotation: texts that a version of the key has sealed, by secret. */
  async function sealedWith(version: string): Promise<readonly string[]> {
    const begin = Buffer.from(`{"alg":"dir","enc":"A256GCM","kid":"${version}`).toString('base64url');
    const { Items = [] } = await table.send(
      new ScanCommand({
        TableName: secretsInTable.SECRETS_TABLE_NAME,
        FilterExpression: 'begins_with(sealed, :begin)',
        ExpressionAttributeValues: { ':begin': { S: begin } },
      }),
    );
    return Items.map(({ name }) => name?.S ?? '').toSorted();
  }

  test('and what the version before has sealed is read, until a renewal and a PUT have sealed it anew', async () => {
    const before = await world.stores.newSecretsTable();
    let after = '';
    await world.with(secretsInTable, async () => {
      await connect('sealed');
      expect(await sealedWith(before)).toContain('sealed/client');
      after = await rotated(secretsInTable.SECRETS_KEY_SECRET_ID);
      // The environment that has the key before in memory goes on.
      await renewed('sealed');
      expect(await sealedWith(after)).toEqual([]);
    });
    await world.with(secretsInTable, async () => {
      await renewed('sealed');
      await served('sealed');
      expect(await sealedWith(after)).toEqual([expect.stringMatching(/^sealed\/refresh-/)]);
      // The client's secret waits for a PUT.
      expect(await sealedWith(before)).toContain('sealed/client');
      await put('sealed', { refresh_token: undefined });
      expect(await sealedWith(after)).toContain('sealed/client');
      await renewed('sealed');
    });
  });
});

test('a client’s secret is rotated: with both good at the provider, no call fails, and the grant stays', async () => {
  await connect('client');
  const grant = (await itemOf('client'))?.refreshToken;
  const secret = world.secret('client');
  await put('client', { client: { client_id: 'client', client_secret: secret }, refresh_token: undefined });
  expect((await itemOf('client'))?.refreshToken).toEqual(grant);
  await served('client');
  await renewed('client');
  const sent = Buffer.from(`client:${secret}`).toString('base64');
  expect(world.provider.calls.at(-1)?.authorization).toBe(`Basic ${sent}`);
});

test('a client’s secret is rotated at any instant, with both put in order: no renewal fails, and each is refused once', async () => {
  const [old, replacement] = [world.secret('client'), world.secret('client')];
  const good = { secret: old };
  const authorizationOf = (secret: string) => `Basic ${Buffer.from(`ordered:${secret}`).toString('base64')}`;
  await put('ordered', { client: { client_id: 'ordered', client_secret: old } });
  await world.refresh('ordered');
  const client = { client_id: 'ordered', client_secret: [replacement, old] };
  await put('ordered', { client, refresh_token: undefined });
  world.provider.instead = ({ authorization }) =>
    authorization === authorizationOf(good.secret)
      ? {
          status: 200,
          body: {
            access_token: world.secret('access'),
            refresh_token: world.secret('refresh'),
            token_type: 'bearer',
            expires_in: lifetimeSeconds,
          },
        }
      : { status: 401, body: { error: 'invalid_client' } };
  const renewedWith = async (inUse: string): Promise<void> => {
    const before = (await itemOf('ordered'))?.generation ?? 0;
    world.later(lifetimeSeconds - 20);
    await served('ordered');
    await world.refresh('ordered');
    if ((await itemOf('ordered'))?.generation === before) await world.refresh('ordered');
    expect((await itemOf('ordered'))?.generation).toBe(before + 1);
    expect((await world.call('GET /connections/ordered')).body).toMatchObject({
      state: 'active',
      client: { client_secret: '[redacted]', client_secret_in_use: inUse },
    });
  };
  const logs = world.logged('client_secret_refused').length;
  await renewedWith('second');
  await renewedWith('second');
  good.secret = replacement;
  await renewedWith('first');
  await renewedWith('first');
  world.provider.instead = undefined;
  expect(world.logged('client_secret_refused').slice(logs)).toMatchObject([
    { connection: 'ordered', nowInUse: 'second' },
    { connection: 'ordered', nowInUse: 'first' },
  ]);
  expect(world.logged('refresh_failed').filter(({ connection }) => connection === 'ordered')).toEqual([]);
  // It is in one text with the rest, and the status does not take it for a setting.
  expect((await world.call('GET /connections/ordered')).body).not.toHaveProperty('secrets');
});

describe('the table is restored to a point in time', () => {
  test('where the old refresh token still works, it renews by itself', async () => {
    await restored('lenient');
    await cold(() => look('lenient'));
    expect(await itemOf('lenient')).toMatchObject({ state: 'active', generation: 2 });
    await served('lenient');
    await cold(() => renewed('lenient'));
  });

  test('where refresh tokens work once, the broker finds out by the refusal, and says so', async () => {
    await restored('strict');
    const used = new Set(world.provider.calls.map(({ parameters }) => parameters.get('refresh_token')));
    world.provider.instead = ({ parameters }) => ({
      status: 400,
      body: { error: used.has(parameters.get('refresh_token')) ? 'invalid_grant' : 'server_error' },
    });
    await cold(() => look('strict'));
    world.provider.instead = undefined;
    expect(await itemOf('strict')).toMatchObject({ state: 'reauthorization_required' });
    expect(world.logged('reauthorization_required').at(-1)).toMatchObject({ level: 'ERROR', connection: 'strict' });
    expect(world.counted('ReauthorizationRequired')).toHaveLength(1);
  });

  test('with the newest refresh token of its secrets imported first, it lives on', async () => {
    await restored('imported');
    const refresh_token = unsent('imported');
    await put('imported', { client: { client_id: 'imported' }, refresh_token });
    await cold(() => look('imported'));
    expect(world.provider.calls.at(-1)?.parameters.get('refresh_token')).toBe(refresh_token);
    expect(await itemOf('imported')).toMatchObject({ state: 'active' });
    await served('imported');
  });
});

describe('while functions are replaced, those of two releases work on one table', () => {
  const later = { ofALaterRelease: { at: 1, names: ['a'] } };
  const remaining = async () => ({ ...(await itemOf('mixed')) }) as Record<string, unknown>;

  test('what a later release has written, no write of this one takes away, and none stumbles over it', async () => {
    await connect('mixed');
    await table.send(
      new UpdateItemCommand({
        TableName,
        Key: marshall({ connection: 'mixed' }),
        // An attribute, a member of a group that is written whole, and one of a map.
        UpdateExpression: 'SET ofALaterRelease = :it, config.settings.a_later_one = :text, calls.later = :text',
        ExpressionAttributeValues: marshall({ ':it': later.ofALaterRelease, ':text': 'kept' }),
      }),
    );
    await served('mixed');
    await renewed('mixed');
    world.provider.instead = () => ({ status: 503, body: {} });
    world.later(lifetimeSeconds);
    await world.refresh('mixed');
    world.provider.instead = undefined;
    world.later(600);
    await look('mixed');
    await world.call('PUT /connections/mixed/pause');
    await world.call('DELETE /connections/mixed/pause');
    await world.call('POST /token/mixed/rejections?wait=0', { generation: (await itemOf('mixed'))?.generation });
    await world.refresh('mixed');
    expect(await remaining()).toMatchObject({ ...later, calls: { later: 'kept' }, state: 'active' });
    expect((await world.call('GET /connections/mixed')).status).toBe(200);
    // A PUT of this release has its own settings, and leaves the rest.
    await put('mixed', { refresh_token: undefined });
    await put('mixed', {});
    await world.refresh('mixed');
    expect(await remaining()).toMatchObject(later);
    await served('mixed');
    await world.call('DELETE /connections/mixed');
    await world.refresh('mixed');
    expect(await itemOf('mixed')).toBeUndefined();
  });
});

test('dead letters are moved back: what is renewed already is left alone, and what is gone stays gone', async () => {
  const messages = ['drained', 'gone-since'].map((connection) => JSON.stringify({ connection }));
  await connect('drained');
  await connect('gone-since');
  await world.call('DELETE /connections/gone-since');
  await world.refresh('gone-since');
  await renewed('drained');
  const [calls, before] = [world.provider.calls.length, await world.stores.items()];
  expect(await world.deliver(...messages, ...messages)).toEqual({ batchItemFailures: [] });
  await cold(async () => expect(await world.deliver(...messages)).toEqual({ batchItemFailures: [] }));
  expect(world.provider.calls).toHaveLength(calls);
  expect(await world.stores.items()).toEqual(before);
  expect(before).not.toHaveProperty('gone-since');
  await served('drained');
});

test('a lost state is replaced: under new keys, in an empty table, connections are put again with what they had', async () => {
  await connect('lost');
  const refresh_token = unsent('lost');
  for (const connection of Object.keys(await world.stores.items()))
    await table.send(new DeleteItemCommand({ TableName, Key: { connection: { S: connection } } }));
  const keys = await world.stores.newSealingKeys('new-');
  await world.with(keys, async () => {
    expect((await world.call('GET /token/lost')).status).toBe(404);
    await put('lost', { refresh_token });
    await world.refresh('lost');
    await served('lost');
    await renewed('lost');
  });
});

hunt(() => world);
