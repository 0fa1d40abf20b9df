import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dynamoDbGrantClaims } from '../../shared/adapters/aws/dynamodb-grant-claims.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import type { GrantClaim, GrantClaims } from '../../shared/ports/grant-claims.ts';
import { memoryGrantClaims } from '../memory/memory-grant-claims.ts';
import { losingReplies, losingRepliesOf } from './lost-replies.ts';
import { dynamoDbWorld, newConnection, now } from './worlds.ts';

const worlds: readonly (readonly [string, () => Promise<{ claims: GrantClaims; close: () => Promise<void> }>])[] = [
  ['memory', async () => ({ claims: memoryGrantClaims(), close: async () => undefined })],
  [
    'memory, the first reply to each write lost',
    async () => ({
      claims: losingRepliesOf(memoryGrantClaims(), ['claim', 'giveBack']),
      close: async () => undefined,
    }),
  ],
  [
    'DynamoDB',
    async () => {
      const { client, close } = await dynamoDbWorld();
      return { claims: dynamoDbGrantClaims(client, 'connections'), close };
    },
  ],
  [
    'DynamoDB, the first reply to each write lost',
    async () => {
      const { client, close } = await dynamoDbWorld();
      return { claims: dynamoDbGrantClaims(losingReplies(client), 'connections'), close };
    },
  ],
];

describe.each(worlds)('claims of grants in %s', (_, open) => {
  let world: Awaited<ReturnType<typeof open>>;
  beforeAll(async () => {
    world = await open();
  });
  afterAll(() => world.close());

  let keys = 0;
  const newKey = () => `#grant#exact-online#${++keys}` as const;
  const claimOf = (holder: string, claimId: string): GrantClaim => ({
    holder: holder as ConnectionName,
    claimId,
    claimedAt: now,
  });
  const [mine, yours] = [claimOf('mine', '1'), claimOf('yours', '2')];

  test('of what nobody claimed there are none', async () => {
    expect(await world.claims.read(newKey())).toBeUndefined();
  });

  test('are read as they were written', async () => {
    const key = newKey();
    expect(await world.claims.claim(key, mine, undefined)).toBe(true);
    expect(await world.claims.read(key)).toStrictEqual(mine);
  });

  test('of two who saw none, one claims', async () => {
    const key = newKey();
    const claimed = await Promise.all([
      world.claims.claim(key, mine, undefined),
      world.claims.claim(key, yours, undefined),
    ]);
    expect(claimed.toSorted()).toEqual([false, true]);
    expect(await world.claims.read(key)).toEqual(claimed[0] ? mine : yours);
  });

  test('are taken over only by those who saw the one that is there', async () => {
    const key = newKey();
    await world.claims.claim(key, mine, undefined);
    const renewed = claimOf('mine', '3');
    expect(await world.claims.claim(key, renewed, mine)).toBe(true);
    expect(await world.claims.claim(key, yours, mine)).toBe(false);
    expect(await world.claims.claim(key, yours, undefined)).toBe(false);
    expect(await world.claims.read(key)).toEqual(renewed);
    expect(await world.claims.claim(key, yours, renewed)).toBe(true);
    expect(await world.claims.read(key)).toEqual(yours);
  });

  test('made by an earlier try whose reply was lost are made', async () => {
    const key = newKey();
    await world.claims.claim(key, mine, undefined);
    expect(await world.claims.claim(key, mine, undefined)).toBe(true);
  });

  test('are given back once, and only the very one', async () => {
    const key = newKey();
    await world.claims.claim(key, mine, undefined);
    await world.claims.giveBack(key, yours);
    expect(await world.claims.read(key)).toEqual(mine);
    await world.claims.giveBack(key, mine);
    await world.claims.giveBack(key, mine);
    expect(await world.claims.read(key)).toBeUndefined();
    expect(await world.claims.claim(key, yours, mine)).toBe(false);
    expect(await world.claims.claim(key, yours, undefined)).toBe(true);
  });
});

test('a claim lies in the table of the connections, and is on no page of them', async () => {
  const { store, client, close } = await dynamoDbWorld();
  try {
    const item = newConnection();
    await store.create(item);
    await dynamoDbGrantClaims(client, 'connections').claim(
      '#grant#exact-online#1',
      { holder: item.connection, claimId: '1', claimedAt: now },
      undefined,
    );
    expect(await store.list(10)).toEqual({ items: [item] });
  } finally {
    await close();
  }
});
