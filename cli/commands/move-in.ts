import type { Argv } from 'yargs';
import { agreed, begin, policyFor, type Run, withName } from '../command.ts';
import { wrongInput } from '../failure.ts';
import { fileSource } from '../move-in/file.ts';
import { addressOf } from '../move-in/http-source.ts';
import { move, type PutBody } from '../move-in/move.ts';
import { nangoSource } from '../move-in/nango.ts';
import { oauthappSource } from '../move-in/oauthapp.ts';
import { secretSource } from '../move-in/secrets-manager.ts';
import type { FoundGrant, Source } from '../move-in/source.ts';
import { askForTheRest } from '../questions.ts';
import { show } from '../screen.ts';
import { askSecret, readSecret } from '../secret-input.ts';
import { bodyOf } from './connect.ts';
import { statusLines } from './status.ts';

export const command = 'move-in <name>';
export const describe =
  'Moves a grant in from where it is now: reads it, stops the source, renews, says what to switch off';
export const builder = (argv: Argv) =>
  withName(argv)
    .option('from', {
      choices: ['nango', 'oauthapp', 'secrets-manager', 'file'] as const,
      demandOption: true,
      describe: 'Where it is',
    })
    .option('provider', { type: 'string', describe: "A preset's name; of a file, its column" })
    .option('set', { type: 'string', array: true, default: [], describe: 'A setting, as name=value' })
    .option('client-id', { type: 'string', describe: "The application's id, where the source does not tell it" })
    .option('client-secret-file', {
      type: 'string',
      nargs: 1,
      describe: 'The file with its secret; - is standard input',
    })
    .option('secret-file', { type: 'string', array: true, default: [], describe: 'A secret setting, as name=FILE' })
    .option('account', { type: 'string', describe: 'Which user or company it is for' })
    .option('renewal', {
      choices: ['while_used', 'always'] as const,
      describe: 'Whether to renew while it is not used',
    })
    .option('file', { type: 'string', nargs: 1, describe: 'Of --from file: a file as import takes it' })
    .option('secret-id', { type: 'string', describe: 'Of --from secrets-manager: its name or ARN' })
    .option('connection-id', { type: 'string', describe: 'Of --from nango: its connection id' })
    .option('integration', { type: 'string', describe: 'Of --from nango: the integration id (provider config key)' })
    .option('credential', {
      type: 'string',
      describe: 'Of --from oauthapp: the path of the credential, as oauth2/creds/NAME',
    })
    .option('server', { type: 'string', describe: 'Of --from oauthapp: its server configuration' })
    .option('source-url', {
      type: 'string',
      describe: 'The address of Nango, OpenBao or Vault; else NANGO_SERVER_URL, BAO_ADDR, VAULT_ADDR',
    })
    .option('key-file', {
      type: 'string',
      nargs: 1,
      describe: 'The file with its key or token; else NANGO_SECRET_KEY, BAO_TOKEN, VAULT_TOKEN',
    })
    .option('dry-run', { type: 'boolean', default: false, describe: 'Only say what would happen' })
    .option('yes', { type: 'boolean', default: false, describe: 'Do not ask' });

type Options = Awaited<ReturnType<typeof builder>['argv']>;

export async function handler(options: Options): Promise<void> {
  const run = await begin(options);
  const { broker, screen } = run;
  const { name } = options;
  const source = await sourceOf(options, run);
  await source.look();
  const plan = [
    `Read ${source.title}; put it as ${name}${source.stop === undefined ? '' : ', unused'};`,
    ...(source.stop === undefined ? [] : [`${source.stop.what};`]),
    'renew once, to see that the grant is good.',
  ].join(' ');
  if (options.dryRun) return show(screen, { plan }, [plan, ...beforeLines(source), 'Nothing was read or sent.']);
  screen.note([plan, ...beforeLines(source)].join('\n'));
  if (!(await agreed(screen, options.yes, 'Is all of that off, and shall it be moved in?')))
    return screen.note('Nothing was read or sent.');
  const item = await move({
    broker,
    name,
    source,
    bodyFor: (grant) => bodyFor(run, options, grant),
    tell: (line) => screen.note(line),
  });
  show(screen, { connection: item, switch_off: source.after }, [
    ...statusLines(screen, item, Date.now()),
    '',
    'Moved in. From now on the broker alone is to renew this grant; its status says if another party seems to.',
    'Switch off:',
    ...source.after.map((what) => `  ${what}`),
  ]);
}

const beforeLines = ({ before }: Source): string[] => [
  'To be off before, since two that renew one grant lose it:',
  ...before.map((what) => `  ${what}`),
];

async function bodyFor(run: Run, options: Options, grant: FoundGrant): Promise<PutBody> {
  const { clientId, clientSecret, refreshToken } = grant;
  const provider =
    options.provider ?? (grant.body?.provider as string | undefined) ?? (await run.broker.find(options.name))?.provider;
  if (provider === undefined)
    throw wrongInput('--provider: is missing; token-broker providers lists those that are known.');
  const given = bodyOf(provider, options);
  const client = { ...(clientId && { client_id: clientId }), ...(clientSecret && { client_secret: clientSecret }) };
  const own = (grant.body ?? {}) as { readonly settings?: object; readonly client?: object };
  const body = {
    ...grant.body,
    ...given,
    settings: { ...own.settings, ...given.settings },
    client: { ...client, ...own.client, ...given.client },
    refresh_token: refreshToken,
  };
  if (Object.keys(body.client).length === 0) delete (body as { client?: object }).client;
  await askForTheRest(body, run.screen, policyFor(run.target));
  return body;
}

/** Throws a failure that names every option that is missing. */
function needed<K extends keyof Options>(options: Options, ...names: readonly K[]): void {
  const missing = names.filter((name) => options[name] === undefined);
  const kebab = (name: string) => `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  if (missing.length > 0)
    throw wrongInput(...missing.map((name) => `${kebab(String(name))}: is missing; --from ${options.from} needs it.`));
}

async function sourceOf(options: Options, run: Run): Promise<Source> {
  const { env } = process;
  switch (options.from) {
    case 'file':
      needed(options, 'file');
      return fileSource(options.file ?? '', options.name);
    case 'secrets-manager': {
      needed(options, 'secretId');
      const { SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
      const { region, profile } = options;
      return secretSource(
        new SecretsManagerClient({
          ...(region !== undefined && { region }),
          ...(profile !== undefined && { profile }),
        }),
        options.secretId ?? '',
      );
    }
    case 'nango': {
      needed(options, 'connectionId', 'integration');
      const url = addressOf(options.sourceUrl ?? env.NANGO_SERVER_URL ?? 'https://api.nango.dev', '--source-url');
      const key = await keyOf(options, run, env.NANGO_SECRET_KEY, "Nango's secret key");
      const { connectionId = '', integration = '' } = options;
      return nangoSource(
        { name: 'Nango', url, headers: { authorization: `Bearer ${key}` } },
        { connectionId, integration },
      );
    }
    case 'oauthapp': {
      needed(options, 'credential');
      const [, mount, credential] = /^(.+)\/creds\/(.+)$/.exec(options.credential ?? '') ?? [];
      if (mount === undefined || credential === undefined)
        throw wrongInput('--credential: takes the path of a credential, such as oauth2/creds/exact.');
      const text = options.sourceUrl ?? env.BAO_ADDR ?? env.VAULT_ADDR;
      if (text === undefined) throw wrongInput('--source-url: is missing, and so are BAO_ADDR and VAULT_ADDR.');
      const key = await keyOf(options, run, env.BAO_TOKEN ?? env.VAULT_TOKEN, 'Token of OpenBao or Vault');
      const http = {
        name: 'OpenBao or Vault',
        url: addressOf(text, '--source-url'),
        headers: { 'x-vault-token': key },
      };
      return oauthappSource(http, { mount, credential, server: options.server }, options.name);
    }
  }
}

async function keyOf({ keyFile }: Options, { screen }: Run, fromEnvironment: string | undefined, question: string) {
  if (keyFile !== undefined) return readSecret(keyFile, '--key-file');
  if (fromEnvironment !== undefined && fromEnvironment !== '') return fromEnvironment;
  if (!screen.interactive) throw wrongInput('--key-file: is missing, and the environment has no key either.');
  return askSecret(question);
}
