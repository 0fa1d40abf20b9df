/** From a run that went wrong to one that goes wrong with as little as possible going on. */
import type { FaultRates } from './faults.ts';
import { type Run, type SimulationOptions, simulate } from './simulation.ts';

/** In the order in which they are switched off. */
const classes = Object.keys({
  duplicates: 0,
  planner: 0,
  events: 0,
  queue: 0,
  keys: 0,
  resent: 0,
  staleSecretsMs: 0,
  skewMs: 0,
  slow: 0,
  outages: 0,
  secrets: 0,
  table: 0,
  provider: 0,
  pause: 0,
  crash: 0,
} satisfies Record<Exclude<keyof FaultRates, 'pauseMostMs'>, 0>) as (keyof FaultRates)[];

/**
 * Switches off one class of fault after the other, as long as the same invariant breaks. Undefined if the seed breaks
 * none.
 */
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
