/**
 * What a connection may spend at its provider. A call is counted before it is made, as one that fails; a success takes the error
 * back, and what never left takes back both. So neither a crash nor a race makes the provider see more than the budget.
 */
import type { Connection } from './connection.ts';
import type { Profile } from './profile.ts';
import { type EpochMs, plus } from './time.ts';

const hourMs = 3_600_000;
const dayMs = 86_400_000;

export const dayOf = (now: EpochMs): number => Math.floor(now / dayMs);
export const callsOn = (item: Connection, now: EpochMs): number => (item.callsOn === dayOf(now) ? item.calls : 0);

/** When the errors of the last hour began, oldest first. */
export const errorsOf = (item: Connection, now: EpochMs): EpochMs[] =>
  Object.values(item.errors)
    .filter((at) => plus(at, hourMs) > now)
    .sort((a, b) => a - b);

/** Fencing tokens of errors that no longer count. */
export const outdatedErrors = (item: Connection, now: EpochMs): string[] =>
  Object.entries(item.errors)
    .filter(([, at]) => plus(at, hourMs) <= now)
    .map(([fence]) => fence);

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
