import { DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { composeConnections } from '../../shared/compose.ts';
import type { Connection } from '../../shared/domain/connection.ts';
import { replaceGrant } from '../../shared/domain/grant-writes.ts';
import type { GrantId } from '../../shared/domain/ids.ts';
import { limits } from '../../shared/domain/limits.ts';
import { Secret } from '../../shared/domain/secret.ts';
import { plus } from '../../shared/domain/time.ts';
import { firstPlace } from '../plain.ts';
import { hunt, openWorld } from './world.ts';

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
  world.stores.secretsManager.down = false;
});

const put = (
  name: string,
  settings: object = { revocation_endpoint: world.provider.tokenEndpoint.replace('token', 'revoke') },
) =>
  world.call(`PUT /connections/${name}`, {
    provider: 'generic-oauth2',
    settings: { token_endpoint: world.provider.tokenEndpoint, ...settings },
    client: { client_id: 'app', client_secret: world.secret('client') },
    refresh_token: world.secret('refresh'),
  });

/** Connects, and gets a first token. */
async function connected(name: string, ...settings: [object?]): Promise<void> {
  await put(name, ...settings);
  await world.call(`GET /token/${name}?wait=0`);
  await world.refresh(name);
  expect((await world.call(`GET /token/${name}`)).status).toBe(200);
  // As long as an environment may answer from memory.
  world.later(limits.memoryMs / 1_000);
}

/** What a PUT does last that has seen the connection before it was deleted. */
async function replaced(name: string, item: Connection | undefined, refreshToken: string): Promise<void> {
  if (item === undefined) throw new Error(`there is no ${name}`);
  const { store, refreshTokens, providers } = composeConnections()();
  const { destinations } = providers.of(item.config);
  const id = '22222222-0000-4000-8000' as GrantId;
  const grant = { id, place: firstPlace(id) };
  const { slot, versionId } = grant.place;
  await refreshTokens.storeRefreshToken(item.connection, slot, versionId, new Secret(refreshToken), destinations);
  expect(
    (await store.apply(item.connection, replaceGrant(item, item.config, plus(item.configuredAt, 1), grant))).applied,
  ).toBe(true);
}

const exists = async (name: string): Promise<boolean> => name in (await world.stores.items());
const revocations = () =>
  world.provider.calls.filter(({ parameters }) => parameters.get('token_type_hint') === 'refresh_token');
/** Acts while the provider thinks about a revocation; then it answers. */
const whileRevoking = (act: () => Promise<void>): void => {
  world.provider.instead = async () => {
    world.provider.instead = undefined;
    await act();
    return { status: 200, body: {} };
  };
};
const isRemoved = async (secret: string) =>
  (await secrets.send(new DescribeSecretCommand({ SecretId: `token-broker/${secret}` }))).DeletedDate !== undefined;

describe('the reply to a deletion', () => {
  test('is empty where the grant will be revoked', async () => {
    await connected('revocable');
    expect(await world.call('DELETE /connections/revocable')).toMatchObject({ status: 204, body: {} });
  });

  test.each<[what: string, put: object, code: string, words: RegExp]>([
    [
      'no revocation endpoint is known',
      {},
      'no_revocation_endpoint',
      /No revocation endpoint of OAuth 2\.0 .*is known.*End it/,
    ],
    [
      'a revocation would end other grants, too',
      { provider: 'xero', settings: {} },
      'revocation_ends_other_grants',
      /Xero would end every grant.*End it at the provider/,
    ],
    ['there is nothing to revoke', { refresh_token: undefined }, 'no_refresh_token', /there is none to revoke/],
  ])('says that the grant is not revoked, and why, where %s', async (_what, more, code, words) => {
    const name = code.replaceAll('_', '-');
    const request = {
      provider: 'generic-oauth2',
      settings: { token_endpoint: world.provider.tokenEndpoint },
      client: { client_id: 'app', client_secret: world.secret('client') },
      refresh_token: world.secret('refresh'),
      ...more,
    };
    expect((await world.call(`PUT /connections/${name}`, request)).status).toBe(201);
    const { status, body } = await world.call(`DELETE /connections/${name}`);
    expect({ status, body }).toEqual({
      status: 200,
      body: { connection: name, revoked: false, code, detail: expect.stringMatching(words) },
    });
    // Asked again, it is told again, until the connection is gone.
    expect((await world.call(`DELETE /connections/${name}`)).body).toEqual(body);
    await world.refresh(name);
    expect(world.logged('connection_deleted').at(-1)).toMatchObject({ connection: name, revoked: false, code });
    expect((await world.call(`DELETE /connections/${name}`)).status).toBe(404);
  });
});

describe('a connection that is deleted', () => {
  test('serves nothing and is renewed no more, at once', async () => {
    await connected('gone');
    const calls = world.provider.calls.length;
    expect((await world.call('DELETE /connections/gone')).status).toBe(204);
    expect(await world.call('GET /token/gone?wait=0')).toMatchObject({
      status: 404,
      body: { code: 'connection_not_found' },
    });
    expect(await world.call('POST /token/gone/rejections?wait=0', { generation: 1 })).toMatchObject({ status: 404 });
    expect(await world.call('POST /connections/gone/authorizations')).toMatchObject({ status: 404 });
    expect((await world.call('GET /connections/gone')).body).toMatchObject({ state: 'deleting' });
    expect(world.provider.calls).toHaveLength(calls);
    expect(world.stores.messages().at(-1)).toMatchObject({
      body: JSON.stringify({ connection: 'gone' }),
      delaySeconds: 0,
    });
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

  describe('whose client has two secrets, of which the first is refused', () => {
    /** Deletes it at a provider that takes only this secret of both, and returns with which ones it was called. */
    async function deletedWith(name: string, good: 'first' | 'second' | 'neither', answersAfterSeconds = 0) {
      const secrets = { first: world.secret('client'), second: world.secret('client') };
      await connected(name);
      const client = { client_id: 'app', client_secret: [secrets.first, secrets.second] };
      const settings = {
        token_endpoint: world.provider.tokenEndpoint,
        revocation_endpoint: world.provider.tokenEndpoint.replace('token', 'revoke'),
      };
      const { status } = await world.call(`PUT /connections/${name}`, { provider: 'generic-oauth2', settings, client });
      expect(status).toBe(200);
      const called = (authorization: string) =>
        (['first', 'second'] as const).find(
          (which) => authorization === `Basic ${Buffer.from(`app:${secrets[which]}`).toString('base64')}`,
        );
      world.provider.instead = ({ authorization }) => {
        if (called(authorization) === good) return { status: 200, body: {} };
        world.later(answersAfterSeconds);
        return { status: 401, body: { error: 'invalid_client' } };
      };
      await world.call(`DELETE /connections/${name}`);
      const before = revocations().length;
      await world.refresh(name);
      return revocations()
        .slice(before)
        .map(({ authorization }) => called(authorization));
    }

    test('is revoked with the other one, at once, and the log says which one works', async () => {
      expect(await deletedWith('rotated', 'second')).toEqual(['first', 'second']);
      expect(world.logged('connection_deleted').at(-1)).toMatchObject({ connection: 'rotated', revoked: true });
      expect(world.logged('client_secret_refused').at(-1)).toMatchObject({
        connection: 'rotated',
        nowInUse: 'second',
      });
      expect(await exists('rotated')).toBe(false);
    });

    test('sends one alone where that is taken', async () => {
      expect(await deletedWith('unrotated', 'first')).toEqual(['first']);
      expect(world.logged('connection_deleted').at(-1)).toMatchObject({ connection: 'unrotated', revoked: true });
    });

    test('sends each once where both are refused, and says so', async () => {
      expect(await deletedWith('unknown', 'neither')).toEqual(['first', 'second']);
      expect(world.logged('connection_deleted').at(-1)).toMatchObject({
        connection: 'unknown',
        revoked: false,
        code: 'http_401',
      });
    });

    test('is tried again later, where no time is left for a whole call', async () => {
      expect(await deletedWith('slow', 'second', 19)).toEqual(['first']);
      expect(await exists('slow')).toBe(true);
      expect(world.logged('revocation_failed').at(-1)).toMatchObject({ connection: 'slow', code: 'http_401' });
    });
  });

  test('whose provider has no revocation endpoint is removed all the same, and the log says so', async () => {
    await connected('unrevocable', {});
    await world.call('DELETE /connections/unrevocable');
    await world.refresh('unrevocable');
    expect(await exists('unrevocable')).toBe(false);
    expect(world.logged('connection_deleted').at(-1)).toMatchObject({
      connection: 'unrevocable',
      revoked: false,
      code: 'no_revocation_endpoint',
    });
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
    expect(world.logged('connection_deleted').at(-1)).toMatchObject({
      level: 'ERROR',
      revoked: false,
      code: 'http_503',
    });
  });

  test('is deleted by one at a time: what comes meanwhile leaves it alone, and it cannot be put again before it is gone', async () => {
    await connected('alone');
    await world.call('DELETE /connections/alone');
    const before = revocations().length;
    let again: number | undefined;
    whileRevoking(async () => {
      // The planner's message, and another DELETE with its own.
      await world.refresh('alone');
      expect((await world.call('DELETE /connections/alone')).status).toBe(204);
      await world.refresh('alone');
      again = (await put('alone')).status;
    });
    await world.refresh('alone');
    expect(again).toBe(409);
    expect(revocations()).toHaveLength(before + 1);
    expect(await exists('alone')).toBe(false);
    expect((await put('alone')).status).toBe(201);
  });

  test('leaves no secret behind, though it used more of them for a while', async () => {
    await connected('shrunk');
    const shortLived = () => ({
      access_token: world.secret('access'),
      refresh_token: world.secret('refresh'),
      expires_in: 60,
    });
    for (const instead of [shortLived, shortLived, shortLived, undefined]) {
      world.provider.instead = instead && (() => ({ status: 200, body: instead() }));
      world.later(600);
      await world.call('GET /token/shrunk?wait=0');
      await world.refresh('shrunk');
    }
    const names = [...new Set(world.stores.vault().map((version) => String((version as { name: string }).name)))];
    const mine = names.flatMap((name) =>
      name.startsWith('token-broker/shrunk/') ? [name.replace('token-broker/', '')] : [],
    );
    // The fourth slot and the fifth, at a time when there were two.
    expect(mine).toEqual(expect.arrayContaining(['shrunk/client', 'shrunk/refresh-3', 'shrunk/refresh-4']));
    expect((await world.stores.items()).shrunk).toMatchObject({ slots: expect.any(Number) });
    await world.call('DELETE /connections/shrunk');
    await world.refresh('shrunk');
    for (const secret of mine) expect(await isRemoved(secret), secret).toBe(true);
  });

  test('is left alone by one who was held up, once another has removed it and it was put again', async () => {
    await connected('again');
    await world.call('DELETE /connections/again');
    whileRevoking(async () => {
      world.later(limits.deletionLeaseMs / 1_000);
      await world.refresh('again');
      expect((await put('again')).status).toBe(201);
    });
    await world.refresh('again');
    expect(await exists('again')).toBe(true);
    expect(await isRemoved('again/client')).toBe(false);
    expect(await isRemoved('again/refresh-0')).toBe(false);
    await world.call('GET /token/again?wait=0');
    await world.refresh('again');
    expect((await world.call('GET /token/again')).status).toBe(200);
    expect(world.logged('connection_deleted').filter(({ connection }) => connection === 'again')).toHaveLength(1);
  });

  test('waits for a store that is out of reach, which is no failure of the message, and tells its provider once', async () => {
    await connected('outage');
    await world.call('DELETE /connections/outage');
    const before = revocations().length;
    whileRevoking(async () => {
      world.stores.secretsManager.down = true;
    });
    await world.refresh('outage');
    expect(world.logged('deletion_postponed').at(-1)).toMatchObject({
      level: 'WARN',
      connection: 'outage',
      store: 'secrets',
    });
    expect((await world.stores.items()).outage).toMatchObject({ deletion: { ended: { kind: 'revoked' } } });
    world.stores.secretsManager.down = false;
    await world.refresh('outage');
    expect(await exists('outage')).toBe(true);
    world.later(limits.deletionRetryMs / 1_000);
    await world.refresh('outage');
    expect(revocations()).toHaveLength(before + 1);
    expect(await exists('outage')).toBe(false);
    expect(world.logged('connection_deleted').at(-1)).toMatchObject({ connection: 'outage', revoked: true });
  });

  test('is not revoked before what it takes can be read, and is not waited for longer than a day', async () => {
    await connected('unreadable');
    await world.call('DELETE /connections/unreadable');
    const before = revocations().length;
    world.stores.secretsManager.down = true;
    await world.refresh('unreadable');
    expect(world.logged('deletion_postponed').at(-1)).toMatchObject({ connection: 'unreadable', store: 'secrets' });
    world.later(limits.revocationMs / 1_000);
    await world.refresh('unreadable');
    expect((await world.stores.items()).unreadable).toMatchObject({
      deletion: { ended: { kind: 'failed', code: 'store_unavailable' } },
    });
    world.stores.secretsManager.down = false;
    world.later(limits.deletionRetryMs / 1_000);
    await world.refresh('unreadable');
    expect(revocations()).toHaveLength(before);
    expect(await exists('unreadable')).toBe(false);
    expect(world.logged('connection_deleted').at(-1)).toMatchObject({
      level: 'ERROR',
      connection: 'unreadable',
      revoked: false,
    });
  });

  test('has the grant of a PUT revoked as well that was under way', async () => {
    await connected('overtaken');
    await world.call('DELETE /connections/overtaken');
    const [item, imported] = [(await world.stores.items()).overtaken, world.known('imported-meanwhile-by-a-put')];
    const before = revocations().length;
    whileRevoking(() => replaced('overtaken', item, imported));
    await world.refresh('overtaken');
    expect(await exists('overtaken')).toBe(true);
    await world.refresh('overtaken');
    expect(
      revocations()
        .slice(before)
        .map(({ parameters }) => parameters.get('token') === imported),
    ).toEqual([false, true]);
    expect(await exists('overtaken')).toBe(false);
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
      // While the provider thinks, an operator deletes the connection, and the message of that is delivered.
      await world.call('DELETE /connections/busy');
      await world.refresh('busy');
      expect(await exists('busy')).toBe(true);
      return {
        status: 200,
        body: {
          access_token: world.secret('access'),
          refresh_token: world.known('the-newest-refresh-token'),
          expires_in: 600,
        },
      };
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
    const { event } = (await import('./request.ts')).routed('PUT /connections/phoenix', request);
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
  expect(await world.call('DELETE /connections/nowhere')).toMatchObject({
    status: 404,
    body: { code: 'connection_not_found' },
  });
  expect(Object.keys(await world.stores.items())).not.toContain('nowhere');
});

hunt(() => world);
