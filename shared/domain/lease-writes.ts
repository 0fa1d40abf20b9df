/** Taking, keeping and giving back the right to send one refresh request. */
import { dueBy } from './announcements.ts';
import { inDoubt, mayHaveBeenSent } from './attempts.ts';
import { callsOn, dayOf, outdatedCalls } from './budget.ts';
import {
  type Attempt,
  type ClientSecretInUse,
  type Connection,
  type Lease,
  type Seen,
  slotFor,
  versionIdOf,
} from './connection.ts';
import type { Acquire, Held } from './held.ts';
import { nextFence } from './ids.ts';
import type { EpochMs } from './time.ts';
import {
  attemptPath,
  type Clause,
  failingPath,
  leaseIsMine,
  noLeaseAlive,
  sameFence,
  sameGeneration,
  sameGrant,
  stillActive,
  type Write,
} from './writes.ts';

/** Nothing that the decision to refresh was based on has changed. */
const asDecidedOn = (item: Connection): readonly Clause[] => [
  sameGrant(item),
  sameFence(item),
  sameGeneration(item),
  stillActive,
];

/**
 * Takes the lease and records the intent to send, in one write. Refused if anything that was decided upon has changed.
 *
 *   refresher 1   read ──── acquire, fence 8 ──── call ──── commit (if no newer commit than 8)
 *   lease                   │◄────────────── leaseMs ──────────────►│ each heartbeat moves the end
 *   refresher 2        read ─── acquire: refused, the fence has changed and a lease is alive
 *
 *   refresher 1   read ──── acquire, fence 8 ──── call ──── killed; attempt 8 stays: sent, outcome unknown
 *   lease                   │◄────────────── leaseMs ──────────────►│
 *   refresher 3                                                      read ─── acquire, fence 9
 *
 * Attempt 8 may have been sent, so attempt 9 is not marked as sent: what attempt 8 stored is looked up first.
 */
export function acquire(
  { item, profile }: Seen,
  { owner, until }: Omit<Lease, 'fence'>,
  now: EpochMs,
  wakeAt: EpochMs,
): Acquire {
  const fence = nextFence(item.fence);
  const lease: Lease = { owner, fence, until };
  const attempt: Attempt = {
    fence,
    slot: slotFor(item, profile),
    versionId: versionIdOf(item.grant.id, fence),
    startedAt: now,
    generation: item.generation,
    // An earlier holder may have sent the refresh token: look up what it stored first, send later (`markSent`).
    sent: mayHaveBeenSent(item).length === 0,
    repeats: inDoubt(item).length > 0,
    ended: false,
  };
  return {
    name: 'acquire',
    when: [...asDecidedOn(item), noLeaseAlive(now)],
    set: {
      fence,
      lease,
      [attemptPath(fence)]: attempt,
      wakeAt,
      slots: Math.max(item.slots, profile.slots),
      // The call is counted before it is made, and as a failure until it is known to have succeeded.
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
 * Gives the lease back: the holder's own lease and attempt, and those of no other. Unless the provider was called, the
 * call is no longer counted; and where an older holder has committed meanwhile, only `notBefore` is outdated by that.
 */
export function release(
  held: Held,
  notBefore: EpochMs | undefined,
  called: boolean,
  clientSecret?: ClientSecretInUse,
): readonly Write[] {
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
    set: {
      ...(notBefore !== undefined && { notBefore, dueAt: dueBy(item, notBefore) }),
      ...(clientSecret && { clientSecret }),
    },
  };
  return called ? [full] : [full, bare];
}
