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
    expect(told('mended')).toEqual(['authorized', 'misconfigured invalid_client', 'recovered']);
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
