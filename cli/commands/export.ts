import type { Argv } from 'yargs';
import type { Description } from '../broker.ts';
import { begin, withTarget } from '../command.ts';

export const command = 'export';
export const describe = 'Writes every connection’s settings, without secrets, as JSON that import takes';
export const builder = (argv: Argv) => withTarget(argv);

type Options = Awaited<ReturnType<typeof builder>['argv']>;

export async function handler(options: Options): Promise<void> {
  const { broker, screen } = await begin(options);
  const entries = (await broker.all()).map(entryOf);
  screen.out(JSON.stringify(entries, null, 2));
  screen.note(
    `${entries.length} connections. Secrets are not among them: the broker tells no one, and a grant that two ` +
      'brokers renew is lost.',
  );
}

/** What `PUT` takes, of what the broker tells. */
function entryOf(item: Description): Record<string, unknown> {
  const { connection, provider, settings, client, renewal, margin_seconds, account, callback, allow_grant_conflict } =
    item;
  return {
    connection,
    provider,
    ...(Object.keys(settings).length > 0 && { settings }),
    ...(client !== undefined && { client: { client_id: client.client_id } }),
    renewal,
    margin_seconds,
    account,
    callback,
    allow_grant_conflict,
  };
}
