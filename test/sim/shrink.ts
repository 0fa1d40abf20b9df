/** From a run that went wrong to one that goes wrong with as little as possible going on. */
import type { FaultRates } from './faults.ts';
import { type Run, type SimulationOptions, simulate } from './simulation.ts';

const classes: readonly (keyof FaultRates)[] = [
  'duplicates',
  'planner',
  'queue',
  'keys',
  'staleSecretsMs',
  'skewMs',
  'slow',
  'outages',
  'secrets',
  'table',
  'provider',
  'pause',
  'crash',
];

/** Switches off one class of fault after the other, as long as the same invariant breaks. Undefined if the seed breaks none. */
export async function shrink(seed: number, options: SimulationOptions = {}): Promise<Run | undefined> {
  let best = await simulate(seed, { ...options, brief: true });
  const invariant = best.violations[0]?.invariant;
  if (invariant === undefined) return undefined;
  for (const name of classes) {
    if (best.rates[name] === 0) continue;
    const run = await simulate(seed, { ...options, brief: true, rates: { ...best.rates, [name]: 0 } });
    if (run.violations[0]?.invariant === invariant) best = run;
  }
  return best;
}
