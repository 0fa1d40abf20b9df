import { describe, expect, test } from 'vitest';
import { commitFailure, commitSuccess, keepSpare } from '../../shared/domain/commit-writes.ts';
import type { Connection } from '../../shared/domain/connection.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import { replaceConfig, replaceGrant } from '../../shared/domain/grant-writes.ts';
import type { Fence } from '../../shared/domain/ids.ts';
import { markSent, release, renewLease } from '../../shared/domain/lease-writes.ts';
import { arm, promiseWake, rest } from '../../shared/domain/schedule-writes.ts';
import type { EpochMs } from '../../shared/domain/time.ts';
import { ask, touch } from '../../shared/domain/use-writes.ts';
import { sameGrant, type Write } from '../../shared/domain/writes.ts';
import { taking } from '../holding.ts';
import { inSecret } from '../plain.ts';
import {
  at,
  commitOf,
  failureOf,
  holderOf,
  leaseEnd,
  newConnection,
  now,
  otherGrantId,
  seenOf,
  storeUnder,
  storeWorlds,
} from './worlds.ts';

describe.each(storeWorlds)('the connection store in %s', (_world, open) => {
  const { store, created, applies, refuses, held } = storeUnder(open);

  describe('create, read, remove', () => {
    test('an item is read as it was written, without undefined attributes', async () => {
      const item = await created({
        lastUsed: at(1),
        failure: { class: 'in_doubt', code: 'time_out', at: now, count: 2, fence: 1 },
      });
      expect(await store().read(item.connection)).toStrictEqual(item);
    });

    test('nothing is read of a connection that does not exist', async () => {
      expect(await store().read('nobody' as ConnectionName)).toBeUndefined();
    });

    test('a second item of the same name is refused; the same one again is not, since its reply may have been lost', async () => {
      const item = await created();
      expect(await store().create({ ...item, grant: { ...item.grant, id: otherGrantId } })).toBe(false);
      expect(await store().create(item)).toBe(true);
      expect(await store().read(item.connection)).toEqual(item);
    });

    test('what a caller does to an item it was given reaches nobody else', async () => {
      const item = await created();
      const mine = (await store().read(item.connection)) as unknown as {
        state: string;
        attempts: Record<string, unknown>;
      };
      mine.state = 'misconfigured';
      mine.attempts[9] = {};
      expect(await store().read(item.connection)).toEqual(item);
    });

    test('removing twice is removing once, whatever was to hold of it', async () => {
      const item = await created();
      expect(await store().remove(item.connection, [sameGrant(item)])).toBe(true);
      expect(await store().remove(item.connection, [sameGrant(item)])).toBe(true);
      expect(await store().read(item.connection)).toBeUndefined();
    });

    test.each<Partial<Connection>>([{ grant: { id: otherGrantId, at: now } }, { committedFence: 7 as Fence }])(
      'what is there as %o is not removed by who saw something else',
      async (seen) => {
        const item = await created();
        const { grant, committedFence } = { ...item, ...seen };
        const asItWasSeen = [
          { path: 'grant.id', equals: grant.id },
          { path: 'committedFence', equals: committedFence },
        ] as const;
        expect(await store().remove(item.connection, asItWasSeen)).toBe(false);
        expect(await store().read(item.connection)).toEqual(item);
      },
    );
  });

  test('no write brings back a connection that was deleted, nor makes one', async () => {
    const { item } = await held();
    await store().remove(item.connection, []);
    const writes = [
      taking(seenOf(item), 'me', leaseEnd, leaseEnd),
      renewLease(holderOf(item, item.fence), leaseEnd),
      markSent(holderOf(item, item.fence), leaseEnd),
      ...commitSuccess(holderOf(item, item.fence), commitOf(item.fence)),
      commitFailure(holderOf(item, item.fence), failureOf(item.fence)),
      keepSpare(holderOf(item, item.fence), inSecret(0, 'overtaken')),
      ...release(holderOf(item, item.fence), undefined, false),
      promiseWake(at(5_000), at(5_000), now),
      rest(item, undefined),
      touch(now),
      arm(item, now),
      ask(item, now),
      replaceConfig(item, item.config, now),
      replaceGrant(item, item.config, now, { id: otherGrantId, place: undefined }),
      // Not one of the protocol's: it would hold of nothing at all.
      { name: 'unconditional', when: [{ absent: 'lease' }], set: { wakeAt: now }, remove: [] } satisfies Write,
    ];
    for (const write of writes) {
      expect(await store().apply(item.connection, write), write.name).toEqual({ applied: false, item: undefined });
    }
    expect(await store().read(item.connection)).toBeUndefined();
  });

  describe('any write', () => {
    const write = (more: Partial<Write>): Write => ({ name: 'any', when: [], set: {}, remove: [], ...more });

    test('sets no attribute to undefined: it leaves it as it was', async () => {
      const item = await created({ wakeAt: at(1) });
      const settings = { kept: 1, gone: undefined };
      const after = await applies(
        item.connection,
        write({ set: { wakeAt: undefined, config: { ...item.config, settings }, askedAt: at(2) } }),
      );
      expect(after).toEqual({ ...item, askedAt: at(2), config: { ...item.config, settings: { kept: 1 } } });
    });

    test('that only removes needs no condition', async () => {
      const { wakeAt, ...item } = await created({ wakeAt: at(1) });
      expect(await applies(item.connection, write({ remove: ['wakeAt', 'lease', 'attempts.7'] }))).toEqual(item);
    });

    test.each([
      ['touches an attribute twice', { set: { wakeAt: at(1) }, remove: ['wakeAt'] }],
      [
        'touches an attribute and a part of it',
        { set: { lease: { owner: 'me', fence: 1, until: now }, 'lease.until': now } },
      ],
      ['sets an attribute and then a part of an absent one', { set: { wakeAt: now, 'lease.until': now } }],
      ['removes a part of an absent attribute', { remove: ['attempts.7.sent'] }],
    ] satisfies [string, Partial<Write>][])('that %s is an error and changes nothing', async (_what, wrong) => {
      const item = await created();
      await expect(store().apply(item.connection, write(wrong))).rejects.toThrow();
      expect(await store().read(item.connection)).toEqual(item);
    });

    test('compares numbers with numbers only', async () => {
      const { connection } = await created({
        authorization: { id: '5', grantId: otherGrantId, configuredAt: now, expiresAt: at(1) },
      });
      await refuses(connection, write({ when: [{ path: 'authorization.id', below: 6 }], set: { wakeAt: now } }));
      await refuses(connection, write({ when: [{ path: 'authorization.id', atMost: 6 }], set: { wakeAt: now } }));
      await refuses(connection, write({ when: [{ path: 'authorization.id', above: 4 }], set: { wakeAt: now } }));
      await refuses(connection, write({ when: [{ path: 'generation', equals: '0' }], set: { wakeAt: now } }));
    });
  });

  describe('lists', () => {
    test('the due of one shard, soonest first, up to an instant and a number', async () => {
      const due = async (dueShard: string, dueAt: EpochMs) => (await created({ dueShard, dueAt })).connection;
      const third = await due('seven', at(30));
      const first = await due('seven', at(10));
      const second = await due('seven', at(20));
      await due('seven', at(31));
      await due('eight', at(5));
      const { dueAt, ...resting } = newConnection({ dueShard: 'seven' });
      await store().create(resting);
      expect(await store().listDue('seven', at(30), 10)).toEqual([
        { connection: first, dueAt: at(10) },
        { connection: second, dueAt: at(20) },
        { connection: third, dueAt: at(30) },
      ]);
      expect(await store().listDue('seven', at(30), 2)).toHaveLength(2);
      expect(await store().listDue('seven', at(9), 10)).toEqual([]);
    });

    test('every connection is on exactly one page, by name, whatever its shard and when it came', async () => {
      const other = await open();
      try {
        const inOrder = [4, 4, 1, 7, 0, 4, 1].map((shard) => newConnection({ dueShard: String(shard) }));
        for (const item of inOrder.toReversed()) await other.store.create(item);
        const found: Connection[] = [];
        let next: ConnectionName | undefined;
        do {
          const page = await other.store.list(2, next);
          expect(page.items.length).toBeLessThanOrEqual(2);
          found.push(...page.items);
          next = page.next;
        } while (next !== undefined);
        expect(found).toEqual(inOrder);
      } finally {
        await other.close();
      }
    });

    test('items that are no connections are on no page, and hide none', async () => {
      const other = await open();
      try {
        const items = [newConnection(), newConnection(), newConnection()];
        const others = Array.from({ length: 7 }, (_, i) => {
          const { dueShard: _shard, ...claim } = newConnection();
          return { ...claim, connection: `#grant#exact-online#${i}` } as unknown as Connection;
        });
        for (const item of [...items, ...others]) await other.store.create(item);
        const found: Connection[] = [];
        let next: ConnectionName | undefined;
        do {
          const page = await other.store.list(1, next);
          found.push(...page.items);
          expect(page.next ?? '').not.toMatch(/^#/);
          next = page.next;
        } while (next !== undefined);
        expect(found).toEqual(items);
      } finally {
        await other.close();
      }
    });
  });
});
