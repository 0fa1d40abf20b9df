import { afterEach, describe, expect, test } from 'vitest';
import { handlerWorld, hunt } from './world.ts';

const world = await handlerWorld();
afterEach(() => {
  world.provider.instead = undefined;
  world.stores.eventBridge.throttled = false;
});

const put = (connection: string, grant: object = { refresh_token: world.secret('refresh') }) =>
  world.call(`PUT /connections/${connection}`, {
    provider: 'generic-oauth2',
    settings: { token_endpoint: world.provider.tokenEndpoint },
    client: { client_id: 'app', client_secret: world.secret('client') },
    renewal: 'always',
    ...grant,
  });
const refuse = (error: string): void => {
  world.provider.instead = () => ({ status: 400, body: { error } });
};
/** What subscribers were told of a connection, in order. */
const told = (connection: string) =>
  world.stores
    .events()
    .flatMap(({ detail }) =>
      detail.connection === connection ? [[detail.change, ...(detail.cause ? [detail.cause] : [])].join(' ')] : [],
    );

describe('subscribers are told', () => {
  test('of a grant that was imported, once, however often somebody looks', async () => {
    await put('imported');
    for (let looks = 0; looks < 3; looks += 1) await world.refresh('imported');
    expect(told('imported')).toEqual(['authorized']);
  });

  test('of a grant that died, with its cause, and not of each attempt', async () => {
    await put('dead');
    await world.refresh('dead');
    refuse('invalid_grant');
    world.later(600);
    for (let looks = 0; looks < 3; looks += 1) await world.refresh('dead');
    expect(told('dead')).toEqual(['authorized', 'reauthorization_required invalid_grant']);
  });

  test('of another party that renews the same grant, with what points to it', async () => {
    await put('shared');
    await world.refresh('shared');
    const words = 'Refresh token already used.';
    world.provider.instead = () => ({ status: 400, body: { error: 'invalid_grant', error_description: words } });
    world.later(600);
    for (let looks = 0; looks < 3; looks += 1) await world.refresh('shared');
    expect(told('shared')).toEqual([
      'authorized',
      'reauthorization_required refresh_token_reused',
      'second_refresher_suspected',
    ]);
    expect(world.stores.events().at(-1)?.detail).toMatchObject({ signs: ['refresh_token_reused'] });
    expect((await world.call('GET /connections/shared')).body.second_refresher).toEqual({
      suspected: true,
      detail: expect.stringContaining('end that first'),
      signs: [{ sign: 'refresh_token_reused', last_at: expect.any(String), times: 1 }],
    });
    expect(world.counted('SecondRefresherSuspected')).toContain(1);
    world.later(7 * 86_400);
    expect((await world.call('GET /connections/shared')).body).not.toHaveProperty('second_refresher');
  });

  test('of a client that is refused, and of its mending', async () => {
    await put('mended');
    await world.refresh('mended');
    refuse('invalid_client');
    world.later(600);
    await world.refresh('mended');
    await world.refresh('mended');
    world.provider.instead = undefined;
    await put('mended', {});
    await world.refresh('mended');
    await world.refresh('mended');
    expect(told('mended')).toEqual(['authorized', 'misconfigured invalid_client', 'recovered', 'settings_changed']);
  });

  test('of settings that a PUT replaces, by name and without values, once, and of no PUT that changes nothing', async () => {
    await put('changing');
    await world.refresh('changing');
    await put('changing', {
      settings: { token_endpoint: world.provider.tokenEndpoint, scope: 'books' },
      margin_seconds: 20,
      client: { client_id: 'app' },
    });
    await put('changing', {
      settings: { token_endpoint: world.provider.tokenEndpoint, scope: 'books' },
      margin_seconds: 20,
      client: { client_id: 'app' },
    });
    for (let looks = 0; looks < 3; looks += 1) await world.refresh('changing');
    expect(told('changing')).toEqual(['authorized', 'settings_changed']);
    expect(world.stores.events().at(-1)?.detail).toMatchObject({ changed: ['margin_seconds', 'settings.scope'] });
    expect(world.logged('connection_put').at(-2)).toMatchObject({ changed: ['margin_seconds', 'settings.scope'] });
  });

  test('of a deletion, and whether its grant was revoked', async () => {
    const endpoint = world.provider.tokenEndpoint;
    await put('leaving', { refresh_token: world.secret('refresh') });
    await put('revocable', {
      settings: { token_endpoint: endpoint, revocation_endpoint: endpoint.replace('token', 'revoke') },
      refresh_token: world.secret('refresh'),
    });
    for (const name of ['leaving', 'revocable']) {
      await world.refresh(name);
      await world.call(`DELETE /connections/${name}`);
      await world.refresh(name);
      expect(told(name)).toEqual(['authorized', 'deleted']);
    }
    const last = world.stores
      .events()
      .slice(-3)
      .filter(({ detail }) => detail.change === 'deleted');
    expect(last.map(({ detail }) => [detail.connection, detail.revoked])).toEqual([
      ['leaving', false],
      ['revocable', true],
    ]);
  });

  test('of a deletion before the connection is forgotten', async () => {
    await put('untold');
    await world.refresh('untold');
    world.stores.eventBridge.throttled = true;
    await world.call('DELETE /connections/untold');
    await world.refresh('untold');
    expect((await world.call('GET /connections/untold')).body).toMatchObject({ state: 'deleting' });
    world.stores.eventBridge.throttled = false;
    world.later(60);
    await world.refresh('untold');
    expect(told('untold')).toEqual(['authorized', 'deleted']);
    expect((await world.call('GET /connections/untold')).status).toBe(404);
  });

  test('later, when they cannot be told now; tokens are renewed all the same', async () => {
    world.stores.eventBridge.throttled = true;
    await put('delayed');
    await world.refresh('delayed');
    expect((await world.call('GET /token/delayed')).status).toBe(200);
    expect(told('delayed')).toEqual([]);
    expect(world.logged('not_announced').at(-1)).toMatchObject({
      level: 'WARN',
      connection: 'delayed',
      change: 'authorized',
    });
    world.stores.eventBridge.throttled = false;
    await world.refresh('delayed');
    expect(told('delayed')).toEqual(['authorized']);
  });
});

hunt(() => world);
