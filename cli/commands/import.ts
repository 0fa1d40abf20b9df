import type { Argv } from 'yargs';
import { Refused } from '../api.ts';
import { agreed, begin, policyFor, type Run, withTarget } from '../command.ts';
import { opened, sealedSuffix } from '../export/sealed-file.ts';
import { CommandFailure, type ExitCode, exitCodes, wrongInput } from '../failure.ts';
import { entriesOf, faultsOf, type ImportEntry, textOf } from '../import-file.ts';
import { stoppable } from '../interrupt.ts';
import { type Screen, show, table } from '../screen.ts';
import { passphraseOf } from '../secret-input.ts';

export const command = 'import <file>';
export const describe = 'Creates or replaces the connections of a CSV or JSON file, after a dry run';
export const builder = (argv: Argv) =>
  withTarget(argv)
    // Without it a hyphen is taken for an option without a name.
    .nargs('file', 1)
    .positional('file', {
      type: 'string',
      demandOption: true,
      describe: 'A .csv or .json file, or a sealed one of export; - is JSON from standard input',
    })
    .option('passphrase-file', { type: 'string', nargs: 1, describe: 'Of a sealed file: the file with its passphrase' })
    .option('dry-run', { type: 'boolean', default: false, describe: 'Only say what is wrong, and what would happen' })
    .option('yes', { type: 'boolean', default: false, describe: 'Do not ask' });

type Options = Awaited<ReturnType<typeof builder>['argv']>;

type Outcome = {
  readonly connection: string;
  readonly result: 'created' | 'replaced' | 'failed';
  readonly detail?: string;
};

export async function handler(options: Options): Promise<void> {
  const run = await begin(options);
  const { broker, screen } = run;
  const entries = await entriesIn(options, screen);
  const there = new Set<string>((await broker.all()).map(({ connection }) => connection));
  const faults = faultsOf(entries, policyFor(run.target), there);
  if (faults.length > 0) throw wrongInput(...faults, `Nothing was sent: ${faults.length} faults in ${options.file}.`);
  const replaced = entries.filter(({ connection }) => there.has(connection)).length;
  const plan = `${entries.length - replaced} to create, ${replaced} to replace`;
  if (options.dryRun)
    return show(screen, { create: entries.length - replaced, replace: replaced }, [`${plan}. Nothing was sent.`]);
  if (!(await agreed(screen, options.yes, `Import ${options.file}: ${plan}?`))) return screen.note('Nothing was sent.');
  const { outcomes, exitCode } = await putAll(run, entries, there);
  const failed = outcomes.filter(({ result }) => result === 'failed');
  show(screen, outcomes, [
    ...table(
      screen,
      ['connection', 'result', ''],
      failed.map(({ connection, result, detail = '' }) => [
        { text: connection },
        { text: result, style: 'red' },
        { text: detail },
      ]),
    ).slice(failed.length > 0 ? 0 : 1),
    `${outcomes.length - failed.length} of ${entries.length} imported.`,
  ]);
  if (exitCode !== undefined)
    throw new CommandFailure(
      'Import the same file again for the rest: what is imported already stays as it is.',
      exitCode,
    );
}

async function entriesIn({ file, passphraseFile }: Options, screen: Screen): Promise<readonly ImportEntry[]> {
  if (!file.endsWith(sealedSuffix)) return entriesOf(file);
  const text = textOf(file);
  return entriesOf(file, await opened(text, await passphraseOf(screen, file, passphraseFile), file));
}

/** What is to be looked at first, where there were failures of several kinds. */
const gravest = [exitCodes.interrupted, exitCodes.failed, exitCodes.needsAttention, exitCodes.tryAgain];

/**
 * One after the other: each is whole or not there, whenever the person stops. Returns the exit code of what went wrong,
 * if anything did. A broker that cannot be reached is not asked for the rest.
 */
export async function putAll(
  { broker, screen }: { readonly broker: Pick<Run['broker'], 'put'>; readonly screen: Pick<Screen, 'note'> },
  entries: readonly ImportEntry[],
  there: ReadonlySet<string>,
) {
  const outcomes: Outcome[] = [];
  const codes = new Set<ExitCode>();
  const stop = stoppable();
  for (const { connection, body } of entries) {
    if (stop.signal.aborted) {
      codes.add(exitCodes.interrupted);
      break;
    }
    try {
      await broker.put(connection, body);
      outcomes.push({ connection, result: there.has(connection) ? 'replaced' : 'created' });
    } catch (error) {
      if (!(error instanceof CommandFailure)) throw error;
      outcomes.push({ connection, result: 'failed', detail: error.message });
      codes.add(error.exitCode);
      if (!(error instanceof Refused)) break;
    }
    if (outcomes.length % 10 === 0) screen.note(`${outcomes.length} of ${entries.length} …`);
  }
  stop.release();
  return { outcomes, exitCode: gravest.find((code) => codes.has(code)) };
}
