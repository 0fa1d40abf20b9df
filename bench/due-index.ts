/** The due index in memory, for many connections: what is due soonest is found without looking at all. */
import type { ConnectionName } from '../shared/domain/connection-name.ts';
import type { EpochMs } from '../shared/domain/time.ts';

interface Entry {
  readonly connection: ConnectionName;
  readonly dueAt: EpochMs;
}

export class DueIndex {
  /** Sorted, soonest first; by name where instants are equal. */
  readonly #shards = new Map<string, Entry[]>();

  /** An entry that was due at `from` is due at `to` by now; undefined: it was, or is, not in the index. */
  move(connection: ConnectionName, shard: string, from: EpochMs | undefined, to: EpochMs | undefined): void {
    if (from === to) return;
    const entries = this.#shards.get(shard) ?? [];
    this.#shards.set(shard, entries);
    if (from !== undefined) entries.splice(placeOf(entries, { connection, dueAt: from }), 1);
    if (to !== undefined) {
      const entry = { connection, dueAt: to };
      entries.splice(placeOf(entries, entry), 0, entry);
    }
  }

  list(shard: string, until: EpochMs, limit: number): Entry[] {
    const entries = this.#shards.get(shard) ?? [];
    const end = entries.findIndex(({ dueAt }) => dueAt > until);
    return entries.slice(0, Math.min(limit, end < 0 ? entries.length : end));
  }
}

/** Where the entry is, or belongs. */
function placeOf(entries: readonly Entry[], entry: Entry): number {
  let [from, to] = [0, entries.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    const other = entries[middle];
    if (other !== undefined && isBefore(other, entry)) from = middle + 1;
    else to = middle;
  }
  return from;
}

const isBefore = (a: Entry, b: Entry): boolean =>
  a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.connection < b.connection);
