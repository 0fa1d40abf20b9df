import { describe, expect, test } from 'vitest';
import { commitSuccess } from '../../shared/domain/commit-writes.ts';
import type { Connection } from '../../shared/domain/connection.ts';
import type { Generation } from '../../shared/domain/ids.ts';
import { markSent, release, renewLease } from '../../shared/domain/lease-writes.ts';
import { plus } from '../../shared/domain/time.ts';
import type { Write } from '../../shared/domain/writes.ts';
import { taking } from '../holding.ts';
import { told } from '../plain.ts';
import { at, commitOf, holderOf, leaseEnd, now, otherGrantId, seenOf, storeUnder, storeWorlds } from './worlds.ts';

describe.each(storeWorlds)('the lease in %s', (_world, open) => {
  const { store, created, applies, refuses, held } = storeUnder(open);

  describe('acquire', () => {
    test('raises the fence, writes lease and attempt, counts the call, and promises a wake-up', async () => {
      const item = await created();
      const write = taking(seenOf(item), 'me', now, leaseEnd);
      const lease = { owner: 'me', fence: 2, until: leaseEnd };
      expect(await applies(item.connection, write)).toEqual({
        ...item,
        fence: 2,
        lease,
        attempts: { 2: write.attempt },
        calls: { day: 20_833, count: 1, failing: { 2: now }, codes: {} },
        wakeAt: leaseEnd,
        slots: 2,
      });
    });

    test('is refused while a lease lives, and not from the instant it ends', async () => {
      const { item } = await held();
      const ended = leaseEnd;
      await refuses(item.connection, taking(seenOf(item), 'you', plus(ended, -1), ended));
      const after = await applies(item.connection, taking(seenOf(item), 'you', ended, ended));
      expect(after.lease).toEqual({ owner: 'you', fence: 3, until: plus(ended, 18_000) });
      expect(Object.keys(after.attempts)).toEqual(['2', '3']);
      expect(after.attempts[3]?.sent).toBe(false);
    });

    test.each([
      ['fence', { fence: 7 }],
      ['generation', { generation: 4 }],
      ['grant', { grant: { id: otherGrantId, at: now } }],
    ])('is refused if the %s is not as seen', async (_what, stale) => {
      const item = await created();
      await refuses(item.connection, taking(seenOf(told<Connection>({ ...item, ...stale })), 'me', now, leaseEnd));
    });

    test.each(['reauthorization_required', 'misconfigured'] as const)(
      'is refused of a connection in state %s',
      async (state) => {
        const item = await created({ state });
        await refuses(item.connection, taking(seenOf(item), 'me', now, leaseEnd));
      },
    );

    test('applied again, as after a lost reply, is known as one’s own; another owner’s is not', async () => {
      const item = await created();
      const write = taking(seenOf(item), 'me', now, leaseEnd);
      const first = await applies(item.connection, write);
      expect(await store().apply(item.connection, write)).toEqual({ applied: true, item: first });
      await refuses(item.connection, taking(seenOf(item), 'you', now, leaseEnd));
    });

    test('of fifty at once exactly one gets the lease', async () => {
      const item = await created();
      const owners = Array.from({ length: 50 }, (_, i) => `owner-${i}`);
      const done = await Promise.all(
        owners.map((owner) => store().apply(item.connection, taking(seenOf(item), owner, now, leaseEnd))),
      );
      const winners = owners.filter((_, i) => done[i]?.applied);
      expect(winners).toHaveLength(1);
      const after = await store().read(item.connection);
      expect(after?.lease?.owner).toBe(winners[0]);
      expect(after?.fence).toBe(2);
      expect(Object.keys(after?.attempts ?? {})).toEqual(['2']);
    });
  });

  const releases = (...args: Parameters<typeof release>) => release(...args) as readonly [Write, Write];

  describe('while holding the lease', () => {
    test('it is renewed, also after its end, but not once another holds it', async () => {
      const { item } = await held();
      expect((await applies(item.connection, renewLease(holderOf(item, 2), at(99_000)))).lease).toEqual({
        owner: 'me',
        fence: 2,
        until: at(99_000),
      });
      await applies(item.connection, taking(seenOf(item), 'you', at(99_000), leaseEnd));
      await refuses(item.connection, renewLease(holderOf(item, 2), at(120_000)));
    });

    test('an attempt is marked as sent, in the lease and generation it was decided in only', async () => {
      const { item } = await held();
      const second = await applies(item.connection, taking(seenOf(item), 'you', leaseEnd, leaseEnd));
      await refuses(item.connection, markSent(holderOf(second, 2), at(60_000)));
      await refuses(item.connection, markSent(holderOf({ ...second, generation: 1 as Generation }, 3), at(60_000)));
      const after = await applies(item.connection, markSent(holderOf(second, 3), at(60_000)));
      expect(after.attempts[3]?.sent).toBe(true);
      expect(after.lease?.until).toBe(at(60_000));
    });

    test('a release takes away my lease and my entry and nobody else’s', async () => {
      const { item } = await held();
      const second = await applies(item.connection, taking(seenOf(item), 'you', leaseEnd, leaseEnd));
      for (const write of release(holderOf(second, 2), undefined, false)) await refuses(item.connection, write);
      const [full] = releases(holderOf(second, 3), at(30_000), false);
      const after = await applies(item.connection, full);
      expect(after.lease).toBeUndefined();
      expect(Object.keys(after.attempts)).toEqual(['2']);
      expect(after).toMatchObject({ notBefore: at(30_000), dueAt: at(30_000), fence: 3 });
    });

    test('a release by one who has not called, once somebody committed, takes away all but what it says of the next call', async () => {
      const seen = await held();
      const { connection } = seen.item;
      const mine = await applies(connection, taking(seen, 'you', leaseEnd, leaseEnd));
      const [, late] = commitSuccess(holderOf(seen.item, 2), commitOf(2)) as [Write, Write];
      const committed = await applies(connection, late);
      const [full, bare] = releases(holderOf(mine, 3), at(30_000), false);
      await refuses(connection, full);
      const after = await applies(connection, bare);
      expect(after.lease).toBeUndefined();
      expect(after).toMatchObject({ generation: 1, dueAt: committed.refreshAt, attempts: {}, calls: { failing: {} } });
      expect(after).not.toHaveProperty('notBefore');
    });

    test('a release by one who has called is refused once somebody committed, unless its holder has seen that', async () => {
      const seen = await held();
      const { connection } = seen.item;
      const mine = await applies(connection, taking(seen, 'you', leaseEnd, leaseEnd));
      const [, late] = commitSuccess(holderOf(seen.item, 2), commitOf(2)) as [Write, Write];
      const committed = await applies(connection, late);
      for (const write of release(holderOf(mine, 3), undefined, true)) await refuses(connection, write);
      const [full] = releases(holderOf(committed, 3), undefined, true);
      expect((await applies(connection, full)).attempts).toEqual({});
    });
  });
});
