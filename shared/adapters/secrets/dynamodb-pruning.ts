/** Deletes old versions from the table of secrets. Secrets Manager does that by itself; a table keeps every version. */
import { limits } from '../../domain/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import { unavailable } from '../aws/unavailable.ts';
import { deleteVersions, pagesOf, type SecretsTable, type Written } from './dynamodb-versions.ts';

/**
 * Whether old versions are looked for after this one was written. Its id ends with its fencing token (`versionIdOf`).
 */
export const prunesAfter = (versionId: string): boolean =>
  Number.parseInt(versionId.slice(versionId.lastIndexOf('-') + 1), 16) % limits.pruneEveryFence === 0;

/**
 * Returns the versions that are neither among the newest nor young, as Secrets Manager would.
 *
 * What the table of connections points to is never among them. Pruning follows a renewal that has just stored a newer
 * token set in this very slot, and that one stays: its commit moves the pointer there, or a successor finds it and
 * does. Everything else that may still be pointed to is either minutes old (an import, an attempt under way), which a
 * day covers, or at most two generations old (a spare, an overtaken attempt), which a hundred versions cover, since
 * only commits, orphans and imports write versions.
 *
 * Given a part of the versions, it returns a part of the answer: what has a hundred newer ones in a part has them in
 * the whole.
 */
export function outgrown(versions: readonly Written[], now: number): readonly Written[] {
  const newestFirst = versions.toSorted((a, b) => b.writtenAt - a.writtenAt);
  return newestFirst.slice(limits.versionsKept).filter(({ writtenAt }) => writtenAt <= now - limits.versionsKeptMs);
}

export interface SecretPruning {
  /** Is told of each version that was written, and prunes after some of them. Returns at once and never throws. */
  readonly written: (name: string, versionId: string) => void;
  /** Resolves when all that was begun has ended, after 3 s at most. Never rejects. */
  readonly settled: () => Promise<void>;
}

/** Prunes in the background. A pruning that fails is logged, and made up for by the next one. */
export function secretPruning(
  table: SecretsTable,
  clock: Pick<Clock, 'now'>,
  telemetry: Pick<Telemetry, 'warn'>,
): SecretPruning {
  const running = new Set<Promise<void>>();

  async function prune(name: string): Promise<void> {
    const abortSignal = AbortSignal.timeout(limits.pruneMs);
    const found: Written[] = [];
    let pages = 0;
    for await (const page of pagesOf(table, name, abortSignal)) {
      found.push(...page);
      pages += 1;
      if (pages === limits.prunePages) break;
    }
    await deleteVersions(table, name, outgrown(found, clock.now()), abortSignal);
  }

  return {
    written(name, versionId) {
      if (!prunesAfter(versionId)) return;
      const pruned = prune(name)
        .catch((error) => telemetry.warn('prune_failed', { secret: name, error: unavailable('secrets', error) }))
        .finally(() => running.delete(pruned));
      running.add(pruned);
    },
    settled: async () => {
      await Promise.all(running);
    },
  };
}
