import type { ConnectionName } from '../domain/connection-name.ts';

/** Deleting all the secrets of a connection. */
export interface SecretRemoval {
  /**
   * Deletes the connection's credentials and its refresh tokens in slots 0 to `slots` − 1, a few at a time, each only
   * while `mayStill` says so. Returns whether all were deleted; no deletion is under way any more when it returns or
   * throws `Unavailable`.
   */
  remove(connection: ConnectionName, slots: number, mayStill: () => boolean): Promise<boolean>;
}
