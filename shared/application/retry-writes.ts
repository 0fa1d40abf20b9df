/** Writes that are worth trying again while the table cannot be reached. */

import type { Connection } from '../domain/connection.ts';
import type { ConnectionName } from '../domain/connection-name.ts';
import { limits } from '../domain/limits.ts';
import { type EpochMs, plus } from '../domain/time.ts';
import type { Write } from '../domain/writes.ts';
import type { Chance, Clock } from '../ports/clock.ts';
import type { ConnectionStore } from '../ports/connections.ts';
import { Unavailable } from '../ports/errors.ts';
import type { Committed } from './report.ts';

interface Table {
  readonly clock: Clock;
  readonly chance: Pick<Chance, 'next'>;
  readonly store: ConnectionStore;
}

/**
 * Tries a write again when its reply is lost, where only its writer knows that nothing has followed from it yet: a
 * lease under which nothing was sent, a probe that was not made, a code that did not leave. Its successors would
 * have to wait for it. The store recognises what an earlier try wrote. Throws `Unavailable` at last.
 */
export async function withRetries<T>(
  { clock, chance }: Pick<Table, 'clock' | 'chance'>,
  write: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof Unavailable) || attempt === limits.acquiresPerInvocation) throw error;
      await clock.sleep(limits.commitRetryMs * (1 + chance.next()));
    }
  }
}

/**
 * Tries the writes in order until one is applied, and all again while the table cannot be reached, up to the deadline's
 * reserve.
 */
export async function commitUntilDeadline(
  { clock, chance, store }: Table,
  connection: ConnectionName,
  deadline: EpochMs,
  writes: readonly Write[],
): Promise<Committed> {
  for (;;) {
    try {
      let item: Connection | undefined;
      for (const write of writes) {
        const result = await store.apply(connection, write);
        if (result.applied) return { kind: 'applied', item: result.item };
        ({ item } = result);
      }
      return { kind: 'refused', item };
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      const pauseMs = limits.commitRetryMs * (1 + chance.next());
      if (plus(clock.now(), pauseMs + limits.commitReserveMs) > deadline) return { kind: 'abandoned' };
      await clock.sleep(pauseMs);
    }
  }
}
