/**
 * Connections whose provider's preset was changed or removed by an upgrade: what is stored is no longer what the preset
 * asks for.
 */
import { generateKeyPairSync } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DescribeSecretCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { beforeAll, describe, expect, test } from 'vitest';
import { dynamoDbConnections } from '../../shared/adapters/aws/dynamodb-connections.ts';
import type { ConnectionConfig } from '../../shared/domain/connection.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import { limits } from '../../shared/domain/limits.ts';
import { handlerWorld, hunt } from './world.ts';

const world = await handlerWorld();

const request = (clientId: string, more: object = {}) => ({
  provider: 'exact-online',
  settings: { country: 'nl' },
  client: { client_id: clientId, client_secret: world.secret('client') },
  refresh_token: world.secret('refresh'),
  ...more,
});

/** Puts a connection, and has its preset changed: that is, what is stored is what another preset asked for. */
async function outdated(name: string, change: Partial<ConnectionConfig>): Promise<void> {
  expect((await world.call(`PUT /connections/${name}`, request(name))).status).toBe(201);
  await upgraded(name, change);
}

async function upgraded(name: string, change: Partial<ConnectionConfig>): Promise<void> {
  const store = dynamoDbConnections(new DynamoDBClient({}), { tableName: 'connections' });
  const connection = name as ConnectionName;
  const { config } = (await store.read(connection)) ?? expect.fail('not there');
  await store.apply(connection, { name: 'upgrade', when: [], set: { config: { ...config, ...change } }, remove: [] });
}
const eventsOf = (connection: string) =>
  world.stores.events().flatMap(({ detail }) => (detail.connection === connection ? [detail] : []));
const { settings, replaced } = {
  settings: { region: 'nl' },
  replaced: { settings: { country: 'nl', token_endpoint: 'not a URL' } },
};

describe.each<[what: string, name: string, change: Partial<ConnectionConfig>]>([
  ['lack what the preset asks for', 'lacking', { settings }],
  ['have what the preset does not take', 'refused', replaced],
  ['are of a preset that is gone', 'presetless', { provider: 'gone' }],
])('settings that %s', (_, name, change) => {
  beforeAll(() => outdated(name, change));

  test('are described as such, without limits, and so is every other connection', async () => {
    const { status, body } = await world.call(`GET /connections/${name}`);
    expect({ status, ...body }).toMatchObject({
      status: 200,
      connection: name,
      settings_outdated: true,
      state: 'misconfigured',
      cause: 'settings_outdated',
    });
    expect(body).not.toHaveProperty('budget');
    expect(await world.call('GET /connections')).toMatchObject({ status: 200 });
    await world.call(`PUT /connections/${name}-sound`, request(`${name}-sound`));
    expect((await world.call(`GET /connections/${name}-sound`)).body).not.toHaveProperty('settings_outdated');
  });

  test('stop the connection, without a call and without a crash, and clients are told why', async () => {
    const calls = world.provider.calls.length;
    await world.call(`GET /token/${name}?wait=0`);
    await world.refresh(name);
    expect(await world.call(`GET /token/${name}`)).toMatchObject({
      status: 409,
      body: { code: 'misconfigured', cause: 'settings_outdated', detail: expect.stringContaining('preset is gone') },
    });
    expect((await world.call(`GET /connections/${name}`)).body).toMatchObject({ state: 'misconfigured' });
    await world.refresh(name);
    expect(world.logged('misconfigured').filter(({ connection }) => connection === name)).toHaveLength(1);
    expect(eventsOf(name)).toMatchObject([{ change: 'misconfigured', cause: 'settings_outdated' }]);
    expect(world.provider.calls).toHaveLength(calls);
  });

  test('make no link for a login', async () => {
    expect(await world.call(`POST /connections/${name}/authorizations`)).toMatchObject({
      status: 409,
      body: { code: 'misconfigured', cause: 'settings_outdated' },
    });
  });

  test('are put again with secrets and a refresh token, and not without: whose those are cannot be told any more', async () => {
    const { client_id } = request(name).client;
    const without = await world.call(
      `PUT /connections/${name}`,
      request(name, { client: { client_id }, refresh_token: undefined }),
    );
    expect(without).toMatchObject({
      status: 400,
      body: { faults: [{ path: 'client.client_secret' }, { path: 'refresh_token' }] },
    });
    const { status, body } = await world.call(`PUT /connections/${name}`, request(name));
    expect({ status, ...body }).toMatchObject({ status: 200, settings: { country: 'nl' } });
    expect(body).not.toHaveProperty('settings_outdated');
  });
});

describe.each<[what: string, name: string, change: Partial<ConnectionConfig>]>([
  ['lack what the preset asks for', 'leaving-lacking', { settings }],
  ['are of a preset that is gone', 'leaving-presetless', { provider: 'gone' }],
])('settings that %s', (_, name, change) => {
  test('do not hinder its deletion', async () => {
    await outdated(name, change);
    expect(await world.call(`DELETE /connections/${name}`)).toMatchObject({
      status: 200,
      body: { revoked: false, code: 'settings_outdated' },
    });
    await world.refresh(name);
    expect((await world.call(`GET /connections/${name}`)).status).toBe(404);
    expect(world.logged('connection_deleted').at(-1)).toMatchObject({ connection: name, code: 'settings_outdated' });
    const secrets = new SecretsManagerClient({});
    for (const secret of ['client', 'refresh-0']) {
      const found = await secrets.send(new DescribeSecretCommand({ SecretId: `token-broker/${name}/${secret}` }));
      expect(found.DeletedDate, secret).toBeDefined();
    }
    secrets.destroy();
  });
});

test('a connection goes on by itself when its preset is back', async () => {
  const settings = { token_endpoint: world.provider.tokenEndpoint };
  const put = request('returning', { provider: 'generic-oauth2', settings });
  expect((await world.call('PUT /connections/returning', put)).status).toBe(201);
  await upgraded('returning', { provider: 'gone' });
  await world.refresh('returning');
  expect((await world.call('GET /token/returning')).status).toBe(409);
  await upgraded('returning', { provider: 'generic-oauth2' });
  world.later(limits.backOffMaxMs / 1_000);
  const before = world.stores.messages().length;
  await world.plan();
  expect(world.stores.messages().slice(before)).toContainEqual(
    expect.objectContaining({ body: JSON.stringify({ connection: 'returning' }) }),
  );
  await world.refresh('returning');
  expect(world.logged('settings_fit_again').at(-1)).toMatchObject({ connection: 'returning' });
  await world.call('GET /token/returning?wait=0');
  await world.refresh('returning');
  expect((await world.call('GET /token/returning')).status).toBe(200);
  expect(eventsOf('returning').map(({ change }) => change)).toEqual(['misconfigured', 'recovered']);
});

test('a stored key that cannot sign stops its connection, without a call and without a crash, until another is put', async () => {
  const pemOf = (modulusLength: number) =>
    world.known(
      generateKeyPairSync('rsa', { modulusLength }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    );
  const signing = (private_key: string) => {
    const settings = {
      token_endpoint: world.provider.tokenEndpoint,
      grant: 'client_credentials',
      client_authentication: 'private_key_jwt',
      private_key,
    };
    return world.call('PUT /connections/signing', {
      provider: 'generic-oauth2',
      settings,
      client: { client_id: 'signer' },
    });
  };
  expect((await signing(pemOf(2_048))).status).toBe(201);
  const [secrets, versionId] = [new SecretsManagerClient({}), '44444444-4444-4444-8444-444444444444'];
  const SecretString = JSON.stringify({
    for: { token_endpoint: world.provider.tokenEndpoint },
    secrets: { private_key: pemOf(1_024) },
  });
  await secrets.send(
    new PutSecretValueCommand({ SecretId: 'token-broker/signing/client', ClientRequestToken: versionId, SecretString }),
  );
  secrets.destroy();
  await upgraded('signing', { credentials: { versionId, names: ['private_key'] } });
  const calls = world.provider.calls.length;
  await world.call('GET /token/signing?wait=0');
  await world.refresh('signing');
  const { body } = await world.call('GET /connections/signing');
  expect(body).toMatchObject({
    state: 'misconfigured',
    cause: 'invalid_client',
    last_failure: { error: 'private_key_unreadable' },
  });
  expect(world.provider.calls).toHaveLength(calls);
  expect((await signing(pemOf(2_048))).body).toMatchObject({ state: 'active' });
  await world.call('GET /token/signing?wait=0');
  await world.refresh('signing');
  expect((await world.call('GET /token/signing')).status).toBe(200);
});

test('a grant stays its holder’s while nobody can tell whether the holder still has it', async () => {
  await outdated('holder', { settings });
  world.later(600);
  const another = await world.call('PUT /connections/another', request('holder'));
  expect(another).toMatchObject({
    status: 409,
    body: { code: 'grant_conflict', detail: expect.stringContaining('"holder"') },
  });
  expect((await world.call('PUT /connections/another', request('holder', { account: 'Ann' }))).status).toBe(201);
  expect((await world.call('PUT /connections/holder', request('holder'))).status).toBe(200);
});

hunt(() => world);
