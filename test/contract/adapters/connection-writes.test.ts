import { describe, expect, test } from 'vitest';
import { plus, type Seen } from '../../../shared/domain/types.ts';
import {
  acquire,
  arm,
  ask,
  type Commit,
  commitFailure,
  commitSuccess,
  markSent,
  promiseWake,
  release,
  renewLease,
  replaceConfig,
  replaceGrant,
  rest,
  touch,
  type Write,
} from '../../../shared/domain/writes.ts';
import { at, commitOf, failureOf, leaseEnd, newConnection, now, seenOf, storeUnder, storeWorlds } from './worlds.ts';

describe.each(storeWorlds)('the writes of the protocol in %s', (_world, open) => {
  const { store, created, applies, refuses, held } = storeUnder(open);

  describe('acquire', () => {
    test('raises the fence, writes lease and attempt, and promises a wake-up', async () => {
      const item = await created();
      const write = acquire(seenOf(item), 'me', now, leaseEnd);
      const after = await applies(item.connection, write);
      expect(after).toEqual({ ...item, fence: 2, lease: { owner: 'me', fence: 2, until: leaseEnd }, attempts: { 2: write.attempt }, wakeAt: leaseEnd });
    });

    test('is refused while a lease lives, and not from the instant it ends', async () => {
      const { item } = await held();
      const ended = leaseEnd;
      await refuses(item.connection, acquire(seenOf(item), 'you', plus(ended, -1), ended));
      const after = await applies(item.connection, acquire(seenOf(item), 'you', ended, ended));
      expect(after.lease).toEqual({ owner: 'you', fence: 3, until: plus(ended, 18_000) });
      expect(Object.keys(after.attempts)).toEqual(['2', '3']);
      expect(after.attempts[3]?.sent).toBe(false);
    });

    test.each([
      ['fence', { fence: 7 }],
      ['generation', { generation: 4 }],
      ['grant', { grantId: '11111111-0000-4000-8000' }],
    ])('is refused if the %s is not as seen', async (_what, stale) => {
      const item = await created();
      await refuses(item.connection, acquire(seenOf({ ...item, ...stale }), 'me', now, leaseEnd));
    });

    test.each(['reauthorization_required', 'misconfigured'] as const)('is refused of a connection in state %s', async (state) => {
      const item = await created({ state });
      await refuses(item.connection, acquire(seenOf(item), 'me', now, leaseEnd));
    });

    test('applied again, as after a lost reply, is known as one’s own; another owner’s is not', async () => {
      const item = await created();
      const write = acquire(seenOf(item), 'me', now, leaseEnd);
      const first = await applies(item.connection, write);
      expect(await store().apply(item.connection, write)).toEqual({ applied: true, item: first });
      await refuses(item.connection, acquire(seenOf(item), 'you', now, leaseEnd));
    });

    test('of fifty at once exactly one gets the lease', async () => {
      const item = await created();
      const owners = Array.from({ length: 50 }, (_, i) => `owner-${i}`);
      const done = await Promise.all(owners.map((owner) => store().apply(item.connection, acquire(seenOf(item), owner, now, leaseEnd))));
      const winners = owners.filter((_, i) => done[i]?.applied);
      expect(winners).toHaveLength(1);
      const after = await store().read(item.connection);
      expect(after?.lease?.owner).toBe(winners[0]);
      expect(after?.fence).toBe(2);
      expect(Object.keys(after?.attempts ?? {})).toEqual(['2']);
    });
  });

  describe('while holding the lease', () => {
    test('it is renewed, also after its end, but not once another holds it', async () => {
      const { item } = await held();
      expect((await applies(item.connection, renewLease(2, at(99_000)))).lease).toEqual({ owner: 'me', fence: 2, until: at(99_000) });
      await applies(item.connection, acquire(seenOf(item), 'you', at(99_000), leaseEnd));
      await refuses(item.connection, renewLease(2, at(120_000)));
    });

    test('an attempt is marked as sent, in the lease and generation it was decided in only', async () => {
      const { item } = await held();
      const second = await applies(item.connection, acquire(seenOf(item), 'you', leaseEnd, leaseEnd));
      await refuses(item.connection, markSent(second, 2, at(60_000)));
      await refuses(item.connection, markSent({ ...second, generation: 1 }, 3, at(60_000)));
      const after = await applies(item.connection, markSent(second, 3, at(60_000)));
      expect(after.attempts[3]?.sent).toBe(true);
      expect(after.lease?.until).toBe(at(60_000));
    });

    test('a release takes away my lease and my entry and nobody else’s', async () => {
      const { item } = await held();
      const second = await applies(item.connection, acquire(seenOf(item), 'you', leaseEnd, leaseEnd));
      await refuses(item.connection, release(second, 2));
      const after = await applies(item.connection, release(second, 3, at(30_000)));
      expect(after.lease).toBeUndefined();
      expect(Object.keys(after.attempts)).toEqual(['2']);
      expect(after).toMatchObject({ notBefore: at(30_000), dueAt: at(30_000), fence: 3 });
    });

    test('a release is refused once somebody committed', async () => {
      const { item } = await held();
      await refuses(item.connection, release({ ...item, generation: 5 }, 2));
    });
  });

  describe('commit of a success', () => {
    const commits = (seen: Seen, fence: number, more: Partial<Commit> = {}) => {
      const [asHolder, late] = commitSuccess(seen, { ...commitOf(fence), ...more }) as [Write, Write];
      return { asHolder, late };
    };

    test('by the holder: the token set, a generation more, no lease, no attempt', async () => {
      const seen = await held({ notBefore: at(1), rejectedGeneration: 0, askedAt: at(0), cause: 'refresh_in_doubt' });
      const after = await applies(seen.item.connection, commits(seen, 2).asHolder);
      const { notBefore, rejectedGeneration, askedAt, cause, lease, ...kept } = seen.item;
      expect(after).toEqual({
        ...kept,
        generation: 1,
        committedFence: 2,
        attempts: {},
        accessToken: 'sealed under 2',
        tokenType: 'Bearer',
        scope: 'read',
        requestedAt: at(1_000),
        receivedAt: at(1_200),
        expiresAt: at(601_000),
        refreshAt: at(571_000),
        dueAt: at(571_000),
        contested: false,
        refreshToken: { versionId: '00000000-0000-4000-8000-000000000002', slot: 1 },
      });
    });

    test('by one who lost the lease: refused as the holder, applied late, and the other’s lease and attempt stay', async () => {
      const seen = await held();
      const { connection } = seen.item;
      await applies(connection, acquire(seen, 'you', leaseEnd, leaseEnd));
      const { asHolder, late } = commits(seen, 2);
      await refuses(connection, asHolder);
      const after = await applies(connection, late);
      expect(after.lease?.owner).toBe('you');
      expect(Object.keys(after.attempts)).toEqual(['3']);
      expect(after).toMatchObject({ generation: 1, committedFence: 2, accessToken: 'sealed under 2' });
    });

    test('is refused after a newer one', async () => {
      const seen = await held();
      const { connection } = seen.item;
      const successor = seenOf(await applies(connection, acquire(seen, 'you', leaseEnd, leaseEnd)));
      await applies(connection, commits(successor, 3).asHolder);
      await refuses(connection, commits(seen, 2).asHolder);
      await refuses(connection, commits(seen, 2).late);
    });

    test('is refused under another grant', async () => {
      const seen = await held();
      const { connection } = seen.item;
      await applies(connection, replaceGrant(seen.item, seen.item.config, now, { grantId: '11111111-0000-4000-8000', place: undefined }));
      await refuses(connection, commits(seen, 9).late);
    });

    test('again, as after a lost reply, is known as one’s own and counts once', async () => {
      const seen = await held();
      const { asHolder, late } = commits(seen, 2);
      const first = await applies(seen.item.connection, asHolder);
      expect(await store().apply(seen.item.connection, asHolder)).toEqual({ applied: true, item: first });
      expect(await store().apply(seen.item.connection, late)).toEqual({ applied: true, item: first });
      expect(first.generation).toBe(1);
    });

    test('without a new refresh token keeps the place of the old one', async () => {
      const seen = await held();
      const { asHolder } = commits(seen, 2, { place: undefined });
      expect((await applies(seen.item.connection, asHolder)).refreshToken).toEqual(seen.item.refreshToken);
    });
  });

  describe('commit of a failure', () => {
    test('by the holder: the failure and the next attempt, no lease, no attempt; again it is known as one’s own', async () => {
      const { item } = await held();
      const write = commitFailure(item, 2, failureOf(2));
      const after = await applies(item.connection, write);
      expect(after).toMatchObject({ failure: failureOf(2).failure, notBefore: at(7_000), dueAt: at(7_000), generation: 0, committedFence: 1, attempts: {} });
      expect(after.lease).toBeUndefined();
      expect(await store().apply(item.connection, write)).toEqual({ applied: true, item: after });
    });

    test('in doubt: the entry stays, ended', async () => {
      const { item } = await held();
      const failure = { ...failureOf(2).failure, class: 'in_doubt' as const };
      const after = await applies(item.connection, commitFailure(item, 2, failureOf(2, { failure })));
      expect(after.attempts[2]).toEqual({ ...item.attempts[2], ended: true });
    });

    test('a verdict takes the connection out of the due index', async () => {
      const { item } = await held();
      const verdict = failureOf(2, { notBefore: undefined, state: 'reauthorization_required', cause: 'invalid_grant' });
      const after = await applies(item.connection, commitFailure(item, 2, verdict));
      expect(after).toMatchObject({ state: 'reauthorization_required', cause: 'invalid_grant' });
      expect(after).not.toHaveProperty('dueAt');
      expect(after).not.toHaveProperty('notBefore');
    });

    test('is refused without the lease, and after a commit', async () => {
      const seen = await held();
      const { item } = seen;
      await refuses(item.connection, commitFailure({ ...item, generation: 1 }, 2, failureOf(2)));
      await applies(item.connection, acquire(seen, 'you', leaseEnd, leaseEnd));
      await refuses(item.connection, commitFailure(item, 2, failureOf(2)));
    });
  });

  describe('waking, resting, asking', () => {
    test('a wake-up is promised unless one that comes soon enough is promised already', async () => {
      const { connection } = await created();
      await applies(connection, promiseWake(at(9_000), at(9_000), now));
      await refuses(connection, promiseWake(at(8_500), at(9_000), now));
      expect((await applies(connection, promiseWake(at(8_500), at(8_999), now))).wakeAt).toBe(at(8_500));
      await refuses(connection, promiseWake(at(20_000), at(20_500), at(8_499)));
      expect((await applies(connection, promiseWake(at(20_000), at(20_500), at(8_500)))).wakeAt).toBe(at(20_000));
    });

    test('a connection rests if nobody asked and nothing was committed since it was seen', async () => {
      const item = await created({ dueAt: at(5) });
      const rested = await applies(item.connection, rest(item, undefined));
      expect(rested).not.toHaveProperty('dueAt');
      expect((await applies(item.connection, rest(rested, at(77)))).dueAt).toBe(at(77));
      await refuses(item.connection, rest({ ...item, generation: 1 }, undefined));
      const touched = await applies(item.connection, touch(at(6)));
      await refuses(item.connection, rest(item, undefined));
      await refuses(item.connection, rest({ ...touched, lastUsed: at(5) }, undefined));
      await applies(item.connection, rest(touched, undefined));
    });

    test('a resting connection is armed, an armed one only for an earlier instant, and not after a commit', async () => {
      const { dueAt, ...resting } = newConnection();
      expect(await store().create(resting)).toBe(true);
      expect((await applies(resting.connection, arm(resting, at(10)))).dueAt).toBe(at(10));
      await refuses(resting.connection, arm(resting, at(10)));
      expect((await applies(resting.connection, arm(resting, at(9)))).dueAt).toBe(at(9));
      await refuses(resting.connection, arm({ ...resting, generation: 1 }, at(1)));
    });

    test('one of many callers asks, and another when the mark is old', async () => {
      const item = await created();
      await applies(item.connection, ask(item, now));
      await refuses(item.connection, ask(item, at(4_999)));
      expect((await applies(item.connection, ask(item, at(5_000)))).askedAt).toBe(at(5_000));
      await refuses(item.connection, ask({ ...item, generation: 1 }, at(60_000)));
    });
  });

  describe('settings and grants', () => {
    test('new settings keep the grant and try a misconfigured connection again', async () => {
      const item = await created({ state: 'misconfigured', cause: 'invalid_client', notBefore: at(1), refreshAt: at(50) });
      const config = { ...item.config, settings: { nested: { list: ['a', 1, true, null] } }, marginSeconds: 60 };
      await refuses(item.connection, replaceConfig({ ...item, fence: 2 }, config, now));
      const after = await applies(item.connection, replaceConfig(item, config, now));
      const { cause, notBefore, ...kept } = item;
      expect(after).toEqual({ ...kept, config, state: 'active', dueAt: at(50) });
    });

    test('a new grant clears all that the old one left; again it is known as one’s own', async () => {
      const seen = await held({ notBefore: at(1), suspect: failureOf(1).failure });
      const { item } = seen;
      const place = { versionId: 'v', sealed: 'text' };
      const write = replaceGrant(item, item.config, at(3), { grantId: '11111111-0000-4000-8000', place });
      await refuses(item.connection, replaceGrant({ ...item, fence: 1 }, item.config, at(3), { grantId: '22222222-0000-4000-8000', place }));
      const after = await applies(item.connection, write);
      expect(after).toEqual({
        connection: item.connection,
        config: item.config,
        createdAt: item.createdAt,
        dueShard: item.dueShard,
        state: 'active',
        grantId: '11111111-0000-4000-8000',
        generation: 0,
        fence: 3,
        committedFence: 3,
        attempts: {},
        contested: false,
        dueAt: at(3),
        refreshToken: place,
      });
      expect(await store().apply(item.connection, write)).toEqual({ applied: true, item: after });
    });
  });
});
