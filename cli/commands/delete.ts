import type { Argv } from 'yargs';
import { agreed, begin, withName } from '../command.ts';
import { show } from '../screen.ts';

export const command = 'delete <name>';
export const describe = 'Revokes the grant where the provider can, and forgets the connection';
export const builder = (argv: Argv) =>
  withName(argv).option('yes', { type: 'boolean', default: false, describe: 'Do not ask' });

type Options = Awaited<ReturnType<typeof builder>['argv']>;

export async function handler(options: Options): Promise<void> {
  const { broker, screen } = await begin(options);
  const { connection, provider } = await broker.describe(options.name);
  const question = `Delete ${connection} (${provider}) and its grant? A person would have to log in again.`;
  if (!(await agreed(screen, options.yes, question))) return screen.note('Nothing was changed.');
  const reply = await broker.delete(connection);
  show(screen, reply ?? { connection, deleted: true }, [
    `${connection} serves no more, and is being forgotten.`,
    ...(reply?.detail === undefined ? [] : [reply.detail]),
  ]);
}
