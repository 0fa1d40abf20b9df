import { DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { limits } from '../../shared/domain/limits.ts';
import { hunt, openWorld } from '../handlers/world.ts';

let world: Awaited<ReturnType<typeof openWorld>>;
let secrets: SecretsManagerClient;
beforeAll(async () => {
  world = await openWorld();
  secrets = new SecretsManagerClient({});
});
afterAll(async () => {
  secrets.destroy();
  await world.close();
});
afterEach(() => {
  world.provider.instead = undefined;
});

/** Connects, and gets a first token. */
async function connected(name: string, settings: object = { revocation_endpoint: world.provider.tokenEndpoint.replace('token', 'revoke') }): Promise<void> {
  await world.call(`PUT /connections/${name}`, {
    provider: 'generic-oauth2',
    settings: { token_endpoint: world.provider.tokenEndpoint, ...settings },
    client: { client_id: 'app', client_secret: world.secret('client') },
    refresh_token: world.secret('refresh'),
  });
  await world.call(`GET /token/${name}?wait=0`);
  await world.refresh(name);
  expect((await world.call(`GET /token/${name}`)).status).toBe(200);
  // As long as an environment may answer from memory.
  world.later(limits.memoryMs / 1_000);
}

const exists = async (name: string): Promise<boolean> => name in (await world.stores.items());
const revocations = () => world.provider.calls.filter(({ parameters }) => parameters.get('token_type_hint') === 'refresh_token');
const isRemoved = async (secret: string) => (await secrets.send(new DescribeSecretCommand({ SecretId: `token-broker/${secret}` }))).DeletedDate !== undefined;

describe('a connection that is deleted', () => {
  test('serves nothing and is renewed no more, at once', async () => {
    await connected('gone');
    const calls = world.provider.calls.length;
    expect((await world.call('DELETE /connections/gone')).status).toBe(204);
    expect(await world.call('GET /token/gone?wait=0')).toMatchObject({ status: 404, body: { code: 'connection_not_found' } });
    expect(await world.call('POST /token/gone/rejections?wait=0', { generation: 1 })).toMatchObject({ status: 404 });
    expect(await world.call('POST /connections/gone/authorizations')).toMatchObject({ status: 404 });
    expect((await world.call('GET /connections/gone')).body).toMatchObject({ state: 'deleting' });
    expect(world.provider.calls).toHaveLength(calls);
    expect(world.stores.messages().at(-1)).toMatchObject({ body: JSON.stringify({ connection: 'gone' }), delaySeconds: 0 });
  });

  test('has its newest refresh token revoked, then its secrets and its item removed', async () => {
    await connected('revoked');
    const before = revocations().length;
    await world.call('DELETE /connections/revoked');
    await world.refresh('revoked');
    expect(revocations().slice(before)).toHaveLength(1);
    const token = revocations().at(-1)?.parameters.get('token') ?? '';
    // The one that the first renewal brought, not the one that was imported.
    expect(JSON.stringify(world.stores.vault())).toContain(token);
    expect(world.provider.calls.filter(({ parameters }) => parameters.get('refresh_token') === token)).toEqual([]);
    expect(await exists('revoked')).toBe(false);
    expect(await isRemoved('revoked/client')).toBe(true);
    expect(await isRemoved('revoked/refresh-0')).toBe(true);
    expect(world.logged('connection_deleted').at(-1)).toMatchObject({ connection: 'revoked', revoked: true });
    expect((await world.call('DELETE /connections/revoked')).status).toBe(404);
  });

  test('whose provider has no revocation endpoint is removed all the same, and the log says so', async () => {
    await connected('unrevocable', {});
    await world.call('DELETE /connections/unrevocable');
    await world.refresh('unrevocable');
    expect(await exists('unrevocable')).toBe(false);
    expect(world.logged('connection_deleted').at(-1)).toMatchObject({ connection: 'unrevocable', revoked: false, code: 'no_revocation_endpoint' });
  });

  test('waits for a provider that cannot be told: for a day, every fifteen minutes, and no longer', async () => {
    await connected('unlucky');
    world.provider.instead = () => ({ status: 503, body: {} });
    await world.call('DELETE /connections/unlucky');
    const before = revocations().length;
    await world.refresh('unlucky');
    // Not sooner, however many messages there are.
    await world.refresh('unlucky');
    expect(revocations()).toHaveLength(before + 1);
    world.later(limits.backOffMaxMs / 1_000);
    await world.refresh('unlucky');
    expect(revocations()).toHaveLength(before + 2);
    expect(await exists('unlucky')).toBe(true);
    world.later(limits.revocationMs / 1_000);
    await world.refresh('unlucky');
    expect(await exists('unlucky')).toBe(false);
    expect(world.logged('connection_deleted').at(-1)).toMatchObject({ level: 'ERROR', revoked: false, code: 'http_503' });
  });

  test('is found by the planner if its message was lost', async () => {
    await connected('lost');
    await world.call('DELETE /connections/lost');
    const before = world.stores.messages().length;
    await world.plan();
    expect(
      world.stores
        .messages()
        .slice(before)
        .map(({ body }) => body),
    ).toContain(JSON.stringify({ connection: 'lost' }));
  });

  test('lets a renewal that is under way end: what it brings is what is revoked', async () => {
    await connected('busy');
    world.later(600);
    world.provider.instead = async () => {
      world.provider.instead = undefined;
      // While the provider thinks, somebody deletes the connection, and the message of that is delivered.
      await world.call('DELETE /connections/busy');
      await world.refresh('busy');
      expect(await exists('busy')).toBe(true);
      return { status: 200, body: { access_token: world.secret('access'), refresh_token: world.known('the-newest-refresh-token'), expires_in: 600 } };
    };
    await world.refresh('busy');
    world.later(limits.leaseMs / 1_000);
    await world.refresh('busy');
    expect(revocations().at(-1)?.parameters.get('token')).toBe('the-newest-refresh-token');
    expect(await exists('busy')).toBe(false);
  });

  test('can be put again when it is gone, and not before', async () => {
    await connected('phoenix');
    await world.call('DELETE /connections/phoenix');
    const request = {
      provider: 'generic-oauth2',
      settings: { token_endpoint: world.provider.tokenEndpoint },
      client: { client_id: 'app', client_secret: world.secret('client') },
      refresh_token: world.secret('refresh'),
    };
    const { event } = (await import('../handlers/request.ts')).routed('PUT /connections/phoenix', request);
    const { handler } = await import('../../lambdas/connections.ts');
    expect(await handler(event)).toMatchObject({ statusCode: 409, body: expect.stringContaining('is being deleted') });
    await world.refresh('phoenix');
    expect((await world.call('PUT /connections/phoenix', request)).status).toBe(201);
    await world.call('GET /token/phoenix?wait=0');
    await world.refresh('phoenix');
    expect((await world.call('GET /token/phoenix')).status).toBe(200);
  });
});

test('there is nothing to delete where there is no connection', async () => {
  expect(await world.call('DELETE /connections/nowhere')).toMatchObject({ status: 404, body: { code: 'connection_not_found' } });
  expect(Object.keys(await world.stores.items())).not.toContain('nowhere');
});

hunt(() => world);
