/** Reads the command line, runs the command, and says by the exit code how it went. */
import yargs, { type CommandModule } from 'yargs';
import manifest from '../package.json' with { type: 'json' };
import * as connect from './commands/connect.ts';
import * as remove from './commands/delete.ts';
import * as doctor from './commands/doctor.ts';
import * as exportAll from './commands/export.ts';
import * as importFile from './commands/import.ts';
import * as link from './commands/link.ts';
import * as list from './commands/list.ts';
import * as logs from './commands/logs.ts';
import * as moveIn from './commands/move-in.ts';
import * as open from './commands/open.ts';
import * as pause from './commands/pause.ts';
import * as probe from './commands/probe.ts';
import * as providers from './commands/providers.ts';
import * as reauthorize from './commands/reauthorize.ts';
import * as reject from './commands/reject.ts';
import * as resume from './commands/resume.ts';
import * as status from './commands/status.ts';
import * as token from './commands/token.ts';
import * as trigger from './commands/trigger.ts';
import * as verify from './commands/verify.ts';
import { CommandFailure, type ExitCode, exitCodes, wrongInput } from './failure.ts';
import { faultsOfGiven } from './given.ts';

export const commands = [
  connect,
  reauthorize,
  link,
  importFile,
  moveIn,
  exportAll,
  list,
  status,
  token,
  reject,
  pause,
  resume,
  remove,
  providers,
  probe,
  doctor,
  verify,
  logs,
  open,
  trigger,
];

/** Returns the exit code. What goes wrong is written to standard error; a stack only where the program is at fault. */
export async function run(argv: readonly string[]): Promise<ExitCode | 0> {
  const parser = yargs([...argv])
    .scriptName('token-broker')
    .usage('$0 COMMAND\n\nOperates a token broker: the one on this machine, or a deployed one (--stack, --url).')
    // Each command has options of its own types, which the list of all of them cannot have.
    .command(commands as unknown as CommandModule[])
    .completion('completion', 'Writes a script that completes commands in bash or zsh')
    .demandCommand(1, 'Which command?')
    .strict()
    // An option takes one value, so that it may stand before the connection's name.
    .parserConfiguration({ 'greedy-arrays': false })
    // The types have aliases for what is handed over as the options.
    .check((given, options: unknown) => {
      const faults = faultsOfGiven(given, options as Parameters<typeof faultsOfGiven>[1]);
      if (faults.length > 0) throw wrongInput(...faults, 'Nothing was sent.');
      return true;
    })
    .recommendCommands()
    .version(manifest.version)
    .locale('en')
    .wrap(Math.min(120, process.stdout.columns ?? 100))
    .epilogue('Exit codes: 0 done, 1 refused, 2 wrong input, 3 ask again, 4 a person has to act, 130 interrupted.')
    .exitProcess(false)
    .fail((message, error) => {
      throw error ?? new CommandFailure(`${message}\ntoken-broker --help shows what there is.`, exitCodes.usage);
    });
  try {
    await parser.parseAsync();
    return 0;
  } catch (error) {
    return failed(error);
  }
}

function failed(error: unknown): ExitCode {
  if (error instanceof CommandFailure) {
    process.stderr.write(`${error.message}\n`);
    return error.exitCode;
  }
  // The prompt library's error for Ctrl-C at a question.
  if (error instanceof Error && error.name === 'ExitPromptError') return exitCodes.interrupted;
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  return exitCodes.failed;
}
