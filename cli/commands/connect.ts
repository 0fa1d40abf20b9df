import type { Argv } from 'yargs';
import type { Description } from '../broker.ts';
import { begin, policyFor, type Run, withName } from '../command.ts';
import { CommandFailure, wrongInput } from '../failure.ts';
import { firstToken, loginOf, offer, takenBack } from '../link.ts';
import { askForTheRest, askProvider, type Body, presetNamed } from '../questions.ts';
import { show } from '../screen.ts';
import { readSecret } from '../secret-input.ts';
import { statusLines } from './status.ts';

export const command = 'connect <name>';
export const describe = 'Creates a connection, has a person log in, and shows the first token’s facts';
export const builder = (argv: Argv) =>
  withName(argv)
    .option('provider', { type: 'string', describe: "A preset's name (token-broker providers)" })
    .option('set', { type: 'string', array: true, default: [], describe: 'A setting, as name=value' })
    .option('client-id', { type: 'string', describe: "The application's id at the provider" })
    .option('client-secret-file', {
      type: 'string',
      nargs: 1,
      describe: 'The file with its secret; - is standard input',
    })
    .option('client-secret-expires-at', {
      type: 'string',
      describe: 'When that secret ends: a day, or an instant (ISO 8601)',
    })
    .option('secret-file', { type: 'string', array: true, default: [], describe: 'A secret setting, as name=FILE' })
    .option('refresh-token-file', { type: 'string', nargs: 1, describe: 'The file with a refresh token to import' })
    .option('account', { type: 'string', describe: 'Which user or company it is for' })
    .option('renewal', {
      choices: ['while_used', 'always'] as const,
      describe: 'Whether to renew while it is not used',
    })
    .option('browser', { type: 'boolean', default: true, describe: 'Open the browser' })
    .option('timeout', { type: 'number', default: 600, describe: 'Seconds to wait for the login and the first token' });

type Options = Awaited<ReturnType<typeof builder>['argv']>;

export async function handler(options: Options): Promise<void> {
  const run = await begin(options);
  const { broker, screen } = run;
  const { name } = options;
  const existing = await broker.find(name);
  if (existing !== undefined) checkExisting(existing, options);
  const body = existing === undefined ? await completeBody(run, options) : undefined;
  const login = loginOf(run, options);
  try {
    const begun = existing ?? (await broker.put(name, body));
    if (begun.state === 'reauthorization_required') await offer(login, await broker.link(name, undefined));
    const item = await firstToken(login, existing);
    show(screen, item, statusLines(screen, item, Date.now()));
  } catch (error) {
    if (!login.stopped.aborted) throw error;
    // Ctrl-C leaves neither a link that still works nor a connection that was only begun.
    if (existing === undefined) await takenBack(name, () => broker.delete(name), `delete ${name}`);
    await takenBack(`The link for ${name}`, () => broker.endLink(name), `link ${name} --end`);
  } finally {
    login.release();
  }
}

/** One that was begun and waits for its first login goes on; what is put is not changed by the way. */
function checkExisting({ connection, provider, state }: Description, options: Options): void {
  const { set, secretFile, clientId, clientSecretFile, clientSecretExpiresAt, refreshTokenFile, account, renewal } =
    options;
  const given = [
    options.provider,
    clientId,
    clientSecretFile,
    clientSecretExpiresAt,
    refreshTokenFile,
    account,
    renewal,
    ...set,
    ...secretFile,
  ];
  if (state === 'reauthorization_required' && given.every((value) => value === undefined)) return;
  throw new CommandFailure(
    `${connection} is there already (${provider}, ${state}). token-broker reauthorize ${connection} logs in again, ` +
      `token-broker import replaces its settings, token-broker delete ${connection} forgets it.`,
  );
}

async function completeBody({ target, screen }: Run, options: Options): Promise<Body> {
  const provider = options.provider ?? (screen.interactive ? await askProvider() : undefined);
  if (provider === undefined)
    throw wrongInput('--provider: is missing; token-broker providers lists those that are known.');
  presetNamed(provider);
  const body = bodyOf(provider, options);
  await askForTheRest(body, screen, policyFor(target));
  return body;
}

/** The options that say what is put. */
interface BodyOptions {
  readonly set: readonly string[];
  readonly secretFile: readonly string[];
  readonly clientId?: string | undefined;
  readonly clientSecretFile?: string | undefined;
  readonly clientSecretExpiresAt?: string | undefined;
  readonly refreshTokenFile?: string | undefined;
  readonly account?: string | undefined;
  readonly renewal?: 'while_used' | 'always' | undefined;
}

/** The body of the PUT, as far as the options say. */
export function bodyOf(provider: string, options: BodyOptions): Body {
  const { clientId, clientSecretFile, clientSecretExpiresAt, refreshTokenFile, account, renewal } = options;
  const secret = clientSecretFile === undefined ? undefined : readSecret(clientSecretFile, '--client-secret-file');
  const client = {
    ...(clientId !== undefined && { client_id: clientId }),
    ...(secret !== undefined && { client_secret: secret }),
    ...(clientSecretExpiresAt !== undefined && { client_secret_expires_at: clientSecretExpiresAt }),
  };
  const { settings: known } = presetNamed(provider);
  const pairs = options.set.map((text) => pairOf(text, '--set'));
  const secrets = options.secretFile.map((text) => pairOf(text, '--secret-file'));
  return {
    provider,
    settings: {
      ...Object.fromEntries(
        pairs.map(([name, value]) => [name, known[name]?.kind === 'duration' ? Number(value) : value]),
      ),
      ...Object.fromEntries(secrets.map(([name, file]) => [name, readSecret(file, `--secret-file ${name}`)])),
    },
    ...(Object.keys(client).length > 0 && { client }),
    ...(refreshTokenFile !== undefined && { refresh_token: readSecret(refreshTokenFile, '--refresh-token-file') }),
    ...(account !== undefined && { account }),
    ...(renewal !== undefined && { renewal }),
  };
}

function pairOf(text: string, option: string): readonly [string, string] {
  const [, name, value] = /^([a-z][a-z0-9_]*)=(.+)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw wrongInput(`${option}: takes name=value.`);
  return [name, value];
}
