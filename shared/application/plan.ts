/**
 * Runs every minute. Sends one delayed message for each connection that falls due before the next run is certain to be
 * over.
 */
import { limits } from '../domain/limits.ts';
import { plus } from '../domain/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { ConnectionStore } from '../ports/connections.ts';
import type { RefreshQueue } from '../ports/queue.ts';
import type { Telemetry } from '../ports/telemetry.ts';

export interface PlanWorld {
  readonly clock: Clock;
  readonly store: Pick<ConnectionStore, 'listDue'>;
  readonly queue: RefreshQueue;
  readonly telemetry: Telemetry;
}

export const dueShards: readonly string[] = Array.from({ length: limits.dueShards }, (_, shard) => String(shard));

/**
 * Returns how many messages were sent and how many connections are overdue. Throws `Unavailable`: the next minute makes
 * up for it.
 */
export async function plan({
  clock,
  store,
  queue,
  telemetry,
}: PlanWorld): Promise<{ readonly sent: number; readonly overdue: number }> {
  const now = clock.now();
  const pages = await Promise.all(
    dueShards.map((shard) => store.listDue(shard, plus(now, limits.planHorizonMs), limits.duePerShard)),
  );
  const due = pages.flat();
  const overdue = due.filter(({ dueAt }) => plus(dueAt, limits.overdueAfterMs) <= now).length;
  // Counted before anything can fail: that the number is missing is an alarm of its own.
  telemetry.count('OverdueConnections', overdue);
  await queue.sendAll(due.map(({ connection, dueAt }) => ({ connection, delayMs: Math.max(0, dueAt - now) })));
  if (due.length > 0) telemetry.info('planned', { sent: due.length, overdue });
  return { sent: due.length, overdue };
}
