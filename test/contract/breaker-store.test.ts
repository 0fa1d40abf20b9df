import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dynamoDbBreakers } from '../../shared/adapters/aws/dynamodb-breakers.ts';
import type { Breaker } from '../../shared/domain/breaker.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import type { BreakerStore } from '../../shared/ports/breakers.ts';
import { Unavailable } from '../../shared/ports/errors.ts';
import { memoryBreakers } from '../memory/memory-breakers.ts';
import { losingReplies, losingRepliesOf } from './lost-replies.ts';
import { at, dynamoDbWorld, localClient } from './worlds.ts';

const application = 'exact-online https://start.exactonline.nl/api/oauth2/token client';
const first: Breaker = { application, version: 1, unanswered: { 'exact-nl': at(0) } };
const open: Breaker = {
  ...first,
  version: 2,
  open: { reason: 'unanswered', until: at(5_000), probes: 0, prober: 'exact-nl' as ConnectionName, probing: true },
};

interface World {
  readonly store: BreakerStore;
  readonly listed: () => Promise<number>;
  readonly close: () => Promise<void>;
}

const memoryWorld = async (): Promise<World> => ({
  store: memoryBreakers(),
  listed: async () => 0,
  close: async () => undefined,
});

async function tableWorld(): Promise<World & { readonly client: DynamoDBClient }> {
  const { client, store, close } = await dynamoDbWorld();
  const listed = async () => (await store.list(10)).items.length;
  return { store: dynamoDbBreakers(client, 'connections'), listed, client, close };
}

const worlds: readonly (readonly [string, () => Promise<World>])[] = [
  ['memory', memoryWorld],
  [
    'memory, the first reply to each write lost',
    async () => ({ ...(await memoryWorld()), store: losingRepliesOf(memoryBreakers(), ['replace']) }),
  ],
  ['DynamoDB', tableWorld],
  [
    'DynamoDB, the first reply to each write lost',
    async () => {
      const world = await tableWorld();
      losingReplies(world.client);
      return world;
    },
  ],
];

describe.each(worlds)('breakers in %s', (_, start) => {
  let world: Awaited<ReturnType<typeof start>>;
  beforeAll(async () => {
    world = await start();
  });
  afterAll(() => world.close());

  test('there is none until one is written, and then it is read as it was written', async () => {
    expect(await world.store.read(application)).toBeUndefined();
    expect(await world.store.replace(first)).toBe(true);
    expect(await world.store.read(application)).toMatchObject(first);
  });

  test('of two that have seen the same version, one is written', async () => {
    expect(await Promise.all([world.store.replace(open), world.store.replace({ ...first, version: 2 })])).toEqual([
      true,
      false,
    ]);
    expect(await world.store.read(application)).toMatchObject(open);
  });

  test('one that has seen no breaker does not replace one', async () => {
    expect(await world.store.replace(first)).toBe(false);
  });

  test('what is left out is gone', async () => {
    expect(await world.store.replace({ application, version: 3, unanswered: {} })).toBe(true);
    expect(await world.store.read(application)).not.toHaveProperty('open');
  });

  test('an application may have the longest endpoint and client id that a connection can have', async () => {
    const longest = `generic-oauth2 https://id.example.com/${'e'.repeat(2_025)} ${'c'.repeat(1_024)}`;
    const written: Breaker = { application: longest, version: 1, unanswered: {} };
    expect(await world.store.replace(written)).toBe(true);
    expect(await world.store.read(longest)).toMatchObject(written);
    expect(await world.store.read(`${longest}c`)).toBeUndefined();
  });

  test('applications do not share one, and none is a connection', async () => {
    expect(await world.store.read('another')).toBeUndefined();
    expect(await world.listed()).toBe(0);
  });
});

test('a table that cannot be reached is Unavailable', async () => {
  const breakers = dynamoDbBreakers(new DynamoDBClient(localClient('http://127.0.0.1:9')), 'connections');
  await expect(breakers.read(application)).rejects.toThrow(Unavailable);
  await expect(breakers.replace(first)).rejects.toThrow(Unavailable);
});
