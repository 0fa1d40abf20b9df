/** The refresh queue. */
import type { ConnectionName } from '../domain/connection-name.ts';

/** A message that asks for a connection to be looked at. It carries no secret and no order: the reader decides. */
export interface RefreshQueue {
  /** Delivers not before `delayMs` from now, at least once. Throws `Unavailable`. */
  send(connection: ConnectionName, delayMs: number): Promise<void>;
  sendAll(messages: readonly { readonly connection: ConnectionName; readonly delayMs: number }[]): Promise<void>;
}
