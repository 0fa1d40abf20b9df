/** The table of connections. */
import type { Connection } from '../domain/connection.ts';
import type { ConnectionName } from '../domain/connection-name.ts';
import type { EpochMs } from '../domain/time.ts';
import type { Clause, Write } from '../domain/writes.ts';

/** What came of a conditional write. */
export type Applied =
  | { readonly applied: true; readonly item: Connection }
  | { readonly applied: false; readonly item: Connection | undefined };

/** An entry of the due index. */
export interface Due {
  readonly connection: ConnectionName;
  readonly dueAt: EpochMs;
}

/** A part of all connections; `next` says where the next part begins. */
export interface Page {
  readonly items: readonly Connection[];
  readonly next?: ConnectionName;
}

/** The table. Every method throws `Unavailable` when it cannot be reached. */
export interface ConnectionStore {
  /** A strongly consistent read. */
  read(connection: ConnectionName): Promise<Connection | undefined>;
  /** Writes the first item of a connection; false if there is one already. */
  create(item: Connection): Promise<boolean>;
  /**
   * Applies one conditional write, atomically. Not applied: the item as it is now. If this very write had been applied
   * by an earlier try whose reply was lost, the answer is `applied`, as long as no other write has followed it, or
   * `write.mine` holds of the item.
   */
  apply(connection: ConnectionName, write: Write): Promise<Applied>;
  /**
   * Connections of one shard of the due index that are due not later than `until`, soonest first, at most `limit`.
   * Eventually consistent.
   */
  listDue(shard: string, until: EpochMs, limit: number): Promise<readonly Due[]>;
}

/** The list of all connections. */
export interface ConnectionDirectory {
  /**
   * A page of connections by name, from the first one after `after`; where there is a `next`, the list goes on after
   * it. Eventually consistent. Items whose keys begin with `#` are no connections and not listed. Throws `Unavailable`.
   */
  list(limit: number, after?: ConnectionName): Promise<Page>;
}

/** The end of a connection. */
export interface ConnectionRemoval {
  /**
   * Forgets the connection if every clause holds of it; no write can bring it back. True if the connection is not there
   * any more. Throws `Unavailable`.
   */
  remove(connection: ConnectionName, when: readonly Clause[]): Promise<boolean>;
}
