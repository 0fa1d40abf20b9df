/**
 * Connections whose preset is gone, or whose stored settings do not fit it any more: nothing can be asked of their
 * provider.
 */
import { notedAnnouncementOf } from '../domain/announcements.ts';
import { leaseAlive } from '../domain/assess.ts';
import type { Connection } from '../domain/connection.ts';
import type { ConnectionName } from '../domain/connection-name.ts';
import { lookLater, markFitting, markOutdated, waitsForPreset } from '../domain/outdated-writes.ts';
import type { EpochMs } from '../domain/time.ts';
import type { Announcer } from '../ports/announcer.ts';
import { reasonOf, Unavailable } from '../ports/errors.ts';
import { type FinishDeletionWorld, finishDeletion } from './delete-connection.ts';
import type { Ending } from './run-refresh.ts';

type OutdatedWorld = FinishDeletionWorld & { readonly announcer: Announcer };

const misconfigured: Ending = { do: 'stop', reason: 'misconfigured' };

/**
 * Deletes the connection if that was asked for; else notes that it is misconfigured, once, and tells subscribers and
 * operators.
 */
export async function tendOutdated(world: OutdatedWorld, item: Connection, deadline: EpochMs): Promise<Ending> {
  const { clock, store } = world;
  const { connection, lease } = item;
  if (item.deletion !== undefined) {
    // The holder of a lease may still commit, and its refresh token is the one to revoke.
    if (lease !== undefined && leaseAlive(item, clock.now()))
      return { do: 'wait', until: lease.until, reason: 'leased' };
    await finishDeletion(world, connection, deadline);
    return { do: 'stop', reason: 'deleted' };
  }
  if (item.state !== 'active') {
    await tell(world, item);
    return misconfigured;
  }
  const marked = await store.apply(connection, markOutdated(item, clock.now()));
  if (!marked.applied) return { do: 'stop', reason: 'contended' };
  const { provider } = item.config;
  world.telemetry.error('misconfigured', { connection, provider, state: marked.item.state, cause: marked.item.cause });
  world.telemetry.count('Misconfigured', 1, provider);
  await tell(world, marked.item);
  return misconfigured;
}

/** Tells what is noted, if anything, and has the planner look again in a while. What cannot be told now stays noted. */
async function tell({ clock, store, announcer, telemetry }: OutdatedWorld, item: Connection): Promise<void> {
  const { connection } = item;
  const announcement = notedAnnouncementOf(item);
  try {
    if (announcement !== undefined) await announcer.announce(announcement);
    await store.apply(connection, lookLater(item, clock.now()));
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    telemetry.warn('not_announced', { connection, change: announcement?.change, reason: reasonOf(error) });
  }
}

/** Whether the connection waited for its preset, and may go on now. */
export async function fitsAgain(
  { clock, store, telemetry }: Pick<OutdatedWorld, 'clock' | 'store' | 'telemetry'>,
  connection: ConnectionName,
): Promise<boolean> {
  const item = await store.read(connection);
  if (item === undefined || !waitsForPreset(item)) return false;
  const { applied } = await store.apply(connection, markFitting(item, clock.now()));
  if (applied) telemetry.info('settings_fit_again', { connection, provider: item.config.provider });
  return applied;
}
