/** What each operation asks of AWS, as the local endpoints see it: each call is money, and those in a row are time. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Item, writeUnits } from '../../bench/write-units.ts';
import { type LoopbackProxy, startProxy } from '../kill/proxy.ts';
import { handlerWorld } from './world.ts';

const world = await handlerWorld();
const seen: string[] = [];
/** The items as writes have left them, and what those cost. */
const items = new Map<string, Item>();
let units = 0;
const proxies: LoopbackProxy[] = [];
const watched: Record<string, string> = {};

beforeAll(async () => {
  for (const name of ['DYNAMODB', 'SECRETS_MANAGER', 'EVENTBRIDGE'] as const) {
    const variable = `AWS_ENDPOINT_URL_${name}` as const;
    const proxy = await startProxy(world.stores.environment[variable], async ({ headers, body, gone }, forward) => {
      const call = String(headers['x-amz-target']).split('.')[1] ?? '';
      const reply = await forward(gone);
      seen.push(reply.status === 200 ? call : `${call} refused`);
      if (reply.status === 200) count(call, JSON.parse(body), JSON.parse(reply.body.toString()));
      // By the clock that the handlers read: a client whose clock is wrong would try again.
      return { ...reply, headers: { ...reply.headers, date: new Date(Date.now()).toUTCString() } };
    });
    proxies.push(proxy);
    watched[variable] = proxy.url;
  }
});
afterAll(async () => {
  for (const proxy of proxies) await proxy.close();
});

function count(call: string, asked: { Item?: Item; Key?: Item }, { Attributes: left }: { Attributes?: Item }): void {
  const after = call === 'PutItem' ? asked.Item : left;
  const key = (asked.Key ?? asked.Item)?.connection?.S;
  if (after === undefined || key === undefined) return;
  units += writeUnits(items.get(key), after);
  items.set(key, after);
}

/** The calls that an operation makes, messages included, how often each. */
async function calls(operation: () => Promise<unknown>): Promise<Readonly<Record<string, number>>> {
  seen.length = 0;
  const messages = world.stores.messages().length;
  await operation();
  const sent = world.stores.messages().length - messages;
  const all = [...seen, ...Array.from({ length: sent }, () => 'SendMessage')];
  return Object.fromEntries([...new Set(all)].sort().map((call) => [call, all.filter((one) => one === call).length]));
}

const put = (connection: string, more: object = {}) =>
  world.call(`PUT /connections/${connection}`, {
    provider: 'generic-oauth2',
    settings: { token_endpoint: world.provider.tokenEndpoint },
    client: { client_id: 'app', client_secret: world.secret('client') },
    refresh_token: world.secret('refresh'),
    renewal: 'always',
    ...more,
  });

/** A connection that has been renewed so often, in environments that are warm. */
async function renewed(connection: string, times: number): Promise<void> {
  await put(connection);
  for (let n = 0; n < times; n += 1) {
    await world.refresh(connection);
    world.later(600);
  }
}

// Each loads the functions anew.
describe('the calls of', { timeout: 60_000 }, () => {
  test('a PUT of a new connection', () =>
    world.with(watched, async () =>
      expect(await calls(() => put('new'))).toEqual({ CreateSecret: 2, GetItem: 1, PutItem: 1, SendMessage: 1 }),
    ));

  test('a PUT that changes nothing, and of one that brings the client secret again', () =>
    world.with(watched, async () => {
      await put('again');
      const bare = { client: { client_id: 'app' }, refresh_token: undefined };
      expect(await calls(() => put('again', bare))).toEqual({ GetItem: 1 });
      expect(await calls(() => put('again', { refresh_token: undefined }))).toEqual({
        GetItem: 1,
        PutSecretValue: 1,
        SendMessage: 1,
        UpdateItem: 1,
      });
    }));

  test('the first renewal, which reads the sealing keys and tells subscribers', () =>
    world.with(watched, async () => {
      await put('first');
      expect(await calls(() => world.refresh('first'))).toEqual({
        // The item, and the breaker.
        GetItem: 2,
        // The client secret, the refresh token, and two keys.
        GetSecretValue: 4,
        PutEvents: 1,
        PutSecretValue: 1,
        SendMessage: 1,
        // The lease, the commit, and that subscribers were told.
        UpdateItem: 3,
      });
    }));

  test('an ordinary renewal, for six write units', () =>
    world.with(watched, async () => {
      // Both slots have their secret by then.
      await renewed('ordinary', 3);
      units = 0;
      expect(await calls(() => world.refresh('ordinary'))).toEqual({
        GetItem: 2,
        GetSecretValue: 2,
        PutSecretValue: 1,
        SendMessage: 1,
        UpdateItem: 2,
      });
      // The lease 2, since the item has more than 1 KB with it; the commit 2, and 2 for its entry in the index.
      expect(units).toBe(6);
    }));

  test('GETs: a cold one, one that marks use, and one from memory', () =>
    world.with(watched, async () => {
      await renewed('asked', 1);
      await world.refresh('asked');
      const get = () => world.call('GET /token/asked');
      expect(await calls(get)).toEqual({ GetItem: 1, GetSecretValue: 1, UpdateItem: 1 });
      expect(await calls(get)).toEqual({ GetItem: 1 });
      expect(await calls(get)).toEqual({});
    }));

  test('a DELETE and what follows it: slots that no generation has reached are left alone', () =>
    world.with(watched, async () => {
      await renewed('gone', 1);
      // A life this short has forty slots.
      world.provider.instead = () => ({
        status: 200,
        body: { access_token: 'a', refresh_token: world.secret('refresh'), token_type: 'Bearer', expires_in: 40 },
      });
      await world.refresh('gone');
      world.later(40);
      await world.refresh('gone');
      world.provider.instead = undefined;
      expect((await world.stores.items()).gone).toMatchObject({ slots: 40, generation: 3 });
      expect(await calls(() => world.call('DELETE /connections/gone'))).toEqual({ SendMessage: 1, UpdateItem: 1 });
      expect(await calls(() => world.refresh('gone'))).toEqual({
        DeleteItem: 1,
        // The client's, and slots 0 and 3; 1, 2 and 4 were passed over while the number of slots grew.
        DeleteSecret: 3,
        'DeleteSecret refused': 3,
        GetItem: 1,
        // The refresh token, which is revoked, and the client secret.
        GetSecretValue: 2,
        // The deletion is taken, and how the grant ended is noted.
        PutEvents: 1,
        UpdateItem: 2,
      });
    }));
});
