import type { DatabaseSync } from 'node:sqlite';

/**
 * Creates tables that are not there yet. In the write-ahead log with `synchronous = normal` an acknowledged write
 * outlives `kill -9` of the process; only a power failure can take the last ones.
 */
export function openTables(database: DatabaseSync, definitions: string): void {
  database.exec('pragma journal_mode = wal; pragma synchronous = normal; pragma foreign_keys = on');
  database.exec(definitions);
}

/** Runs one synchronous block as a transaction: all of it happens, or, if it throws, nothing. */
export function atomically<T>(database: DatabaseSync, block: () => T): T {
  database.exec('begin immediate');
  try {
    const result = block();
    database.exec('commit');
    return result;
  } catch (error) {
    database.exec('rollback');
    throw error;
  }
}
