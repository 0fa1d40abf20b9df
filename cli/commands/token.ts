import type { Argv } from 'yargs';
import type { TokenReply } from '../../lambdas/replies.ts';
import { begin, withName } from '../command.ts';
import { wrongInput } from '../failure.ts';
import { show } from '../screen.ts';

export const command = 'token <name>';
export const describe = 'Writes the headers for a request to the provider, with a token that lives';
export const builder = (argv: Argv) =>
  withName(argv)
    .option('header', { type: 'string', describe: 'Only the value of this header, for a script' })
    .option('min-ttl', { type: 'number', describe: 'Seconds that the token must have to live' })
    .option('wait', { type: 'number', describe: 'Seconds to wait for a renewal (10; at most 25)' });

type Options = Awaited<ReturnType<typeof builder>['argv']>;

export async function handler(options: Options): Promise<void> {
  const { broker, screen } = await begin(options);
  const query = new URLSearchParams();
  if (options.minTtl !== undefined) query.set('min_ttl', String(options.minTtl));
  if (options.wait !== undefined) query.set('wait', String(options.wait));
  const parameters = query.size === 0 ? '' : `?${query}`;
  const token = await broker.call<TokenReply>(`/token/${encodeURIComponent(options.name)}${parameters}`);
  if (token.warning !== undefined) screen.note(`warning: ${token.warning}`);
  if (options.header === undefined) show(screen, token, linesOf(token.headers));
  else screen.out(headerOf(token.headers, options.header));
}

const linesOf = (headers: TokenReply['headers']): string[] =>
  Object.entries(headers).map(([name, value]) => `${name}: ${value}`);

/** Names of headers have no case (RFC 9110 §5.1). */
function headerOf(headers: TokenReply['headers'], wanted: string): string {
  const found = Object.entries(headers).find(([name]) => name.toLowerCase() === wanted.toLowerCase());
  if (found === undefined)
    throw wrongInput(`--header: ${wanted} is none of its headers, which are ${Object.keys(headers).join(', ')}.`);
  return found[1];
}
