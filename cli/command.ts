/** What the commands have in common. */
import type { Argv } from 'yargs';
import { parseConnectionName } from '../shared/domain/connection-name.ts';
import { wrongInput } from './failure.ts';
import { type Screen, screenOf } from './screen.ts';
import { type Target, type TargetOptions, targetOf } from './target.ts';

/** Adds the options by which a broker is named. */
export const withTarget = <T>(argv: Argv<T>) =>
  argv
    .option('stack', { type: 'string', describe: "A deployed broker, by its CloudFormation stack's name" })
    .option('url', { type: 'string', describe: "A broker by its API's address" })
    .option('region', { type: 'string', describe: 'The AWS Region; by default that of the address or environment' })
    .option('profile', { type: 'string', describe: 'The profile of the AWS configuration' })
    .option('data', { type: 'string', describe: 'The data directory of a broker on this machine' })
    .option('json', { type: 'boolean', default: false, describe: 'Write JSON' });

export const withName = <T>(argv: Argv<T>) =>
  withTarget(argv)
    .positional('name', { type: 'string', demandOption: true, describe: "The connection's name" })
    .check(namesConnection);

/** Refuses a name that no connection has, before it becomes part of a path, where `..` would mean another route. */
export function namesConnection({ name }: { readonly name?: string | undefined }): true {
  if (name !== undefined && parseConnectionName(name) === undefined)
    throw wrongInput(`${JSON.stringify(name)} names no connection: 1 to 63 of a–z, 0–9 and inner hyphens do.`);
  return true;
}

export interface Run {
  readonly target: Target;
  readonly broker: Target['broker'];
  readonly screen: Screen;
}

export async function begin(options: TargetOptions & { readonly json: boolean }): Promise<Run> {
  const target = await targetOf(options);
  return { target, broker: target.broker, screen: screenOf(options.json) };
}

/** Providers on this machine may be called by a broker on this machine only. */
export const policyFor = ({ kind }: Target): { readonly allowLoopback: boolean } => ({
  allowLoopback: kind === 'local',
});

/** A question to which the person must say yes. Where there is no terminal, `--yes` has to be given. */
export async function agreed(screen: Screen, yes: boolean, question: string): Promise<boolean> {
  if (yes) return true;
  if (!screen.interactive) throw wrongInput(`--yes: is needed where nobody can be asked: ${question}`);
  const { confirm } = await import('@inquirer/prompts');
  return confirm({ message: question, default: false }, { output: process.stderr });
}
