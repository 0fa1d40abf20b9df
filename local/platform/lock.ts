import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Lies in every data directory. */
export const lockFile = 'lock.sqlite';

/**
 * Takes the data directory for this process, or throws an error that names the process which has it. The lock is the
 * operating system's, on a SQLite file: it ends with the process, however that ends, and no stale process id can keep a
 * broker out.
 */
export function lockDirectory(directory: string): { release(): void } {
  const lock = new DatabaseSync(join(directory, lockFile));
  const holder = join(directory, 'lock.pid');
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch {
    lock.close();
    const pid = readFileSync(holder, { encoding: 'utf8', flag: 'a+' }) || 'unknown';
    throw new Error(
      `${directory} is in use by another local broker (process ${pid}). ` +
        'Stop that one, or name another directory with --data.',
    );
  }
  writeFileSync(holder, String(process.pid));
  return { release: () => lock.close() };
}
