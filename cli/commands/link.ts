import type { Argv } from 'yargs';
import { begin, withName } from '../command.ts';
import { parseDuration } from '../duration.ts';
import { wrongInput } from '../failure.ts';
import { show } from '../screen.ts';

export const command = 'link <name>';
export const describe = 'Writes a link to log in with, to be sent to the person who may';
export const builder = (argv: Argv) =>
  withName(argv)
    .option('for', { type: 'string', describe: 'How long it is good: 30m, 12h, 3d (10m; at most 7d)' })
    .option('end', { type: 'boolean', describe: 'End the link that there is' })
    .conflicts('for', 'end');

type Options = Awaited<ReturnType<typeof builder>['argv']>;

export async function handler(options: Options): Promise<void> {
  const seconds = options.for === undefined ? undefined : parseDuration(options.for);
  if (options.for !== undefined && seconds === undefined)
    throw wrongInput('--for: takes a number and a unit, such as 30m, 12h or 3d.');
  const { broker, screen } = await begin(options);
  if (options.end === true) {
    await broker.endLink(options.name);
    show(screen, { ended: true }, [`No link for ${options.name} works any more.`]);
    return;
  }
  const link = await broker.link(options.name, seconds);
  show(screen, link, [link.connect_url]);
  screen.note(`It is good for one login until ${link.expires_at}; a newer link ends it.`);
}
