import { describe, expect, test } from 'vitest';
import { handlerWorld, hunt } from './world.ts';

const world = await handlerWorld();

/** A client asks, what it asked for is done, and it asks again. */
async function token(connection: string) {
  await world.call(`GET /token/${connection}?wait=0`);
  await world.refresh(connection);
  return world.call(`GET /token/${connection}?wait=0`);
}

describe('stored keys (Maesn)', () => {
  const keys = () => ({ api_key: world.secret('tenant'), account_key: world.secret('account') });
  const maesn = (settings: object) => ({ provider: 'maesn', settings });

  test('are active at once, described without a value, and served as headers without any call', async () => {
    const given = keys();
    const calls = world.provider.calls.length;
    const { status, body } = await world.call('PUT /connections/maesn', maesn(given));
    expect({ status, ...body }).toMatchObject({
      status: 201,
      state: 'active',
      settings: {},
      secrets: ['api_key', 'account_key'],
    });
    expect(body).not.toHaveProperty('client');
    const answer = await token('maesn');
    expect(answer).toMatchObject({
      status: 200,
      body: {
        access_token: given.account_key,
        token_type: 'N_A',
        headers: { 'X-API-KEY': given.api_key, 'X-ACCOUNT-KEY': given.account_key },
      },
    });
    expect(answer.body.headers).not.toHaveProperty('Authorization');
    // From memory, too.
    expect((await world.call('GET /token/maesn')).body.headers).toEqual(answer.body.headers);
    expect(world.provider.calls).toHaveLength(calls);
  });

  test('that are replaced are not served any more', async () => {
    await world.call('PUT /connections/replaced', maesn(keys()));
    await token('replaced');
    const next = keys();
    await world.call('PUT /connections/replaced', maesn(next));
    // What was read a moment ago may be answered for a moment.
    world.later(6);
    expect((await world.call('GET /token/replaced?wait=0')).status).toBe(503);
    expect((await token('replaced')).body).toMatchObject({ access_token: next.account_key, generation: 2 });
  });

  test('that are not sent again are kept', async () => {
    const given = keys();
    await world.call('PUT /connections/kept', maesn(given));
    await token('kept');
    const { status, body } = await world.call('PUT /connections/kept', { ...maesn({}), renewal: 'always' });
    expect({ status, ...body }).toMatchObject({
      status: 200,
      renewal: 'always',
      generation: 1,
      secrets: ['api_key', 'account_key'],
    });
    expect((await world.call('GET /token/kept')).body).toMatchObject({ access_token: given.account_key });
  });

  test('that nobody ever sent are missing, each by its name, and nothing is created', async () => {
    const before = await world.stored();
    const { status, body } = await world.call('PUT /connections/none', maesn({}));
    expect({ status, ...body }).toMatchObject({
      status: 400,
      faults: [{ path: 'settings.api_key' }, { path: 'settings.account_key' }],
    });
    expect(await world.stored()).toEqual(before);
  });

  test('are sealed again when their time has come', async () => {
    await world.call('PUT /connections/long', maesn(keys()));
    await token('long');
    world.later(30 * 86_400);
    expect((await token('long')).body).toMatchObject({ generation: 2 });
  });
});

describe('a token made from stored secrets (IXON)', () => {
  const ixon = (settings: object) => ({
    provider: 'ixon-user',
    settings: {
      token_endpoint: world.provider.tokenEndpoint,
      application_id: 'aB3dE6gH9jK2',
      email: 'jo@example.com',
      ...settings,
    },
  });
  const minted = () => ({
    status: 201,
    body: { data: { secretId: world.secret('secretId').padEnd(32, '0'), expiresOn: '2099-01-01T00:00:00Z' } },
  });
  const refused = () => ({
    status: 401,
    body: { status: 'error', data: [{ message: 'Invalid value', propertyName: 'Authorization' }] },
  });

  test('is served with the headers that IXON wants', async () => {
    world.provider.instead = minted;
    await world.call('PUT /connections/ixon', ixon({ password: world.secret('password') }));
    const { status, body } = await token('ixon');
    expect({ status, ...body }).toMatchObject({ status: 200, generation: 1 });
    expect(body.headers).toEqual({
      Authorization: `Bearer ${body.access_token}`,
      'Api-Version': '2',
      'Api-Application': 'aB3dE6gH9jK2',
    });
  });

  test('is served with the settings of the moment', async () => {
    const company_id = '1111-2222-3333-4444-5555';
    await world.call('PUT /connections/ixon', ixon({ company_id }));
    world.later(6);
    expect((await world.call('GET /token/ixon')).body).toMatchObject({
      generation: 1,
      headers: { 'Api-Company': company_id },
    });
  });

  test('of a wrong password is asked for once, until somebody corrects it', async () => {
    world.provider.instead = refused;
    await world.call('PUT /connections/wrong', ixon({ password: world.secret('password') }));
    expect(await token('wrong')).toMatchObject({
      status: 409,
      body: { code: 'misconfigured', cause: 'invalid_client' },
    });
    const calls = world.provider.calls.length;
    await token('wrong');
    expect(world.provider.calls).toHaveLength(calls);
    world.provider.instead = minted;
    await world.call('PUT /connections/wrong', ixon({ password: world.secret('password') }));
    expect((await token('wrong')).status).toBe(200);
  });

  test('of one user is not served for another, nor is a password used for one', async () => {
    world.provider.instead = minted;
    await world.call('PUT /connections/user', ixon({ password: world.secret('password') }));
    await token('user');
    const other = { email: 'al@example.com' };
    expect(await world.call('PUT /connections/user', ixon(other))).toMatchObject({
      status: 400,
      body: { faults: [{ path: 'settings.password' }] },
    });
    await world.call('PUT /connections/user', ixon({ ...other, password: world.secret('password') }));
    world.later(6);
    expect((await world.call('GET /token/user?wait=0')).status).toBe(503);
  });
});

test('where the provider tells, GET /token says which endpoint to call', async () => {
  const salesforce = {
    provider: 'salesforce',
    settings: { token_endpoint: world.provider.tokenEndpoint },
    refresh_token: world.secret('refresh'),
  };
  await world.call('PUT /connections/sf', {
    ...salesforce,
    client: { client_id: 'app', client_secret: world.secret('client') },
  });
  world.provider.instead = () => ({
    status: 200,
    body: { access_token: world.secret('access'), instance_url: 'https://acme.my.salesforce.com' },
  });
  expect(await token('sf')).toMatchObject({ status: 200, body: { endpoint: 'https://acme.my.salesforce.com/' } });
});

hunt(() => world);
