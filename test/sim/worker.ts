/** A process's share of the seeds. */
import { once } from 'node:events';
import { mutantNamed } from '../mutants/mutants.ts';
import type { Share, Summary } from './seeds.ts';
import { simulate } from './simulation.ts';

// The parent is gone, so the result has no reader.
process.on('disconnect', () => process.exit());

const [{ from, until, step, mutant }] = (await once(process, 'message')) as [Share];
const options = mutant === undefined ? {} : { variant: mutantNamed(mutant).variant, brief: true };
for (let seed = from; seed < until; seed += step) {
  const { kind, violations, costs } = await simulate(seed, options);
  process.send?.({ seed, kind, violation: violations[0], costs } satisfies Summary);
}
process.disconnect();
