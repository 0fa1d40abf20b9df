/** What Secrets Manager does with old versions by itself: a table keeps everything until somebody deletes it. */
import type { Clock } from '../../ports/clock.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import { unavailable } from '../aws/unavailable.ts';
import { deleteVersions, pagesOf, type SecretsTable, type Written } from './dynamodb-versions.ts';

/** So many of the newest versions stay, however old. */
const keptVersions = 100;
/** Every version stays for so long, however many follow. */
const keptMs = 86_400_000;
/** A prime, so that every slot comes to its turn, also where slot and fencing token go up in step. */
const everyFence = 61;
/** Of up to 1 MB each; a slot has one. What lies beyond is found when these have become fewer. */
const mostPages = 8;
/** For one pruning. The next does what is left. */
const budgetMs = 3_000;

/** Whether the version that was just written is one after which to look for old ones: its id ends with its fencing token (`versionIdOf`). */
export const prunesAfter = (versionId: string): boolean =>
  Number.parseInt(versionId.slice(versionId.lastIndexOf('-') + 1), 16) % everyFence === 0;

/**
 * Returns the versions that are neither among the newest nor young, as Secrets Manager would.
 *
 * What the table of connections points to is never among them. Pruning follows a renewal that has just stored a newer token set in this very
 * slot, and that one stays: its commit moves the pointer there, or a successor finds it and does. Whatever else may still be pointed to was
 * written for a grant, or by a holder, of the last minutes (an import, an attempt under way), which a day covers, or is at most two
 * generations old (a spare, an overtaken attempt), which a hundred versions cover: nothing but commits, orphans and imports writes any.
 *
 * Of a part of the versions it returns fewer, never others: what has a hundred newer ones in a part has them in the whole.
 */
export function outgrown(versions: readonly Written[], now: number): readonly Written[] {
  const newestFirst = versions.toSorted((a, b) => b.writtenAt - a.writtenAt);
  return newestFirst.slice(keptVersions).filter(({ writtenAt }) => writtenAt <= now - keptMs);
}

export interface SecretPruning {
  /** Prunes beside the work, now and then. Returns at once and never throws. */
  readonly written: (name: string, versionId: string) => void;
  /** Resolves when all that was begun has ended, after 3 s at most. Never rejects. */
  readonly settled: () => Promise<void>;
}

/** A pruning that fails is told, and made up for by the next. */
export function secretPruning(
  table: SecretsTable,
  clock: Pick<Clock, 'now'>,
  telemetry: Pick<Telemetry, 'warn'>,
): SecretPruning {
  const running = new Set<Promise<void>>();

  async function prune(name: string): Promise<void> {
    const abortSignal = AbortSignal.timeout(budgetMs);
    const found: Written[] = [];
    let pages = 0;
    for await (const page of pagesOf(table, name, abortSignal)) {
      found.push(...page);
      pages += 1;
      if (pages === mostPages) break;
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
