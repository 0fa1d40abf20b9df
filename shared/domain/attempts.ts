/**
 * Questions about attempts: which may have been sent, which leave the current refresh token in doubt, who may still
 * answer.
 */
import type { Attempt, Connection } from './connection.ts';
import type { Fence } from './ids.ts';
import { type EpochMs, latest } from './time.ts';
import { safeAt } from './timing.ts';

/** Attempts in the order in which they were made. */
export const attemptsOf = (item: Connection): Attempt[] =>
  Object.values(item.attempts).sort((a, b) => a.fence - b.fence);

/**
 * A later attempt's success was committed, and this one's outcome is still unknown: it matters only should that success
 * turn out dead.
 */
const overtaken = (item: Connection, attempt: Attempt): boolean => attempt.fence <= item.committedFence;

/**
 * Attempts that may have brought another token set, overtaken ones included, except the one with this fencing token.
 */
export const openAttempts = (item: Connection, exceptFence?: Fence): Attempt[] =>
  attemptsOf(item).filter((attempt) => attempt.sent && attempt.fence !== exceptFence);

/** Those among them that may have brought one newer than what is committed. */
export const mayHaveBeenSent = (item: Connection, exceptFence?: Fence): Attempt[] =>
  openAttempts(item, exceptFence).filter((attempt) => !overtaken(item, attempt));

/** Those among them that may have consumed the *current* refresh token. */
export const inDoubt = (item: Connection, exceptFence?: Fence): Attempt[] =>
  mayHaveBeenSent(item, exceptFence).filter((attempt) => attempt.generation === item.generation);

/** Until when an earlier holder could still answer, or undefined when none can. */
export function holdersAnswerUntil(attempts: readonly Attempt[], now: EpochMs): EpochMs | undefined {
  const open = attempts.filter((attempt) => !attempt.ended).map((attempt) => safeAt(attempt.startedAt));
  const until = open.length > 0 ? latest(...open) : undefined;
  return until !== undefined && until > now ? until : undefined;
}

/** The connection as it would be without our own lease and attempt, to decide again on it. */
export function withoutMine(item: Connection, fence: Fence): Connection {
  const { [String(fence)]: _attempt, ...attempts } = item.attempts;
  const { [String(fence)]: _call, ...failing } = item.calls.failing;
  const { lease, ...rest } = item;
  const others = { ...rest, attempts, calls: { ...item.calls, failing, count: item.calls.count - 1 } };
  return lease === undefined || lease.fence === fence ? others : { ...others, lease };
}
