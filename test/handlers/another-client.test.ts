/**
 * A grant that is dead, and a client that is replaced: there is nothing left to lose, and nothing of the old may reach
 * the new.
 */
import { describe, expect, test } from 'vitest';
import { limits } from '../../shared/domain/limits.ts';
import { handlerWorld, hunt } from './world.ts';

const world = await handlerWorld();

const client = (client_id: string) => ({ client_id, client_secret: world.secret('client') });
const request = (client_id: string, more: object = {}) => ({
  provider: 'generic-oauth2',
  settings: {
    token_endpoint: world.provider.tokenEndpoint,
    authorization_endpoint: 'https://id.example.com/authorize',
  },
  client: client(client_id),
  ...more,
});
const put = (name: string, body: object) => world.call(`PUT /connections/${name}`, body);
const itemOf = async (name: string) => (await world.stores.items())[name] ?? expect.fail(`there is no item ${name}`);

/** A connection whose grant is dead while its access token would have time left. */
async function dead(name: string): Promise<void> {
  await put(name, request('old', { refresh_token: world.secret('refresh') }));
  await world.call(`GET /token/${name}?wait=0`);
  await world.refresh(name);
  expect((await world.call(`GET /token/${name}`)).status).toBe(200);
  await world.call(`POST /token/${name}/rejections?wait=0`, { generation: 1 });
  world.provider.instead = () => ({
    status: 400,
    body: { error: 'invalid_grant', error_description: 'Revoked by the user.' },
  });
  world.later(limits.askedMs / 1_000 + 30);
  await world.refresh(name);
  world.later(limits.refreshTimeoutMs / 1_000);
  await world.refresh(name);
  world.provider.instead = undefined;
  expect((await world.call(`GET /connections/${name}`)).body).toMatchObject({
    state: 'reauthorization_required',
    cause: 'invalid_grant',
  });
}

/** Has a person log in, as far as the broker sees it. */
async function loggedIn(name: string) {
  const state = (await world.begin(await world.link(name))).searchParams.get('state') ?? '';
  return world.open(name, new URLSearchParams({ state, code: world.secret('code') }));
}

describe('a dead connection', () => {
  test('takes another client, and forgets all of the old one', async () => {
    await dead('given');
    const before = await itemOf('given');
    const { status, body } = await put('given', request('new'));
    expect({ status, ...body }).toMatchObject({
      status: 200,
      state: 'reauthorization_required',
      cause: 'not_authorized_yet',
      client: { client_id: 'new', client_secret: '[redacted]' },
    });
    for (const gone of ['last_failure', 'expires_at', 'not_before', 'grant_ends_at'])
      expect(body).not.toHaveProperty(gone);
    const after = await itemOf('given');
    expect(after.grant.id).not.toBe(before.grant.id);
    expect(after.attempts).toEqual({});
    for (const gone of ['refreshToken', 'spare', 'suspect', 'tokens', 'lease'] as const)
      expect(after).not.toHaveProperty(gone);
    expect(after.grant).not.toHaveProperty('importDigest');
    // No subscriber is told that it is authorized, and no client is served the old client's token.
    expect(after.announcement?.change).not.toBe('authorized');
    world.later(limits.memoryMs / 1_000 + 1);
    expect(await world.call('GET /token/given?wait=0')).toMatchObject({
      status: 409,
      body: { code: 'reauthorization_required', cause: 'not_authorized_yet' },
    });
    const calls = world.provider.calls.length;
    await world.refresh('given');
    expect(world.provider.calls).toHaveLength(calls);
  });

  test('is then logged in with it', async () => {
    await dead('revived');
    await put('revived', request('new'));
    expect(await loggedIn('revived')).toMatchObject({ status: 200, title: 'Connected' });
    expect(world.provider.calls.at(-1)?.authorization).toMatch(/^Basic bmV3/);
    expect((await world.call('GET /connections/revived')).body).toMatchObject({ state: 'active', generation: 2 });
    expect((await world.call('GET /token/revived')).status).toBe(200);
  });

  test('takes another revocation endpoint, which gets nothing of what there was', async () => {
    await dead('revocable');
    const { settings, ...rest } = request('old');
    expect(
      (
        await put('revocable', {
          ...rest,
          settings: { ...settings, revocation_endpoint: `${world.provider.tokenEndpoint}-other` },
        })
      ).status,
    ).toBe(200);
    const calls = world.provider.calls.length;
    await world.call('DELETE /connections/revocable');
    await world.refresh('revocable');
    expect(world.provider.calls).toHaveLength(calls);
  });

  test('keeps its pointer, and what is known of it, with the client that it has', async () => {
    await dead('same');
    const { grant, refreshToken } = await itemOf('same');
    const { status, body } = await put('same', request('old', { client: { client_id: 'old' }, margin_seconds: 60 }));
    expect({ status, ...body }).toMatchObject({
      status: 200,
      state: 'reauthorization_required',
      cause: 'invalid_grant',
    });
    expect(await itemOf('same')).toMatchObject({ grant, refreshToken });
  });

  test('takes another client with its secret only', async () => {
    await dead('secretless');
    const before = await world.stored();
    const answer = await put('secretless', request('new', { client: { client_id: 'new' } }));
    expect(answer).toMatchObject({ status: 400, body: { faults: [{ path: 'client.client_secret' }] } });
    expect((answer.body.faults as unknown[]).length).toBe(1);
    expect(await world.stored()).toEqual(before);
  });

  test('is not connected by a login that began with the old client', async () => {
    await dead('late');
    const state = (await world.begin(await world.link('late'))).searchParams.get('state') ?? '';
    await put('late', request('new'));
    const calls = world.provider.calls.length;
    expect(await world.open('late', new URLSearchParams({ state, code: world.secret('code') }))).toMatchObject({
      status: 410,
    });
    expect(world.provider.calls).toHaveLength(calls);
  });
});

test('a connection that was never authorized takes another client too', async () => {
  await put('waiting', request('old'));
  const { grant } = await itemOf('waiting');
  expect(await put('waiting', request('new'))).toMatchObject({
    status: 200,
    body: { state: 'reauthorization_required', cause: 'not_authorized_yet' },
  });
  expect((await itemOf('waiting')).grant.id).not.toBe(grant.id);
  expect(await loggedIn('waiting')).toMatchObject({ title: 'Connected' });
});

hunt(() => world);
