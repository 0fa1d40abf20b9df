/** Whether a connection's grant can be handed on to another broker without being lost. Pure. */
import { mayHaveBeenSent } from '../../shared/domain/attempts.ts';
import type { Connection } from '../../shared/domain/connection.ts';
import { limits } from '../../shared/domain/limits.ts';
import { type EpochMs, iso, plus } from '../../shared/domain/time.ts';

/** Returns what stands in the way, and what to do about it, in words; undefined where nothing does. */
export function obstacleOf(item: Connection, now: EpochMs): string | undefined {
  const { connection, deletion, paused, lease, calls } = item;
  if (deletion !== undefined) return 'is being deleted.';
  if (paused === undefined)
    return `is not paused, and two that renew one grant lose it: token-broker pause ${connection}.`;
  if (lease !== undefined && lease.until > now)
    return `a renewal is under way, until ${iso(lease.until)} at the latest.`;
  if (mayHaveBeenSent(item).length > 0)
    return `what came of a renewal is not known: token-broker resume ${connection}, and pause it when it is renewed.`;
  const codes = Object.values(calls.codes).map((at) => plus(at, limits.refreshTimeoutMs));
  const until = codes.find((at) => at > now);
  return until && `a login is under way, until ${iso(until)} at the latest.`;
}
