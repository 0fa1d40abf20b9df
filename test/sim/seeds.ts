/** Many seeds, in processes of their own: runs are independent of each other, and share nothing but the code. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
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

interface Job {
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
export async function runSeeds(
  { first, count, mutant }: Job,
  workers: number,
  tell: (summary: Summary) => void,
): Promise<void> {
  const step = Math.min(workers, count);
  await Promise.all(
    Array.from({ length: step }, (_, n) => runShare({ from: first + n, until: first + count, step, mutant }, tell)),
  );
}

async function runShare(share: Share, tell: (summary: Summary) => void): Promise<void> {
  const worker = fork(new URL('./worker.ts', import.meta.url), { serialization: 'advanced' });
  worker.on('message', (summary: Summary) => tell(summary));
  worker.send(share);
  const [code, signal] = await once(worker, 'exit');
  if (code !== 0) throw new Error(`a worker ended with ${code ?? signal}; what it said is above`);
}
