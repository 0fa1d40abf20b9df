import type { Argv } from 'yargs';
import { begin, withName } from '../command.ts';
import { firstToken, loginOf, offer, takenBack } from '../link.ts';
import { show } from '../screen.ts';
import { statusLines } from './status.ts';

export const command = 'reauthorize <name>';
export const describe = 'Has a person log in again, and waits for the token';
export const builder = (argv: Argv) =>
  withName(argv)
    .option('browser', { type: 'boolean', default: true, describe: 'Open the browser' })
    .option('timeout', { type: 'number', default: 600, describe: 'Seconds to wait for the login and the token' });

type Options = Awaited<ReturnType<typeof builder>['argv']>;

export async function handler(options: Options): Promise<void> {
  const run = await begin(options);
  const { broker, screen } = run;
  const { name } = options;
  const before = await broker.describe(name);
  const login = loginOf(run, options);
  try {
    await offer(login, await broker.link(name, undefined));
    const item = await firstToken(login, before);
    show(screen, item, statusLines(screen, item, Date.now()));
  } catch (error) {
    if (!login.stopped.aborted) throw error;
    await takenBack(`The link for ${name}`, () => broker.endLink(name), `link ${name} --end`);
  } finally {
    login.release();
  }
}
