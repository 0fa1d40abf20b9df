/**
 * What a connection may spend at its provider. A call is counted before it is made, as one that fails. A success takes
 * the failure back, and a request that never left takes back the call as well. So neither a crash nor a race lets the
 * provider see more than the budget.
 */
import type { Connection } from './connection.ts';
import type { Fence } from './ids.ts';
import type { Profile } from './profile.ts';
import { dayMs, type EpochMs, hourMs, plus } from './time.ts';
import { codePath, failingPath, type Path } from './writes.ts';

export const dayOf = (now: EpochMs): number => Math.floor(now / dayMs);

/** Calls made on the UTC day of `now`. */
export const callsOn = ({ calls }: Connection, now: EpochMs): number => (calls.day === dayOf(now) ? calls.count : 0);

/** When the calls of the last hour began that failed or are open, oldest first. */
export const errorsOf = ({ calls: { failing, codes } }: Connection, now: EpochMs): EpochMs[] =>
  [...Object.values(failing), ...Object.values(codes)].filter((at) => plus(at, hourMs) > now).sort((a, b) => a - b);

/** What is noted of calls that no longer count, since they began more than an hour ago. */
export function outdatedCalls({ calls: { failing, codes } }: Connection, now: EpochMs): Path[] {
  const outdated = (calls: Readonly<Record<string, EpochMs>>) =>
    Object.keys(calls).filter((key) => plus(calls[key] ?? now, hourMs) <= now);
  return [...outdated(failing).map((fence) => failingPath(Number(fence) as Fence)), ...outdated(codes).map(codePath)];
}

/** Until when no call may be made, or undefined if one may. */
export function spentUntil(
  item: Connection,
  { errorsPerHour, callsPerDay }: Profile,
  now: EpochMs,
): EpochMs | undefined {
  const errors = errorsOf(item, now);
  const oldest = errorsPerHour === undefined ? undefined : errors[errors.length - errorsPerHour];
  if (oldest !== undefined) return plus(oldest, hourMs);
  if (callsPerDay !== undefined && callsOn(item, now) >= callsPerDay) return ((dayOf(now) + 1) * dayMs) as EpochMs;
  return undefined;
}
