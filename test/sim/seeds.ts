/** Many seeds, in worker threads: runs are independent of each other, and none shares anything but the code. */
import { Worker } from 'node:worker_threads';
import type { Violation } from './checkers/checker.ts';
import type { KindName } from './natures.ts';
import type { Costs } from './simulation.ts';

/** What is told of one run. */
export interface Summary {
  readonly seed: number;
  readonly kind: KindName;
  readonly violation: Violation | undefined;
  readonly costs: Costs;
}

export interface Job {
  readonly first: number;
  readonly count: number;
  /** A kept mistake; none for the right protocol. A mistake's run ends at its first violation. */
  readonly mutant?: string;
}

/** Every `step`th seed from `from` on, up to but without `until`. */
export interface Share {
  readonly from: number;
  readonly until: number;
  readonly step: number;
  readonly mutant: string | undefined;
}

/** Runs the seeds and tells each summary as it comes, in no particular order. Rejects if a run throws. */
export async function runSeeds({ first, count, mutant }: Job, workers: number, tell: (summary: Summary) => void): Promise<void> {
  const shares = Array.from({ length: Math.min(workers, count) }, (_, n): Share => ({ from: first + n, until: first + count, step: workers, mutant }));
  await Promise.all(
    shares.map(
      (share) =>
        new Promise<void>((resolve, reject) => {
          const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: share });
          worker.on('message', tell);
          worker.on('error', reject);
          worker.on('exit', () => resolve());
        }),
    ),
  );
}
