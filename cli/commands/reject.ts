import type { Argv } from 'yargs';
import type { TokenReply } from '../../lambdas/replies.ts';
import { begin, withName } from '../command.ts';
import { show } from '../screen.ts';

export const command = 'reject <name>';
export const describe = 'Reports that the provider refused the token of a generation, and waits for a newer one';
export const builder = (argv: Argv) =>
  withName(argv)
    .option('generation', { type: 'number', demandOption: true, describe: 'The generation of the refused token' })
    .option('status', { type: 'number', describe: 'The HTTP status of the refusal' })
    .option('detail', { type: 'string', describe: "The refusal's words, without any secret" });

type Options = Awaited<ReturnType<typeof builder>['argv']>;

export async function handler(options: Options): Promise<void> {
  const { broker, screen } = await begin(options);
  const { generation, status, detail } = options;
  const token = await broker.call<TokenReply>(`/token/${encodeURIComponent(options.name)}/rejections`, {
    method: 'POST',
    body: { generation, ...(status !== undefined && { status }), ...(detail !== undefined && { detail }) },
  });
  const { access_token: _secret, headers: _headers, ...facts } = token;
  show(screen, facts, [`There is a newer token: generation ${token.generation}, good until ${token.expires_at}.`]);
}
