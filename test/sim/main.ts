/**
 * `npm run sim -- --seeds N --seed K`: N seeds from K on. Exits with 1 if a promise was broken, and tells how to see it
 * again.
 */
import { parseNumbers } from './arguments.ts';
import { runSeeds, type Summary } from './seeds.ts';
import { shrink } from './shrink.ts';
import { simulate } from './simulation.ts';

const usage = `npm run sim -- [options]

  Runs the real protocol in simulated worlds full of faults, one for each seed, and checks every promise of
  docs/invariants.md.

  --seeds N     how many worlds (default 1000)
  --seed K      the number of the first (default 1); the same seed is the same world
  --workers N   threads (default 2)
  --log         prints everything that happens in one world; with --seeds 1

  Exits with 0 if no promise was broken, with 1 if one was; then it prints the shortest set of faults that shows it.`;

const tailLines = 60;
const progressSeeds = 50_000;
const mostTold = 10;

const inOneLine = ({ seed, kind, violation }: Summary): string =>
  `seed ${seed} (${kind}) ${violation?.invariant}: ${violation?.what}`;

function readArguments() {
  if (process.argv.includes('--help')) {
    console.log(usage);
    process.exit(0);
  }
  try {
    const { numbers, flags } = parseNumbers(
      process.argv.slice(2),
      {
        seeds: { default: 1_000, least: 1, most: 1_000_000 },
        seed: { default: 1, least: 0, most: 2_000_000_000 },
        workers: { default: 2, least: 1, most: 16 },
      },
      ['log'],
    );
    if (flags.includes('log') && numbers.seeds > 1) throw new Error('--log prints one run: it needs --seeds 1');
    return { ...numbers, log: flags.includes('log') };
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(2);
  }
}

const { seeds, seed, workers, log } = readArguments();
if (log) {
  const run = await simulate(seed);
  for (const line of run.log) console.log(line.join('  '));
  console.log(run.kind, run.rates, run.costs, run.digest);
}

const begun = performance.now();
const elapsed = (): number => (performance.now() - begun) / 1_000;
const total = {
  calls: 0,
  generations: 0,
  discardedTokenSets: 0,
  invocations: 0,
  reauthorizations: 0,
  logins: 0,
  removals: 0,
  pauses: 0,
};
const broken: Summary[] = [];
let done = 0;
let longestUnavailableMs = 0;
await runSeeds({ first: seed, count: seeds }, workers, (summary) => {
  done += 1;
  for (const cost of Object.keys(total) as (keyof typeof total)[]) total[cost] += summary.costs[cost];
  longestUnavailableMs = Math.max(longestUnavailableMs, summary.costs.longestUnavailableMs);
  // A run can take an hour: a violation is told at once.
  if (summary.violation !== undefined) {
    broken.push(summary);
    if (broken.length <= mostTold) console.error(inOneLine(summary));
  }
  if (done % progressSeeds === 0)
    console.error(`${done} seeds after ${elapsed().toFixed(0)} s, ${broken.length} with a violation`);
});

const known = (count: number, what: string): string => `  ${String(count).padStart(10)}  ${what}`;
console.log(`${seeds} seeds from ${seed} on in ${elapsed().toFixed(1)} s, ${(seeds / elapsed()).toFixed(0)} a second:`);
for (const line of [
  known(total.calls, 'calls to providers, many of which were made to fail'),
  known(total.generations, 'token sets committed'),
  known(total.discardedTokenSets, 'token sets that came when a newer one was committed already'),
  known(total.invocations, 'invocations of the refresh function, many of which were killed or frozen'),
  known(
    total.reauthorizations,
    'grants that a person gave anew, after a loss that cannot be avoided (docs/invariants.md, bounds)',
  ),
  known(total.logins, 'logins'),
  known(total.removals, 'connections removed'),
  known(total.pauses, 'pauses'),
  known(
    longestUnavailableMs / 1_000,
    'seconds without a token at the longest: an outage of a provider, or a wait for a person',
  ),
])
  console.log(line);
console.log(
  broken.length === 0 ? 'No promise was broken.' : `PROMISES WERE BROKEN in ${broken.length} of ${seeds} seeds.`,
);

broken.sort((a, b) => a.seed - b.seed);
const [first] = broken;
if (first !== undefined) {
  if (broken.length > mostTold) console.error(`… and ${broken.length - mostTold} more`);
  const shortest = await shrink(first.seed);
  const rates = Object.entries(shortest?.rates ?? {}).filter(
    ([name, rate]) => rate !== 0 && (name !== 'pauseMostMs' || shortest?.rates.pause !== 0),
  );
  const needed = rates.map(([name, rate]) => `${name} ${rate}`).join(', ') || 'no fault at all';
  console.error(`\nseed ${first.seed} goes wrong with no more than ${needed}:`);
  for (const line of shortest?.log.slice(-tailLines) ?? []) console.error(line.join('  '));
  console.error(`\nAgain, with every fault that the seed drew: npm run sim -- --seeds 1 --seed ${first.seed} --log`);
  process.exitCode = 1;
}
