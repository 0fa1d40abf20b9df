import type { ConnectionName } from '../domain/connection-name.ts';
import { reasonOf } from '../ports/errors.ts';
import type { RefreshQueue } from '../ports/queue.ts';
import type { Telemetry } from '../ports/telemetry.ts';

/**
 * Has the refresh function look at a connection, now or so much later, for what was just written. A message that is
 * lost is made up for by the planner.
 */
export const requestRefresh = (
  { queue, telemetry }: { readonly queue: RefreshQueue; readonly telemetry: Telemetry },
  connection: ConnectionName,
  delayMs = 0,
): Promise<void> =>
  queue
    .send(connection, delayMs)
    .catch((error: unknown) => telemetry.warn('wake_not_sent', { connection, reason: reasonOf(error) }));
