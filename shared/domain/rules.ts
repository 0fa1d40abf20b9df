/** Small named rules of the refresh protocol. `decide.ts` puts them in order; each is tested on both sides of its limit. */
import { restUntil } from './announcements.ts';
import { limits } from './limits.ts';
import { keepAliveAtOf, rejectionDueAtOf, safeAt } from './timing.ts';
import { type Attempt, attemptsOf, type Connection, type EpochMs, latest, type Profile, plus, type Seen } from './types.ts';

export type RefreshReason = 'first' | 'due' | 'rejected' | 'in_doubt' | 'keep_alive';
export type WaitReason = 'not_due' | 'leased' | 'backing_off' | 'released';
export type StopReason =
  | 'connection_not_found'
  | 'reauthorization_required'
  | 'misconfigured'
  | 'deleted'
  | 'refreshed'
  | 'failed'
  | 'released'
  | 'superseded'
  | 'lease_lost'
  | 'contended'
  | 'commit_abandoned';

/** What the state of a connection calls for, at this instant, from somebody who holds nothing yet. */
export type Assessment =
  | { readonly kind: 'refresh'; readonly reason: RefreshReason }
  | { readonly kind: 'wait'; readonly until: EpochMs; readonly reason: WaitReason }
  | { readonly kind: 'rest'; readonly dueAt: EpochMs | undefined }
  | { readonly kind: 'stop'; readonly reason: 'reauthorization_required' | 'misconfigured' | 'deleted' };

export const leaseAlive = (item: Connection, now: EpochMs): boolean => item.lease !== undefined && item.lease.until > now;

/** A later attempt's success was committed, and this one's outcome is still unknown: it matters only should that success turn out dead. */
const overtaken = (item: Connection, attempt: Attempt): boolean => attempt.fence <= item.committedFence;

/** Attempts that may have brought another token set, overtaken ones included, except the one with this fencing token. */
export const unresolved = (item: Connection, exceptFence?: number): Attempt[] =>
  attemptsOf(item).filter((attempt) => attempt.sent && attempt.fence !== exceptFence);

/** Those among them that may have brought one newer than what is committed. */
export const mayHaveBeenSent = (item: Connection, exceptFence?: number): Attempt[] =>
  unresolved(item, exceptFence).filter((attempt) => !overtaken(item, attempt));

/** Those among them that may have consumed the *current* refresh token. */
export const inDoubt = (item: Connection, exceptFence?: number): Attempt[] =>
  mayHaveBeenSent(item, exceptFence).filter((attempt) => attempt.generation === item.generation);

/** Until when an earlier holder could still answer, or undefined when none can. */
export function holdersAnswerUntil(attempts: readonly Attempt[], now: EpochMs): EpochMs | undefined {
  const open = attempts.filter((attempt) => !attempt.ended).map((attempt) => safeAt(attempt.startedAt));
  const until = open.length > 0 ? latest(...open) : undefined;
  return until !== undefined && until > now ? until : undefined;
}

/** Nobody has asked for this connection's token for so long that it is not renewed ahead of need. */
export const isUnused = (item: Connection, profile: Profile, now: EpochMs): boolean =>
  profile.renewal === 'while_used' && (item.lastUsed === undefined || plus(item.lastUsed, limits.usedWithinMs) <= now);

type Want = { readonly kind: 'want'; readonly from: EpochMs; readonly reason: RefreshReason } | { readonly kind: 'rest'; readonly dueAt: EpochMs | undefined };

/** From when a renewal is wanted, and why. Computed from the facts, never from the key of the due index. */
function wanted({ item, profile }: Seen, now: EpochMs): Want {
  if (inDoubt(item).length > 0) return { kind: 'want', from: now, reason: 'in_doubt' };
  const keepAliveAt = keepAliveAtOf(item, profile);
  if (keepAliveAt !== undefined && keepAliveAt <= now) return { kind: 'want', from: keepAliveAt, reason: 'keep_alive' };
  const rejectionDueAt = rejectionDueAtOf(item);
  if (rejectionDueAt !== undefined) return { kind: 'want', from: rejectionDueAt, reason: 'rejected' };
  const refreshAt = item.refreshAt ?? now;
  if (refreshAt <= now && isUnused(item, profile, now)) return { kind: 'rest', dueAt: restUntil(item, profile, keepAliveAt) };
  return { kind: 'want', from: refreshAt, reason: item.expiresAt === undefined ? 'first' : 'due' };
}

/** Total over every state of a connection; the same for a first look and for a second one under the lease. */
export function assess(seen: Seen, now: EpochMs): Assessment {
  const { item } = seen;
  // What is under way may commit first: its refresh token is the one to revoke.
  if (item.deletion !== undefined && item.lease !== undefined && leaseAlive(item, now)) return { kind: 'wait', until: item.lease.until, reason: 'leased' };
  if (item.deletion !== undefined) return { kind: 'stop', reason: 'deleted' };
  if (item.state !== 'active') return { kind: 'stop', reason: item.state };
  const want = wanted(seen, now);
  if (want.kind === 'rest') return want;
  if (want.from > now) return { kind: 'wait', until: want.from, reason: 'not_due' };
  if (item.lease !== undefined && leaseAlive(item, now)) return { kind: 'wait', until: item.lease.until, reason: 'leased' };
  if (item.notBefore !== undefined && item.notBefore > now) return { kind: 'wait', until: item.notBefore, reason: 'backing_off' };
  return { kind: 'refresh', reason: want.reason };
}

/** The connection as it would be without our own lease and attempt, to decide again on it. */
export function withoutMine(item: Connection, fence: number): Connection {
  const { [String(fence)]: _attempt, ...attempts } = item.attempts;
  const { [String(fence)]: _error, ...errors } = item.errors;
  const { lease, ...rest } = item;
  const others = { ...rest, attempts, errors, calls: item.calls - 1 };
  return lease === undefined || lease.fence === fence ? others : { ...others, lease };
}
