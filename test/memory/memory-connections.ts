/**
 * The table in memory, for scenarios and the simulation. Each operation is one synchronous block, so it is atomic.
 * Items are handed out as they are: they are read-only through and through, and a write makes a new one.
 */

import { applied, holds, isMine } from '../../shared/domain/apply.ts';
import type { Connection } from '../../shared/domain/connection.ts';
import { type ConnectionName, notAConnection } from '../../shared/domain/connection-name.ts';
import type { Write } from '../../shared/domain/writes.ts';
import type { ConnectionDirectory, ConnectionRemoval, ConnectionStore } from '../../shared/ports/connections.ts';

export function memoryConnections(): ConnectionStore & ConnectionRemoval & ConnectionDirectory {
  const items = new Map<ConnectionName, Connection>();
  /** What each was last written by. */
  const lastWrites = new Map<ConnectionName, Write>();
  return {
    async read(connection) {
      return items.get(connection);
    },

    async create(item) {
      const existing = items.get(item.connection);
      if (existing !== undefined) return existing.grant.id === item.grant.id;
      items.set(item.connection, item);
      return true;
    },

    async apply(connection, write) {
      const item = items.get(connection);
      if (item === undefined) return { applied: false, item };
      const next = applied(write, item);
      if (next === undefined) return { applied: lastWrites.get(connection) === write || isMine(write, item), item };
      lastWrites.set(connection, write);
      items.set(connection, next);
      return { applied: true, item: next };
    },

    async listDue(shard, until, limit) {
      return [...items.values()]
        .flatMap(({ connection, dueShard, dueAt }) =>
          dueShard === shard && dueAt !== undefined && dueAt <= until ? [{ connection, dueAt }] : [],
        )
        .sort((a, b) => a.dueAt - b.dueAt)
        .slice(0, limit);
    },

    async list(limit, after) {
      const connections = [...items.keys()].filter((name) => !name.startsWith(notAConnection)).sort();
      const names = connections.filter((name) => after === undefined || name > after);
      const page = names.slice(0, limit);
      const last = page.at(-1);
      return {
        items: page.flatMap((name) => items.get(name) ?? []),
        ...(names.length > limit && last !== undefined ? { next: last } : {}),
      };
    },

    async remove(connection, when) {
      const item = items.get(connection);
      if (item === undefined) return true;
      return when.every((clause) => holds(clause, item)) && items.delete(connection);
    },
  };
}
