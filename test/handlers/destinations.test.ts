/**
 * Where stored secrets may be sent: to those who had them before. A caller who may PUT and DELETE must not come to know
 * them by that.
 */
import { createServer } from 'node:http';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listen } from '../../local/platform/loopback.ts';
import { dynamoDbConnections } from '../../shared/adapters/aws/dynamodb-connections.ts';
import type { ConnectionConfig } from '../../shared/domain/connection.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import { hunt, openWorld } from './world.ts';

let world: Awaited<ReturnType<typeof openWorld>>;
/** A server of a stranger, which takes note of what it is sent. */
let stranger: { readonly url: string; readonly close: () => Promise<void> };
const overheard: string[] = [];
beforeAll(async () => {
  world = await openWorld();
  const server = createServer((request, response) => {
    if (request.method === 'POST') overheard.push(String(request.url));
    const metadata = {
      issuer: stranger.url,
      token_endpoint: world.provider.tokenEndpoint,
      authorization_endpoint: `${stranger.url}/authorize`,
      revocation_endpoint: `${stranger.url}/revoke`,
    };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(metadata));
  });
  stranger = await listen(server);
});
afterAll(async () => {
  await stranger.close();
  await world.close();
});

const revocation_endpoint = () => world.provider.tokenEndpoint.replace('token', 'revoke');
const client = () => ({ client_id: 'app', client_secret: world.secret('client') });
const put = (name: string, settings: object, more: object) =>
  world.call(`PUT /connections/${name}`, {
    provider: 'generic-oauth2',
    settings: { token_endpoint: world.provider.tokenEndpoint, ...settings },
    ...more,
  });
const create = (name: string, settings: object = { revocation_endpoint: revocation_endpoint() }) =>
  put(name, settings, { client: client(), refresh_token: world.secret('refresh') });
/** Without any secret: what is stored would have to be kept. */
const change = (name: string, settings: object) => put(name, settings, { client: { client_id: 'app' } });

const fault = (path: string) => ({ path, message: expect.stringContaining('settings.revocation_endpoint') });
const refused = { status: 400, body: { faults: [fault('client.client_secret'), fault('refresh_token')] } };

describe('another revocation endpoint', () => {
  test.each<[string, object, () => object]>([
    ['instead of the one there was', {}, () => ({ revocation_endpoint: `${stranger.url}/revoke` })],
    [
      'where there was none',
      { revocation_endpoint: undefined },
      () => ({ revocation_endpoint: `${stranger.url}/revoke` }),
    ],
    ['that an issuer’s metadata names', {}, () => ({ issuer: stranger.url })],
  ])('%s does not get what is stored', async (what, first, then) => {
    const name = `other-${what.split(' ')[0]}`;
    await create(name, { revocation_endpoint: revocation_endpoint(), ...first });
    const before = await world.stored();
    expect(await change(name, then())).toMatchObject(refused);
    expect(await world.stored()).toEqual(before);
    await world.call(`DELETE /connections/${name}`);
    await world.refresh(name);
    expect(overheard).toEqual([]);
  });

  test('does not get the refresh token of a client that has no secret', async () => {
    const open = { client_authentication: 'none' };
    await put('public', open, { client: { client_id: 'app' }, refresh_token: world.secret('refresh') });
    const answer = await change('public', { ...open, revocation_endpoint: `${stranger.url}/revoke` });
    expect(answer).toMatchObject({ status: 400, body: { faults: [fault('refresh_token')] } });
  });

  test('needs a refresh token beside the secrets, and gets what comes with it only', async () => {
    await create('moved');
    const settings = { revocation_endpoint: `${world.provider.tokenEndpoint}-other` };
    expect(await put('moved', settings, { client: client() })).toMatchObject({
      status: 400,
      body: { faults: [fault('refresh_token')] },
    });
    const refresh_token = world.secret('refresh');
    expect((await put('moved', settings, { client: client(), refresh_token })).status).toBe(200);
    await world.call('DELETE /connections/moved');
    await world.refresh('moved');
    expect(world.provider.calls.at(-1)?.parameters.get('token')).toBe(refresh_token);
  });

  test('cannot be brought in in two steps', async () => {
    await create('steps');
    expect((await change('steps', {})).status).toBe(200);
    expect(await change('steps', { revocation_endpoint: `${stranger.url}/revoke` })).toMatchObject(refused);
  });
});

test('an authorization endpoint is sent no secret: what is stored stays', async () => {
  await create('login');
  const settings = { revocation_endpoint: revocation_endpoint(), authorization_endpoint: `${stranger.url}/authorize` };
  expect(await change('login', settings)).toMatchObject({ status: 200, body: { state: 'active', settings } });
});

/** Writes settings into the table, as one could who may write there and not read secrets. */
async function tampered(name: string, change: Partial<ConnectionConfig>): Promise<void> {
  const store = dynamoDbConnections(new DynamoDBClient({}), { tableName: 'connections' });
  const connection = name as ConnectionName;
  const { config } = (await store.read(connection)) ?? expect.fail('not there');
  const set = { config: { ...config, ...change, settings: { ...config.settings, ...change.settings } } };
  await store.apply(connection, { name: 'tamper', when: [], set, remove: [] });
}

describe('who writes the table of connections', () => {
  const evil = () => `${stranger.url}/take?key=hunter2`;

  test.each<[what: string, change: () => Partial<ConnectionConfig>]>([
    ['another token endpoint', () => ({ settings: { token_endpoint: evil() } })],
    ['another revocation endpoint', () => ({ settings: { revocation_endpoint: evil() } })],
    ['another preset', () => ({ provider: 'zoho', settings: { region: 'eu', token_endpoint: evil() } })],
  ])('cannot have them sent to %s', async (what, change) => {
    const name = what.replaceAll(' ', '-');
    await create(name);
    await tampered(name, change());
    const calls = world.provider.calls.length;
    await world.call(`GET /token/${name}?wait=0`);
    await world.refresh(name);
    expect(overheard).toEqual([]);
    expect(world.provider.calls).toHaveLength(calls);
    const { body } = await world.call(`GET /connections/${name}`);
    expect(body).toMatchObject({
      state: 'misconfigured',
      last_failure: {
        error: 'secret_for_another_endpoint',
        error_description: expect.stringContaining(`the settings name ${stranger.url}/take as`),
        fix: expect.stringContaining('put the connection again'),
      },
    });
    expect(JSON.stringify(body.last_failure)).not.toContain('hunter2');
    await world.call(`DELETE /connections/${name}`);
    await world.refresh(name);
    expect(overheard).toEqual([]);
    expect(world.logged('connection_deleted').at(-1)).toMatchObject({ connection: name, revoked: false });
  });
});

test('a client secret is not sent along with a code to another token endpoint than it is for', async () => {
  const settings = { authorization_endpoint: `${stranger.url}/authorize` };
  await put('tampered-login', settings, { client: client() });
  const link = await world.link('tampered-login');
  await tampered('tampered-login', { settings: { token_endpoint: `${stranger.url}/take` } });
  const state = (await world.begin(link)).searchParams.get('state') ?? '';
  const page = await world.open('tampered-login', new URLSearchParams({ state, code: 'a-code' }));
  expect(page.status).toBe(502);
  expect(page.html).toContain('secret_for_another_endpoint');
  expect(overheard).toEqual([]);
});

hunt(() => world);
