/**
 * One grant for each user and application, where a provider knows only one: through the handlers, in every order that
 * matters.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { dynamoDbConnections } from '../../shared/adapters/aws/dynamodb-connections.ts';
import { dynamoDbGrantClaims } from '../../shared/adapters/aws/dynamodb-grant-claims.ts';
import { systemChance, systemClock } from '../../shared/adapters/system.ts';
import { claimGrant } from '../../shared/application/claim-grant.ts';
import type { ConnectionConfig } from '../../shared/domain/connection.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import { limits } from '../../shared/domain/limits.ts';
import type { GrantKey } from '../../shared/ports/grant-claims.ts';
import { providersFrom } from '../../shared/providers/known-providers.ts';
import { handlerWorld, hunt } from './world.ts';

const world = await handlerWorld();

let applications = 0;
/** A provider application that no other test uses. */
const newApplication = () => `app-${++applications}`;
const request = (clientId: string, more: object = {}) => ({
  provider: 'exact-online',
  settings: { country: 'nl' },
  client: { client_id: clientId, client_secret: world.secret('client') },
  refresh_token: world.secret('refresh'),
  ...more,
});
const put = (name: string, clientId: string, more: object = {}) =>
  world.call(`PUT /connections/${name}`, request(clientId, more));
const conflictWith = (holder: string) => ({
  status: 409,
  body: { code: 'grant_conflict', detail: expect.stringContaining(`"${holder}"`) },
});

const tableName = 'connections';
const table = () => dynamoDbGrantClaims(new DynamoDBClient({}), tableName);
const claimWorld = () => ({
  clock: systemClock,
  chance: systemChance,
  store: dynamoDbConnections(new DynamoDBClient({}), { tableName }),
  claims: table(),
  providers: providersFrom(),
});
/** The key of a client's grant in the Netherlands. */
const keyOf = (clientId: string): GrantKey => {
  const config: ConnectionConfig = {
    provider: 'exact-online',
    settings: { country: 'nl' },
    clientId,
    renewal: 'while_used',
  };
  return providersFrom().of(config).grantKey ?? expect.fail('not exclusive');
};
const claims = async () => Object.keys(await world.stores.items()).filter((key) => key.startsWith('#grant#'));
/** As if the connection had been put before there were claims. */
async function forgetClaim(clientId: string): Promise<void> {
  const claim = (await table().read(keyOf(clientId))) ?? expect.fail('no claim');
  await table().giveBack(keyOf(clientId), claim);
}
/** Removes a connection for good, as the refresh function does it. */
async function remove(name: string): Promise<void> {
  expect((await world.call(`DELETE /connections/${name}`)).status).toBeLessThan(300);
  await world.refresh(name);
  expect((await world.call(`GET /connections/${name}`)).status).toBe(404);
}

describe('a connection that would end another’s grant', () => {
  test('is refused, with the other’s name and the two ways on, and nothing is changed', async () => {
    const app = newApplication();
    expect((await put('first', app)).status).toBe(201);
    const before = await world.stored();
    const refused = await put('second', app);
    expect(refused).toMatchObject(conflictWith('first'));
    expect(refused.body).toMatchObject({ status: 409, retryable: false, title: expect.any(String) });
    expect(refused.body.detail).toMatch(/its own "account".*"allow_grant_conflict": true.*Nothing was changed/);
    expect(await world.stored()).toEqual(before);
  });

  test('is told apart by its account, which the status shows', async () => {
    const app = newApplication();
    expect(await put('of-ann', app, { account: 'Ann' })).toMatchObject({ status: 201, body: { account: 'Ann' } });
    expect((await put('of-bob', app, { account: 'Bob' })).status).toBe(201);
    expect((await put('of-nobody', app)).status).toBe(201);
    expect(await put('of-ann-too', app, { account: 'ann' })).toMatchObject(conflictWith('of-ann'));
    expect(await put('of-nobody-too', app)).toMatchObject(conflictWith('of-nobody'));
  });

  test('is put if that is meant, and says so', async () => {
    const app = newApplication();
    await put('one', app);
    expect(await put('two', app, { allow_grant_conflict: true })).toMatchObject({
      status: 201,
      body: { allow_grant_conflict: true },
    });
    // It holds nothing itself.
    expect(await put('three', app)).toMatchObject(conflictWith('one'));
    expect(await put('two', app, { allow_grant_conflict: false })).toMatchObject(conflictWith('one'));
  });

  test('is put where it is another application: another client, another country', async () => {
    const app = newApplication();
    await put('netherlands', app);
    expect((await put('belgium', app, { settings: { country: 'be' } })).status).toBe(201);
    expect((await put('another-client', newApplication())).status).toBe(201);
  });

  test('is put where one grant does not end another, and may not be excused there', async () => {
    const generic = (more: object = {}) => ({
      ...request('app'),
      provider: 'generic-oauth2',
      settings: { token_endpoint: world.provider.tokenEndpoint },
      ...more,
    });
    expect((await world.call('PUT /connections/plain-1', generic({ account: 'Ann' }))).status).toBe(201);
    expect(await world.call('PUT /connections/plain-2', generic({ account: 'Ann' }))).toMatchObject({
      status: 201,
      body: { account: 'Ann' },
    });
    const { body } = await world.call('PUT /connections/plain-3', generic({ allow_grant_conflict: true }));
    expect(body.faults).toEqual([
      { path: 'allow_grant_conflict', message: expect.stringMatching(/^is not used by generic-oauth2/) },
    ]);
  });

  test('may be put again itself, as often as one likes', async () => {
    const app = newApplication();
    await put('again', app);
    expect((await put('again', app)).status).toBe(200);
    expect((await put('again', app, { refresh_token: undefined, client: { client_id: app } })).status).toBe(200);
  });
});

describe('a grant can be had by another', () => {
  test('once its connection is deleted, and the claim goes with it', async () => {
    const app = newApplication();
    await put('leaving', app);
    const before = (await claims()).length;
    await remove('leaving');
    expect(await claims()).toHaveLength(before - 1);
    expect((await put('coming', app)).status).toBe(201);
  });

  test('not while its connection is being deleted: then one is asked to come back', async () => {
    const app = newApplication();
    await put('going', app);
    await world.call('DELETE /connections/going');
    expect(await put('waiting', app)).toMatchObject({
      status: 409,
      body: { code: 'conflict', retryable: true, retry_after: 10 },
    });
    await world.refresh('going');
    expect((await put('waiting', app)).status).toBe(201);
  });

  test.each([
    ['account', (app: string) => ({ client: { client_id: app }, refresh_token: undefined, account: 'Ann' })],
    ['client', () => ({ client: { client_id: newApplication(), client_secret: world.secret('client') } })],
    ['mind', () => ({ allow_grant_conflict: true })],
  ])('once its connection has another %s, and the claim is given back', async (what, more) => {
    const app = newApplication();
    await put(`changing-${what}`, app);
    expect((await put(`changing-${what}`, app, more(app))).status).toBe(200);
    expect((await put(`following-${what}`, app)).status).toBe(201);
  });

  test('if who claimed it never came to be a connection, once that is certain', async () => {
    const app = newApplication();
    const key = keyOf(app);
    // What a PUT leaves that was killed between its two writes.
    expect(await claimGrant(claimWorld(), 'killed' as ConnectionName, key)).toBeUndefined();
    expect(await put('patient', app)).toMatchObject({
      status: 409,
      body: { code: 'conflict', retry_after: expect.any(Number), detail: expect.stringContaining('"killed"') },
    });
    world.later(limits.claimMs / 1_000 - 5);
    expect((await put('patient', app)).status).toBe(409);
    world.later(6);
    expect((await put('patient', app)).status).toBe(201);
    // Too late: it was taken over.
    expect(await put('killed', app)).toMatchObject(conflictWith('patient'));
  });

  test('if who claimed it is a connection of another account, once that is certain', async () => {
    const app = newApplication();
    await put('elsewhere', app, { account: 'Ann' });
    // Killed while it was put without the account.
    await claimGrant(claimWorld(), 'elsewhere' as ConnectionName, keyOf(app));
    expect((await put('here', app)).body).toMatchObject({ code: 'conflict' });
    world.later(limits.claimMs / 1_000 + 1);
    expect((await put('here', app)).status).toBe(201);
  });

  test('at once if who claimed it tries again', async () => {
    const app = newApplication();
    await claimGrant(claimWorld(), 'retrying' as ConnectionName, keyOf(app));
    expect((await put('retrying', app)).status).toBe(201);
  });
});

describe('at the same time', () => {
  test('of many connections for one grant, one is put', async () => {
    const app = newApplication();
    const names = Array.from({ length: 6 }, (_, i) => `same-time-${i}`);
    const answers = await Promise.all(names.map((name) => put(name, app)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    for (const { status, body } of answers.filter((answer) => answer.status !== 201)) {
      expect({ status, code: body.code }).toEqual({
        status: 409,
        code: expect.stringMatching(/^(?:grant_)?conflict$/),
      });
    }
    const there = Object.keys(await world.stores.items()).filter((name) => name.startsWith('same-time-'));
    expect(there).toHaveLength(1);
  });
});

describe('a login', () => {
  test('of a connection that is older than the rule is refused where another has the grant', async () => {
    const app = newApplication();
    await put('older', app);
    await forgetClaim(app);
    expect((await put('newer', app)).status).toBe(201);
    expect(await world.call('POST /connections/older/authorizations')).toMatchObject(conflictWith('newer'));
    expect((await world.call('POST /connections/newer/authorizations')).status).toBe(201);
  });

  test('claims the grant where nobody has it', async () => {
    const app = newApplication();
    await put('unclaimed', app);
    await forgetClaim(app);
    expect((await world.call('POST /connections/unclaimed/authorizations')).status).toBe(201);
    expect(await put('next', app)).toMatchObject(conflictWith('unclaimed'));
  });
});

hunt(() => world);
