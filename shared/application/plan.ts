/**
 * Runs every minute. Sends one delayed message for each connection that falls due before the next run is certain to be
 * over; while many wait in line for refreshers, no second message for one whose first is in the queue already.
 */

import type { ConnectionName } from '../domain/connection-name.ts';
import { dueShards } from '../domain/due-shards.ts';
import { limits } from '../domain/limits.ts';
import { type EpochMs, plus } from '../domain/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { ConnectionStore } from '../ports/connections.ts';
import type { RefreshQueue } from '../ports/queue.ts';
import type { Telemetry } from '../ports/telemetry.ts';

export interface PlanWorld {
  readonly clock: Clock;
  readonly store: Pick<ConnectionStore, 'listDue'>;
  readonly queue: RefreshQueue;
  readonly telemetry: Telemetry;
  /** What the last run sent or left in line; lives as long as the execution environment, and may be empty. */
  readonly line: Map<ConnectionName, Sent>;
}

type Due = Awaited<ReturnType<ConnectionStore['listDue']>>[number];

/** A message that was sent at an instant, for when the connection was due then. */
interface Sent extends Due {
  readonly at: EpochMs;
}

/**
 * Returns how many messages were sent and how many connections are overdue. Throws `Unavailable`: the next minute makes
 * up for it.
 */
export async function plan({
  clock,
  store,
  queue,
  telemetry,
  line,
}: PlanWorld): Promise<{ readonly sent: number; readonly overdue: number }> {
  const now = clock.now();
  const pages = await Promise.all(
    dueShards.map((shard) => store.listDue(shard, plus(now, limits.planHorizonMs), limits.duePerShard)),
  );
  const due = pages.flat();
  const late = due.filter(({ dueAt }) => plus(dueAt, limits.overdueAfterMs) <= now);
  const overdue = late.length;
  // Counted before anything can fail: that the number is missing is an alarm of its own.
  telemetry.count('OverdueConnections', overdue);
  const [inLine, missing] = overdue > limits.overdueInLine ? partedBy(line, due, now) : [[], due];
  await queue.sendAll(missing.map(({ connection, dueAt }) => ({ connection, delayMs: Math.max(0, dueAt - now) })));
  line.clear();
  for (const sent of inLine) line.set(sent.connection, sent);
  for (const { connection, dueAt } of missing) line.set(connection, { connection, dueAt, at: now });
  if (missing.length + overdue > 0)
    telemetry.info('planned', {
      sent: missing.length,
      overdue,
      ...(overdue > 0 && { longestOverdue: longestOf(late) }),
    });
  return { sent: missing.length, overdue };
}

/** A few names, which an operator can look at. */
const longestOf = (late: readonly Due[]): string =>
  late
    .toSorted((a, b) => a.dueAt - b.dueAt)
    .slice(0, limits.overdueNamed)
    .map(({ connection }) => connection)
    .join(', ');

/** Those whose message was sent lately, for the same instant, and those who have none on its way. */
function partedBy(line: PlanWorld['line'], due: readonly Due[], now: EpochMs): [Sent[], Due[]] {
  const inLine: Sent[] = [];
  const missing: Due[] = [];
  for (const one of due) {
    const sent = line.get(one.connection);
    if (sent?.dueAt === one.dueAt && plus(sent.at, limits.lineAgainMs) > now) inLine.push(sent);
    else missing.push(one);
  }
  return [inLine, missing];
}
