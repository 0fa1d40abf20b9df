import { describe, expect, test } from 'vitest';
import { announced, announcementOf } from '../../shared/domain/announcements.ts';
import { type Commit, commitFailure, commitSuccess, keepSpare } from '../../shared/domain/commit-writes.ts';
import type { Connection, Seen } from '../../shared/domain/connection.ts';
import { abandonGrant, replaceConfig, replaceGrant } from '../../shared/domain/grant-writes.ts';
import type { Fence, Generation } from '../../shared/domain/ids.ts';
import { markSent } from '../../shared/domain/lease-writes.ts';
import type { Write } from '../../shared/domain/writes.ts';
import { taking } from '../holding.ts';
import { inSecret } from '../plain.ts';
import {
  at,
  commitOf,
  failureOf,
  holderOf,
  leaseEnd,
  now,
  otherGrantId,
  seenOf,
  storeUnder,
  storeWorlds,
} from './worlds.ts';

const spare = inSecret(1, 'overtaken');

describe.each(storeWorlds)('commits in %s', (_world, open) => {
  const { store, applies, refuses, held } = storeUnder(open);

  const commits = (seen: Seen, fence: number, more: Partial<Commit> = {}) => {
    const [asHolder, late] = commitSuccess(holderOf(seen.item, fence), { ...commitOf(fence), ...more }) as [
      Write,
      Write,
    ];
    return { asHolder, late };
  };

  const tell = (item: Connection): Promise<Connection> => {
    const seen = seenOf(item);
    const announcement = announcementOf(seen, now);
    if (announcement === undefined) throw new Error('there is nothing to tell');
    return applies(item.connection, announced(seen, announcement));
  };

  describe('commit of a success', () => {
    test('by the holder: the token set, a generation more, no lease, no attempt', async () => {
      const seen = await held({
        notBefore: at(1),
        rejected: { generation: -1, times: 2 },
        askedAt: at(0),
        askedSince: at(0),
        cause: 'refresh_in_doubt',
        failure: failureOf(1).failure,
        suspect: failureOf(1).failure,
        spare,
      });
      const after = await applies(seen.item.connection, commits(seen, 2).asHolder);
      const {
        notBefore,
        rejected,
        askedAt,
        askedSince,
        cause,
        failure,
        suspect,
        spare: _spare,
        lease,
        ...kept
      } = seen.item;
      expect(after).toEqual({
        ...kept,
        generation: 1,
        committedFence: 2,
        attempts: {},
        calls: { ...kept.calls, failing: {} },
        tokens: {
          sealed: 'sealed under 2',
          fence: 2,
          type: 'Bearer',
          scope: 'read',
          requestedAt: at(1_000),
          receivedAt: at(1_200),
          expiresAt: at(601_000),
          overAt: at(601_200),
          renewableAt: at(3_800),
          contested: false,
          tookMs: 1_200,
        },
        refreshAt: at(571_000),
        dueAt: at(571_000),
        refreshToken: inSecret(1, '00000000-0000-4000-8000-000000000002'),
      });
    });

    test('by one who lost the lease: refused as the holder, applied late, and the other’s lease and attempt stay', async () => {
      const seen = await held();
      const { connection } = seen.item;
      await applies(connection, taking(seen, 'you', leaseEnd, leaseEnd));
      const { asHolder, late } = commits(seen, 2);
      await refuses(connection, asHolder);
      const after = await applies(connection, late);
      expect(after.lease?.owner).toBe('you');
      expect(Object.keys(after.attempts)).toEqual(['3']);
      expect(after).toMatchObject({ generation: 1, committedFence: 2, tokens: { sealed: 'sealed under 2' } });
    });

    test('is refused after a newer one', async () => {
      const seen = await held();
      const { connection } = seen.item;
      const successor = seenOf(await applies(connection, taking(seen, 'you', leaseEnd, leaseEnd)));
      await applies(connection, commits(successor, 3).asHolder);
      await refuses(connection, commits(seen, 2).asHolder);
      await refuses(connection, commits(seen, 2).late);
    });

    test('is refused under another grant', async () => {
      const seen = await held();
      const { connection } = seen.item;
      await applies(connection, replaceGrant(seen.item, seen.item.config, now, { id: otherGrantId, place: undefined }));
      await refuses(connection, commits(seen, 9).late);
    });

    test('is refused under a grant that was abandoned for another client, and so is a refresh token beside it', async () => {
      const seen = await held();
      const { connection, config } = seen.item;
      // The holder gives no sign of life, and its successor the verdict.
      const successor = await applies(connection, taking(seen, 'you', leaseEnd, leaseEnd));
      const verdict = failureOf(3, {
        state: 'reauthorization_required',
        cause: 'refresh_in_doubt',
        notBefore: undefined,
      });
      const dead = await applies(connection, commitFailure(holderOf(successor, 3), verdict));
      const abandoned = await applies(
        connection,
        abandonGrant(dead, { ...config, clientId: 'other' }, now, otherGrantId),
      );
      await refuses(connection, commits(seen, 9).asHolder);
      await refuses(connection, commits(seen, 9).late);
      await refuses(connection, keepSpare(holderOf(seen.item, 2), inSecret(0, 'v')));
      expect(await store().read(connection)).toEqual(abandoned);
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
    const misconfigured = failureOf(2, { state: 'misconfigured', cause: 'invalid_client', notBefore: undefined });

    test('by the holder: the failure and the next attempt, no lease, no attempt; again it is known as one’s own', async () => {
      const { item } = await held();
      const write = commitFailure(holderOf(item, 2), failureOf(2));
      const after = await applies(item.connection, write);
      expect(after).toMatchObject({
        failure: failureOf(2).failure,
        notBefore: at(7_000),
        dueAt: at(7_000),
        generation: 0,
        committedFence: 1,
      });
      expect(after.attempts).toEqual({});
      expect(after.lease).toBeUndefined();
      expect(await store().apply(item.connection, write)).toEqual({ applied: true, item: after });
    });

    test('in doubt: the entry stays, ended', async () => {
      const { item } = await held();
      const failure = { ...failureOf(2).failure, class: 'in_doubt' as const };
      const after = await applies(item.connection, commitFailure(holderOf(item, 2), failureOf(2, { failure })));
      expect(after.attempts[2]).toEqual({ ...item.attempts[2], ended: true });
    });

    test('a verdict takes the connection out of the due index, once subscribers were told of it', async () => {
      const { item } = await held();
      const verdict = failureOf(2, { notBefore: undefined, state: 'reauthorization_required', cause: 'invalid_grant' });
      const after = await applies(item.connection, commitFailure(holderOf(item, 2), verdict));
      const { at } = verdict.failure;
      expect(after).toMatchObject({
        state: 'reauthorization_required',
        cause: 'invalid_grant',
        announcement: { change: 'reauthorization_required', at },
        dueAt: at,
      });
      expect(after).not.toHaveProperty('notBefore');
      const told = await tell(after);
      expect(told).not.toHaveProperty('dueAt');
      expect(told).not.toHaveProperty('announcement');
    });

    test('a suspicion is noted, and what is suspected stays', async () => {
      const { item } = await held({ spare });
      const after = await applies(item.connection, commitFailure(holderOf(item, 2), failureOf(2, { suspect: true })));
      expect(after).toMatchObject({
        suspect: failureOf(2).failure,
        refreshToken: item.refreshToken,
        spare,
        state: 'active',
      });
    });

    test('another refresh token takes the place of the one that failed, and nothing is suspected of it', async () => {
      const { item } = await held({ spare, suspect: failureOf(1).failure });
      const after = await applies(item.connection, commitFailure(holderOf(item, 2), failureOf(2, { place: spare })));
      expect(after.refreshToken).toEqual(spare);
      expect(after).not.toHaveProperty('spare');
      expect(after).not.toHaveProperty('suspect');
    });

    test('wrong settings stop the connection', async () => {
      const { item } = await held();
      const after = await applies(item.connection, commitFailure(holderOf(item, 2), misconfigured));
      expect(after).toMatchObject({ state: 'misconfigured', cause: 'invalid_client' });
      expect(await tell(after)).not.toHaveProperty('dueAt');
    });

    test('wrong settings are no news once they were replaced, and any other failure is', async () => {
      const { item } = await held();
      await applies(item.connection, replaceConfig(item, item.config, at(1)));
      await refuses(item.connection, commitFailure(holderOf(item, 2), misconfigured));
      const after = await applies(item.connection, commitFailure(holderOf(item, 2), failureOf(2)));
      expect(after).toMatchObject({ state: 'active', failure: { code: 'http_503' } });
    });

    test('is refused without the lease, and after a commit', async () => {
      const seen = await held();
      const { item } = seen;
      await refuses(
        item.connection,
        commitFailure(holderOf({ ...item, generation: 1 as Generation }, 2), failureOf(2)),
      );
      await applies(item.connection, taking(seen, 'you', leaseEnd, leaseEnd));
      await refuses(item.connection, commitFailure(holderOf(item, 2), failureOf(2)));
    });
  });

  test('an overtaken refresh token is kept as a spare after a newer commit of the same grant, and only then', async () => {
    const seen = await held();
    const { connection } = seen.item;
    await refuses(connection, keepSpare(holderOf(seen.item, 2), spare));
    const successor = seenOf(await applies(connection, taking(seen, 'you', leaseEnd, leaseEnd)));
    const { asHolder } = commits(successor, 3);
    const committed = await applies(connection, asHolder);
    await refuses(
      connection,
      keepSpare(holderOf({ ...seen.item, grant: { ...seen.item.grant, id: otherGrantId } }, 2), spare),
    );
    await refuses(connection, keepSpare(holderOf(seen.item, 3), spare));
    // The pointer to what it may have stored has stayed until now.
    expect(Object.keys(committed.attempts)).toEqual(['2']);
    expect(await applies(connection, keepSpare(holderOf(seen.item, 2), spare))).toEqual({
      ...committed,
      spare,
      attempts: {},
    });
  });

  test('an overtaken attempt stays for two generations more, and not longer', async () => {
    const seen = await held();
    const { connection } = seen.item;
    const successor = seenOf(await applies(connection, taking(seen, 'you', leaseEnd, leaseEnd)));
    let item = await applies(connection, commits(successor, 3).asHolder);
    const after: string[][] = [];
    for (const fence of [4, 5, 6]) {
      after.push(Object.keys(item.attempts));
      const when = at(fence * 60_000);
      const next = seenOf(await applies(connection, taking(seenOf(item), 'you', when, when)));
      item = await applies(connection, commits(next, fence).asHolder);
    }
    expect(after).toEqual([['2'], ['2'], []]);
  });

  test('of two overtaken attempts that are tried one after the other, the second stays until it has been', async () => {
    const seen = await held();
    const { connection } = seen.item;
    const second = await applies(connection, taking(seen, 'you', leaseEnd, leaseEnd));
    const marked = seenOf(await applies(connection, markSent(holderOf(second, 3), leaseEnd)));
    const third = seenOf(await applies(connection, taking(marked, 'you', at(120_000), at(120_000))));
    let item = await applies(connection, commits(third, 4).asHolder);
    expect(Object.keys(item.attempts)).toEqual(['2', '3']);
    for (const [fence, adoptedFence, left] of [
      [5, 3, ['2']],
      [6, 2, []],
    ] as const) {
      const when = at(fence * 60_000);
      const trying = seenOf(await applies(connection, taking(seenOf(item), 'you', when, when)));
      item = await applies(
        connection,
        commits(trying, fence, { adoptedFence: adoptedFence as Fence, overtaken: item.refreshToken }).asHolder,
      );
      expect(Object.keys(item.attempts)).toEqual(left);
    }
  });

  test('a refresh token that came with a failure counts as a commit: an older success may not replace it', async () => {
    const seen = await held();
    const { connection } = seen.item;
    const successor = seenOf(await applies(connection, taking(seen, 'you', leaseEnd, leaseEnd)));
    await applies(connection, commitFailure(holderOf(successor.item, 3), failureOf(3, { place: spare })));
    await refuses(connection, commits(seen, 2).late);
    expect(await applies(connection, keepSpare(holderOf(seen.item, 2), spare))).toMatchObject({
      refreshToken: spare,
      spare,
      committedFence: 3,
    });
  });
});
