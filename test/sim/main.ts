/** `npm run sim -- --seeds N --seed K`: N seeds from K on. Exits with 1 if an invariant broke, and tells how to see it again. */
import { parseNumbers } from './arguments.ts';
import { runSeeds, type Summary } from './seeds.ts';
import { shrink } from './shrink.ts';
import { simulate } from './simulation.ts';

const tailLines = 60;
const progressSeeds = 50_000;
const mostTold = 10;

const inOneLine = ({ seed, kind, violation }: Summary): string =>
  `seed ${seed} (${kind}) ${violation?.invariant}: ${violation?.what}`;

function readArguments() {
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
};
const broken: Summary[] = [];
let done = 0;
let longestUnavailableMs = 0;
await runSeeds({ first: seed, count: seeds }, workers, (summary) => {
  done += 1;
  for (const cost of Object.keys(total) as (keyof typeof total)[]) total[cost] += summary.costs[cost];
  longestUnavailableMs = Math.max(longestUnavailableMs, summary.costs.longestUnavailableMs);
  // Whoever waits for long wants to know of what, and at once.
  if (summary.violation !== undefined) {
    broken.push(summary);
    if (broken.length <= mostTold) console.error(inOneLine(summary));
  }
  if (done % progressSeeds === 0)
    console.error(`${done} seeds after ${elapsed().toFixed(0)} s, ${broken.length} with a violation`);
});

console.log(`${seeds} seeds from ${seed} on in ${elapsed().toFixed(1)} s: ${(seeds / elapsed()).toFixed(0)} a second`);
console.log(
  `calls ${total.calls}, token sets committed ${total.generations}, discarded ${total.discardedTokenSets}, invocations ${total.invocations}`,
);
console.log(
  `authorized again by a person: ${total.reauthorizations}, logins ${total.logins}, connections removed ${total.removals}`,
);
console.log(`longest time without a token that could be served: ${longestUnavailableMs / 1_000} s`);

broken.sort((a, b) => a.seed - b.seed);
const [first] = broken;
if (first !== undefined) {
  if (broken.length > mostTold) console.error(`… and ${broken.length - mostTold} more`);
  const shortest = await shrink(first.seed);
  const rates = Object.entries(shortest?.rates ?? {}).filter(
    ([name, rate]) => rate !== 0 && (name !== 'pauseMostMs' || shortest?.rates.pause !== 0),
  );
  console.error(
    `\nseed ${first.seed} goes wrong with no more than ${rates.map(([name, rate]) => `${name} ${rate}`).join(', ') || 'no fault at all'}:`,
  );
  for (const line of shortest?.log.slice(-tailLines) ?? []) console.error(line.join('  '));
  console.error(`\nAgain, with every fault that the seed drew: npm run sim -- --seeds 1 --seed ${first.seed} --log`);
  process.exitCode = 1;
}
