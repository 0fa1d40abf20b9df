/** `npm run mutants -- --seeds N`: how many of N random seeds show each kept mistake, as a Markdown table. */
import { parseNumbers } from '../sim/arguments.ts';
import { runSeeds } from '../sim/seeds.ts';
import type { CaughtBy } from './mutant.ts';
import { mutants } from './mutants.ts';

function readArguments() {
  if (process.argv.includes('--help')) {
    console.log(
      'npm run mutants -- [--seeds N, default 200] [--workers N, default 2]: what catches each kept mistake, as a ' +
        'table',
    );
    process.exit(0);
  }
  try {
    return parseNumbers(process.argv.slice(2), {
      seeds: { default: 200, least: 1, most: 100_000 },
      workers: { default: 2, least: 1, most: 16 },
    }).numbers;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(2);
  }
}

const inWords = (caughtBy: CaughtBy): string =>
  'race' in caughtBy ? `race *${caughtBy.race}*` : `within ${caughtBy.withinSeeds} seeds`;

/** `S5 12, S3 1 (from seed 4 on)`, or a dash. */
function inNumbers(seen: readonly (readonly [seed: number, invariant: string])[]): string {
  if (seen.length === 0) return '–';
  const invariants = Map.groupBy(seen, ([, invariant]) => invariant);
  const counts = [...invariants]
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([invariant, them]) => `${invariant} ${them.length}`);
  return `${counts.join(', ')} (from seed ${Math.min(...seen.map(([seed]) => seed))} on)`;
}

const { seeds, workers } = readArguments();
console.log(`| Mistake | Why it is made | Breaks | Caught by | Of ${seeds} seeds |\n|---|---|---|---|---|`);
for (const { name, why, invariant, caughtBy } of mutants) {
  const seen: [number, string][] = [];
  await runSeeds({ first: 1, count: seeds, mutant: name }, workers, ({ seed, violation }) => {
    if (violation !== undefined) seen.push([seed, violation.invariant]);
  });
  console.log(`| ${name} | ${why} | ${invariant} | ${inWords(caughtBy)} | ${inNumbers(seen)} |`);
}
