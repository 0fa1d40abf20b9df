import type { Argv } from 'yargs';
import { namesConnection, withTarget } from '../command.ts';
import { parseDuration } from '../duration.ts';
import { wrongInput } from '../failure.ts';
import { type LogRecord, logsOf } from '../logs.ts';
import { type Screen, type Style, screenOf } from '../screen.ts';
import { targetOf } from '../target.ts';

export const command = 'logs [name]';
export const describe = 'Writes what the functions log, of all connections or of one';
export const builder = (argv: Argv) =>
  withTarget(argv)
    .positional('name', { type: 'string', describe: 'Only records of this connection' })
    .option('since', { type: 'string', default: '1h', describe: 'How far to go back: 30m, 12h, 3d' })
    .option('level', {
      choices: ['INFO', 'WARN', 'ERROR'] as const,
      default: 'INFO' as const,
      describe: 'From this level on',
    })
    .check(namesConnection);

type Options = Awaited<ReturnType<typeof builder>['argv']>;

const levels = ['DEBUG', 'INFO', 'WARN', 'ERROR', 'CRITICAL'];

export async function handler({ name, since, level, ...options }: Options): Promise<void> {
  const seconds = parseDuration(since);
  if (seconds === undefined) throw wrongInput('--since: takes a number and a unit, such as 30m, 12h or 3d.');
  const target = await targetOf(options);
  const screen = screenOf(options.json);
  for await (const record of logsOf(target, { from: Date.now() - seconds * 1_000, connection: name })) {
    if (levels.indexOf(record.level) < levels.indexOf(level)) continue;
    screen.out(options.json ? JSON.stringify(record) : lineOf(screen, record));
  }
}

const styles: Readonly<Record<string, Style>> = { WARN: 'yellow', ERROR: 'red', CRITICAL: 'red' };

function lineOf(screen: Screen, { at, function: name, level, message, connection, facts }: LogRecord): string {
  const told = Object.entries(facts).map(
    ([fact, value]) => `${fact}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const head = screen.styled(styles[level] ?? 'dim', level.padEnd(5));
  return [at, head, name, connection === undefined ? '' : `${connection}:`, message, ...told].filter(Boolean).join(' ');
}
