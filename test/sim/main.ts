/** `npm run sim -- --seeds N --seed K`: N seeds from K on. */
import { parseArgs } from 'node:util';
import { simulate } from './simulation.ts';

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' }, log: { type: 'boolean', default: false } },
});
const first = Number(values.seed);
const count = Number(values.seeds);
const begun = performance.now();
const byInvariant = new Map<string, number[]>();
for (let seed = first; seed < first + count; seed += 1) {
  const run = await simulate(seed);
  if (values.log) for (const line of run.log) console.log(line.join('  '));
  if (values.log) console.log(run.kind, run.rates, run.costs, run.digest);
  for (const { invariant, what } of run.violations.slice(0, 1)) {
    const seeds = byInvariant.get(invariant) ?? [];
    seeds.push(seed);
    byInvariant.set(invariant, seeds);
    if (seeds.length <= 3) console.log(`seed ${seed} (${run.kind}) ${invariant}: ${what}`);
  }
}
const seconds = (performance.now() - begun) / 1_000;
console.log([...byInvariant].map(([invariant, seeds]) => `${invariant}: ${seeds.length} (${seeds.slice(0, 8).join(' ')})`));
console.log(`${count} seeds in ${seconds.toFixed(1)} s: ${(count / seconds).toFixed(0)} a second`);
