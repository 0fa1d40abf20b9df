/** `npm run demo`: workers that refresh by themselves beside workers on the broker, at a simulator of Exact Online. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startLocalBroker } from '../broker.ts';
import { synthesize } from '../platform/synthesize.ts';
import { type Arguments, parseArguments, usage } from './arguments.ts';
import { type Run, startRun } from './run.ts';
import { scenarios, speed } from './scenarios.ts';
import { screenOn } from './screen.ts';
import { tableOf } from './table.ts';

const about = `N workers share one grant at a simulator of Exact Online; each sends a record every half minute.

Compressed: the provider's clock runs ${speed} times as fast, all of it. A token of 600 s lives 20 s
and may be renewed after 19 s; an hour takes two minutes. Minutes and hours below are the provider's.
Not compressed: the broker, the deployable bundles as they are; and the time that requests take, but for the half second
(of the provider's) in which the token endpoint answers.
Lifted, for all alike: 60 API calls a minute and 5,000 a day. Where old refresh tokens go on working,
so is the earliest renewal.
Over 10 errors (400, 401, 403, 404) an hour block the API key for an hour,
except where it says that errors block nobody.
`;
const assembly = resolve('.broker/experiment/cdk.out');

const given = parseArguments(process.argv.slice(2));
if (given === 'help') process.stdout.write(usage);
else if ('faults' in given) fail(given.faults.join('\n'));
else experiment(given).catch((error) => fail(error instanceof Error ? (error.stack ?? error.message) : String(error)));

async function experiment({ workers, lifetimes }: Arguments): Promise<void> {
  console.log(about);
  mkdirSync(assembly, { recursive: true, mode: 0o700 });
  await synthesize(assembly, () =>
    console.log('Synthesizing the template and bundling the functions; the next start will not have to …\n'),
  );
  const directory = mkdtempSync(join(tmpdir(), 'token-broker-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  const broker = await startLocalBroker({ port: 0, directory, provider: 'none', assembly });
  const starting = scenarios.flatMap((scenario) =>
    workers.map((number) => startRun(scenario, number, { directory, broker: broker.fetch, lifetimes })),
  );
  const runs = await Promise.all(starting);
  const finish = show(runs, lifetimes);
  finish(await Promise.all(runs.map(({ ended }) => ended)));
  await Promise.all(runs.map((run) => run.close()));
  await broker.close();
}

const table = (runs: readonly Run[], lost: readonly number[] = []): string[] =>
  tableOf(
    runs.map((run, i) => ({
      scenario: run.scenario,
      workers: run.workers,
      figures: run.figures(),
      grantsLost: lost[i],
    })),
  );

/**
 * Shows how it goes: the table, drawn anew each second, or a line for each lifetime where it cannot be. Returns what
 * shows the end.
 */
function show(runs: readonly Run[], lifetimes: number): (lost: readonly number[]) => void {
  const screen = screenOn(process.stdout, table(runs).length + 2);
  const lifetimeMs = 600_000 / speed;
  const startedAt = Date.now();
  const minutes = (): string => {
    const passed = Math.floor(((Date.now() - startedAt) / lifetimeMs - 0.5) * 10);
    return passed < 0
      ? 'The workers have their first tokens.'
      : `Minute ${Math.min(passed, lifetimes * 10)} of ${lifetimes * 10}`;
  };
  const draw = (): void => (screen ? screen.draw([minutes(), '', ...table(runs)]) : console.log(minutes()));
  draw();
  const timer = setInterval(draw, screen ? 1_000 : lifetimeMs);
  return (lost) => {
    clearInterval(timer);
    const lines = [
      `${lifetimes * 10} minutes, ${lifetimes} ${lifetimes === 1 ? 'lifetime' : 'lifetimes'} of an access token:`,
      '',
      ...table(runs, lost),
    ];
    if (screen) screen.draw(lines);
    else console.log(`\n${lines.join('\n')}`);
  };
}

function fail(message: string): void {
  console.error(message);
  // Workers may be at work still; the functions end with this process.
  process.exit(1);
}
