/** The use case behind the refresh queue: a message names a connection, and what its state calls for is done. */
import type { ConnectionName } from '../domain/connection-name.ts';
import type { EpochMs } from '../domain/time.ts';
import { type FinishDeletionWorld, finishDeletion } from './delete-connection.ts';
import { fitsAgain, tendOutdated } from './outdated-settings.ts';
import type { Protocol } from './protocol.ts';
import { type RefreshWorld, SettingsOutdated } from './refresh-world.ts';
import { type Ending, runRefresh } from './run-refresh.ts';

export type TendWorld = RefreshWorld & FinishDeletionWorld;

/**
 * Renews the connection if that is due, and finishes its deletion if it was deleted. Returns how the renewal ended.
 * Throws `Unavailable` if the table cannot be reached before anything was begun; what was begun is finished by a later
 * call.
 */
export async function tend(
  world: TendWorld,
  connection: ConnectionName,
  deadline: EpochMs,
  protocol?: Protocol,
): Promise<Ending> {
  try {
    const ending = await runRefresh(world, connection, deadline, protocol);
    if (ending.do !== 'stop') return ending;
    if (ending.reason === 'deleted') await finishDeletion(world, connection, deadline);
    if (ending.reason === 'misconfigured' && (await fitsAgain(world, connection)))
      return await runRefresh(world, connection, deadline, protocol);
    return ending;
  } catch (error) {
    if (error instanceof SettingsOutdated) return tendOutdated(world, error.item, deadline);
    throw error;
  }
}
