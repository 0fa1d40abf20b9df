/** What `pause` and `resume` have in common: one connection by name, or all of a provider. */
import type { Argv } from 'yargs';
import type { Broker, Description } from './broker.ts';
import { begin, namesConnection, withTarget } from './command.ts';
import { wrongInput } from './failure.ts';
import { show } from './screen.ts';

export const withNameOrProvider = (argv: Argv) =>
  withTarget(argv)
    .positional('name', { type: 'string', describe: "The connection's name" })
    .option('provider', { type: 'string', describe: 'All connections of this provider' })
    .conflicts('name', 'provider')
    .check(namesConnection);

type Options = Awaited<ReturnType<typeof withNameOrProvider>['argv']>;

/** Does it to each of them, one after the other. Throws `Refused` at the first that is refused. */
export async function toEach(
  options: Options,
  act: (broker: Broker, name: string) => Promise<Description>,
  sentenceOf: (item: Description) => string,
): Promise<void> {
  const { name, provider } = options;
  if (name === undefined && provider === undefined) throw wrongInput('Name a connection, or give --provider.');
  const { broker, screen } = await begin(options);
  const names =
    name === undefined
      ? (await broker.all({ providers: [provider ?? ''] })).map(({ connection }) => connection)
      : [name];
  const items: Description[] = [];
  for (const one of names) items.push(await act(broker, one));
  show(screen, items, items.length === 0 ? [`There is no connection of ${provider}.`] : items.map(sentenceOf));
}
