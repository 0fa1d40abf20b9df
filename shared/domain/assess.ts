/** What the state of a connection calls for. `decide.ts` acts on it; each rule is tested on both sides of its limit. */
import { restUntil } from './announcements.ts';
import { inDoubt } from './attempts.ts';
import type { Connection, Seen } from './connection.ts';
import { limits } from './limits.ts';
import type { Profile } from './profile.ts';
import { type EpochMs, plus } from './time.ts';
import { dueFrom, keepAliveAtOf, rejectionDueAtOf } from './timing.ts';

type RefreshReason = 'first' | 'due' | 'rejected' | 'in_doubt' | 'keep_alive';

export type WaitReason = 'not_due' | 'leased' | 'backing_off' | 'released';

export type StopReason =
  | 'connection_not_found'
  | 'reauthorization_required'
  | 'misconfigured'
  | 'deleted'
  | 'refreshed'
  | 'failed'
  | 'released'
  | 'overtaken'
  | 'lease_lost'
  | 'contended'
  | 'commit_abandoned';

/** What the state of a connection calls for, at this instant, from a refresher that holds no lease yet. */
export type Assessment =
  | { readonly kind: 'refresh'; readonly reason: RefreshReason }
  | { readonly kind: 'wait'; readonly until: EpochMs; readonly reason: WaitReason }
  | { readonly kind: 'rest'; readonly dueAt: EpochMs | undefined }
  | { readonly kind: 'stop'; readonly reason: 'reauthorization_required' | 'misconfigured' | 'deleted' };

export const leaseAlive = (item: Connection, now: EpochMs): boolean =>
  item.lease !== undefined && item.lease.until > now;

/** No client has asked for this connection's token for so long that it is not renewed ahead of need. */
export const isUnused = (item: Connection, profile: Profile, now: EpochMs): boolean =>
  profile.renewal === 'while_used' && (item.lastUsed === undefined || plus(item.lastUsed, limits.usedWithinMs) <= now);

type Want =
  | { readonly kind: 'want'; readonly from: EpochMs; readonly reason: RefreshReason }
  | { readonly kind: 'rest'; readonly dueAt: EpochMs | undefined };

/** From when a renewal is wanted, and why. Computed from the facts, never from the key of the due index. */
function wanted({ item, profile }: Seen, now: EpochMs): Want {
  if (inDoubt(item).length > 0) return { kind: 'want', from: now, reason: 'in_doubt' };
  const keepAliveAt = keepAliveAtOf(item, profile);
  if (keepAliveAt !== undefined && keepAliveAt <= now) return { kind: 'want', from: keepAliveAt, reason: 'keep_alive' };
  const rejectionDueAt = rejectionDueAtOf(item);
  if (rejectionDueAt !== undefined) return { kind: 'want', from: rejectionDueAt, reason: 'rejected' };
  const from = dueFrom(item, now);
  if (from <= now && isUnused(item, profile, now))
    return { kind: 'rest', dueAt: restUntil(item, profile, keepAliveAt, now) };
  return { kind: 'want', from, reason: item.tokens === undefined ? 'first' : 'due' };
}

/** Total over every state of a connection; the same for a first look and for a second one under the lease. */
export function assess(seen: Seen, now: EpochMs): Assessment {
  const { item } = seen;
  // What is under way may commit first: its refresh token is the one to revoke.
  if (item.deletion !== undefined && item.lease !== undefined && leaseAlive(item, now))
    return { kind: 'wait', until: item.lease.until, reason: 'leased' };
  if (item.deletion !== undefined) return { kind: 'stop', reason: 'deleted' };
  if (item.state !== 'active') return { kind: 'stop', reason: item.state };
  // Its subscribers are told of changes all the same.
  if (item.paused !== undefined) return { kind: 'rest', dueAt: restUntil(item, seen.profile, undefined, now) };
  const want = wanted(seen, now);
  if (want.kind === 'rest') return want;
  if (want.from > now) return { kind: 'wait', until: want.from, reason: 'not_due' };
  if (item.lease !== undefined && leaseAlive(item, now))
    return { kind: 'wait', until: item.lease.until, reason: 'leased' };
  if (item.notBefore !== undefined && item.notBefore > now)
    return { kind: 'wait', until: item.notBefore, reason: 'backing_off' };
  return { kind: 'refresh', reason: want.reason };
}
