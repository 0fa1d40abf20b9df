/** A thread's share of the seeds: see `Share`. */
import { parentPort, workerData } from 'node:worker_threads';
import { mutantNamed } from '../mutants/mutants.ts';
import type { Share, Summary } from './seeds.ts';
import { simulate } from './simulation.ts';

const { from, until, step, mutant } = workerData as Share;
const options = mutant === undefined ? {} : { variant: mutantNamed(mutant).variant, brief: true };
for (let seed = from; seed < until; seed += step) {
  const { kind, violations, costs } = await simulate(seed, options);
  parentPort?.postMessage({ seed, kind, violation: violations[0], costs } satisfies Summary);
}
