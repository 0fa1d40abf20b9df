/** `npm run mutants -- --seeds N`: how many of N seeds show each kept mistake, as a Markdown table. */
import { parseArgs } from 'node:util';
import { runSeeds } from '../sim/seeds.ts';
import { mutants } from './mutants.ts';

const { values } = parseArgs({ options: { seeds: { type: 'string', default: '200' }, workers: { type: 'string', default: '2' }, only: { type: 'string' } } });
for (const { name } of mutants.filter((m) => values.only === undefined || values.only.split(',').some((one) => m.name.includes(one)))) {
  const by = new Map<string, number[]>();
  await runSeeds({ first: 1, count: Number(values.seeds), mutant: name }, Number(values.workers), ({ seed, violation }) => {
    if (violation) by.set(violation.invariant, [...(by.get(violation.invariant) ?? []), seed]);
  });
  console.log(
    name,
    [...by].map(([k, v]) => `${k} ${v.length}: ${v.sort((a, b) => a - b).slice(0, 5)}`),
  );
}
