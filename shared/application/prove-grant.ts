/** `verify` of a PUT: has a grant that nothing has proven yet make its first renewal. */
import type { Connection } from '../domain/connection.ts';
import { limits } from '../domain/limits.ts';
import { plus } from '../domain/time.ts';
import { between } from '../domain/timing.ts';
import { touch } from '../domain/use-writes.ts';
import type { Chance, Clock } from '../ports/clock.ts';
import type { ConnectionStore } from '../ports/connections.ts';
import type { RefreshQueue } from '../ports/queue.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { requestRefresh } from './request-refresh.ts';

interface ProofWorld {
  readonly clock: Clock;
  readonly chance: Pick<Chance, 'next'>;
  readonly store: Pick<ConnectionStore, 'read' | 'apply'>;
  readonly queue: RefreshQueue;
  readonly telemetry: Telemetry;
}

/** A person or a tool put a refresh token, or a secret, and the provider has not been asked yet. */
export const isUnproven = ({ state, tokens }: Connection): boolean => state === 'active' && tokens === undefined;

/**
 * Returns the connection once its first renewal has ended in one way or the other, or as it is when that takes longer
 * than `limits.verifyWaitMs`. Throws `Unavailable`.
 */
export async function proven(world: ProofWorld, item: Connection): Promise<Connection> {
  const { clock, chance, store } = world;
  const { connection, grant } = item;
  if (!isUnproven(item) || item.paused !== undefined) return item;
  const until = plus(clock.now(), limits.verifyWaitMs);
  // A connection that no client uses rests: this call is its first client.
  await store.apply(connection, touch(clock.now()));
  await requestRefresh(world, connection);
  for (let seen = item; ; ) {
    const pauseMs = between(limits.pollMs, chance.next());
    if (plus(clock.now(), pauseMs) > until) return seen;
    await clock.sleep(pauseMs);
    const now = await store.read(connection);
    if (now === undefined || now.grant.id !== grant.id) return seen;
    seen = now;
    if (!isUnproven(seen) || seen.failure !== undefined) return seen;
  }
}
