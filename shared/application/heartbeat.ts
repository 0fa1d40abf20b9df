/** Keeps a lease alive while its holder works. */

import type { Held } from '../domain/held.ts';
import { limits } from '../domain/limits.ts';
import { type EpochMs, plus } from '../domain/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { ConnectionStore } from '../ports/connections.ts';
import type { Protocol } from './protocol.ts';

export interface Heartbeat {
  /** Until when the lease is known to last; in the past once it was found to be lost. */
  until(): EpochMs;
  stop(): void;
}

/**
 * Renews every `heartbeatMs` until stopped. A beat that cannot reach the table is made up for by the next; a refused
 * one ends it.
 */
export function startHeartbeat(clock: Clock, store: ConnectionStore, protocol: Protocol, held: Held): Heartbeat {
  const { connection } = held.seen.item;
  const stopped = new AbortController();
  let until = held.lease.until;
  const beat = async () => {
    for (;;) {
      await clock.sleep(limits.heartbeatMs, stopped.signal);
      if (stopped.signal.aborted) return;
      const next = plus(clock.now(), protocol.leaseMs);
      try {
        const { applied } = await store.apply(connection, protocol.renewLease(held, next));
        until = applied ? next : plus(clock.now(), -1);
        if (!applied) return;
      } catch {
        // Not renewed, as far as we know: `until` stays, and the next beat tries again.
      }
    }
  };
  void beat();
  return { until: () => until, stop: () => stopped.abort('stopped') };
}
