/**
 * `PUT` and `DELETE /connections/{connection}/pause`: an operator stops the renewals of a connection, during an
 * incident of its provider or a migration, and has them go on.
 */
import type { Connection } from '../domain/connection.ts';
import type { ConnectionName } from '../domain/connection-name.ts';
import { limits } from '../domain/limits.ts';
import { pause, resume } from '../domain/schedule-writes.ts';
import type { Clock } from '../ports/clock.ts';
import type { ConnectionStore } from '../ports/connections.ts';
import type { RefreshQueue } from '../ports/queue.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { requestRefresh } from './request-refresh.ts';

interface PauseWorld {
  readonly clock: Clock;
  readonly store: Pick<ConnectionStore, 'read' | 'apply'>;
  readonly queue: RefreshQueue;
  readonly telemetry: Telemetry;
}

export type PauseResult =
  | { readonly kind: 'done'; readonly item: Connection }
  | { readonly kind: 'not_found' }
  /** The connection kept changing while it was written; nothing was changed. */
  | { readonly kind: 'conflict' };

/** What an operator wants of a connection; `by` is the principal, as API Gateway names it. */
export type Wish = { readonly kind: 'paused'; readonly by: string | undefined } | { readonly kind: 'resumed' };

/** Does what is wished, unless it is so already. Throws `Unavailable`. */
export async function pauseConnection(world: PauseWorld, connection: ConnectionName, wish: Wish): Promise<PauseResult> {
  const { clock, store, telemetry } = world;
  for (let attempt = 0; attempt < limits.putTries; attempt += 1) {
    const item = await store.read(connection);
    if (item === undefined || item.deletion !== undefined) return { kind: 'not_found' };
    if ((item.paused !== undefined) === (wish.kind === 'paused')) return { kind: 'done', item };
    const now = clock.now();
    const write = wish.kind === 'paused' ? pause(item, wish.by, now) : resume(item, now);
    const written = await store.apply(connection, write);
    if (!written.applied) continue;
    telemetry.info(wish.kind === 'paused' ? 'connection_paused' : 'connection_resumed', {
      connection,
      provider: item.config.provider,
    });
    // The refresher tells subscribers, and renews what is due by now.
    await requestRefresh(world, connection);
    return { kind: 'done', item: written.item };
  }
  return { kind: 'conflict' };
}
