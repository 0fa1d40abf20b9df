/** Taking, keeping and giving back the right to send one refresh request. */
import { dueBy } from './announcements.ts';
import { inDoubt, mayHaveBeenSent } from './attempts.ts';
import { callsOn, dayOf, outdatedCalls } from './budget.ts';
import { type Attempt, type Lease, type Seen, slotFor, versionIdOf } from './connection.ts';
import type { Acquire, Held } from './held.ts';
import { nextFence } from './ids.ts';
import { limits } from './limits.ts';
import { type EpochMs, plus } from './time.ts';
import {
  attemptPath,
  failingPath,
  leaseIsMine,
  noLeaseAlive,
  sameFence,
  sameGeneration,
  sameGrant,
  stillActive,
  type Write,
} from './writes.ts';

/** Takes the lease and records the intent, in one write. Refused if anything that was decided upon has changed. */
export function acquire({ item, profile }: Seen, owner: string, now: EpochMs, wakeAt: EpochMs): Acquire {
  const fence = nextFence(item.fence);
  const lease: Lease = { owner, fence, until: plus(now, limits.leaseMs) };
  const attempt: Attempt = {
    fence,
    slot: slotFor(item, profile),
    versionId: versionIdOf(item.grant.id, fence),
    startedAt: now,
    generation: item.generation,
    // Ahead of us somebody may have sent: look first, send later (`markSent`).
    sent: mayHaveBeenSent(item).length === 0,
    repeats: inDoubt(item).length > 0,
    ended: false,
  };
  return {
    name: 'acquire',
    when: [sameGrant(item), sameFence(item), sameGeneration(item), stillActive, noLeaseAlive(now)],
    set: {
      fence,
      lease,
      [attemptPath(fence)]: attempt,
      wakeAt,
      slots: Math.max(item.slots, profile.slots),
      // Counted before it is made, and as a failure until it is known to be none.
      [failingPath(fence)]: now,
      'calls.count': callsOn(item, now) + 1,
      'calls.day': dayOf(now),
    },
    remove: outdatedCalls(item, now),
    mine: [leaseIsMine(fence), { path: 'lease.owner', equals: owner }],
    lease,
    attempt,
  };
}

/** The heartbeat. Depends on the lease alone: a holder whose lease ended and was not taken may go on. */
export const renewLease = ({ lease: { fence } }: Held, until: EpochMs): Write => ({
  name: 'renew_lease',
  when: [leaseIsMine(fence)],
  set: { 'lease.until': until },
  remove: [],
});

/** The last gate before a refresh token is sent a second time. */
export const markSent = ({ lease: { fence }, seen: { item } }: Held, until: EpochMs): Write => ({
  name: 'mark_sent',
  when: [sameGrant(item), leaseIsMine(fence), sameGeneration(item)],
  set: { [`attempts.${fence}.sent`]: true, 'lease.until': until },
  remove: [],
});

/**
 * Gives the lease back: my lease and my entry, nobody else's. Unless the provider was called, the call is no longer counted; and where an
 * older holder has committed meanwhile, only `notBefore` is outdated by that.
 */
export function release(held: Held, notBefore: EpochMs | undefined, called: boolean): readonly Write[] {
  const { item } = held.seen;
  const { fence } = held.lease;
  const bare: Write = {
    name: 'release',
    when: [sameGrant(item), leaseIsMine(fence)],
    set: {},
    remove: ['lease', attemptPath(fence), ...(called ? [] : [failingPath(fence)])],
    ...(called ? {} : { add: { 'calls.count': -1 } }),
    mine: [{ absent: attemptPath(fence) }, { any: [{ absent: 'lease' }, { path: 'lease.fence', above: fence }] }],
  };
  const full: Write = {
    ...bare,
    when: [...bare.when, sameGeneration(item)],
    set: notBefore === undefined ? {} : { notBefore, dueAt: dueBy(item, notBefore) },
  };
  return called ? [full] : [full, bare];
}
