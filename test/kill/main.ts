/**
 * `npm run kills`: kills, freezes and cuts off real refreshers at every step, prints what came of it, and exits with 1
 * if a promise was broken.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { synthesize } from '../../local/platform/synthesize.ts';
import { observe } from './experiment.ts';
import { blows, outages, type Row } from './rows.ts';
import { type Stage, startStage } from './stage.ts';
import { type Result, tableOf } from './table.ts';
import { broken, measure } from './verdict.ts';

/** Renewed 30 s before they expire, the margin that the broker has by default. */
const accessTokenSeconds = 60;
/** Rows begin this far apart, so that one does not have to wait for another's cold start. */
const apartMs = 1_000;

const directory = mkdtempSync(join(tmpdir(), 'token-broker-kills-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
process.once('SIGINT', () => process.exit(130));
const assembly = join(directory, 'cdk.out');
const broker = (name: string): Promise<Stage> => {
  mkdirSync(join(directory, name));
  return startStage(join(directory, name), assembly);
};

async function resultOf(stage: Stage, connection: string, row: Row): Promise<Result> {
  try {
    const observed = await observe(stage, connection, row, { directory, accessTokenSeconds, lastGeneration: 3 });
    const measured = measure(observed);
    return told(stage, connection, { row, measured, faults: broken(observed, measured) });
  } catch (error) {
    return told(stage, connection, { row, measured: undefined, faults: [String(error)] });
  }
}

/** Progress, and the log of a row that broke its promise, go to stderr: stdout is the table. */
function told(stage: Stage, connection: string, result: Result): Result {
  const { row, faults } = result;
  console.error(
    `${faults.length === 0 ? 'ok  ' : 'FAIL'} ${connection}: step ${row.step}, ${row.what} (${row.provider})`,
  );
  for (const line of [...faults, ...(faults.length === 0 ? [] : stage.logOf(connection))])
    console.error(`       ${line}`);
  return result;
}

async function allAtOnce(): Promise<Result[]> {
  const stage = await broker('at-once');
  try {
    return await Promise.all(
      blows.map(async (row, index) => sleep(index * apartMs).then(() => resultOf(stage, `row-${index + 1}`, row))),
    );
  } finally {
    await stage.close();
  }
}

async function inTurn(): Promise<Result[]> {
  const stage = await broker('in-turn');
  const results: Result[] = [];
  try {
    for (const [index, row] of outages.entries()) results.push(await resultOf(stage, `outage-${index + 1}`, row));
    return results;
  } finally {
    await stage.close();
  }
}

await synthesize(assembly);
const results = (await Promise.all([allAtOnce(), inTurn()])).flat();
console.log(tableOf(results));
process.exitCode = results.every(({ faults }) => faults.length === 0) ? 0 : 1;
