import { existsSync, writeFileSync } from 'node:fs';
import type { Argv } from 'yargs';
import { knownPresets } from '../../shared/providers/presets/index.ts';
import { presetNamed, toldValuesOf } from '../../shared/providers/values.ts';
import type { Description } from '../broker.ts';
import { begin, type Run, withTarget } from '../command.ts';
import type { ReadGrant } from '../export/grants.ts';
import { sealed, sealedSuffix } from '../export/sealed-file.ts';
import { CommandFailure, exitCodes, wrongInput } from '../failure.ts';
import { newPassphrase } from '../secret-input.ts';
import { faultOfOutput } from '../text-file.ts';

export const command = 'export';
export const describe = 'Writes every connection’s settings as JSON that import takes; with secrets into a sealed file';
export const builder = (argv: Argv) =>
  withTarget(argv)
    .option('provider', { type: 'string', describe: 'Only the connections of this provider' })
    .option('secrets', {
      type: 'string',
      describe: `Of --stack: writes the grants, too, into this new file (…${sealedSuffix}), sealed with a passphrase`,
    })
    .option('passphrase-file', {
      type: 'string',
      nargs: 1,
      describe: 'The file with the passphrase; - is standard input',
    });

type Options = Awaited<ReturnType<typeof builder>['argv']>;

export async function handler(options: Options): Promise<void> {
  const { secrets: file, provider } = options;
  if (file !== undefined) checkFile(file, options);
  const run = await begin(options);
  const items = await run.broker.all({ ...(provider !== undefined && { providers: [provider] }) });
  if (file !== undefined) return withSecrets(run, items, file, options);
  run.screen.out(JSON.stringify(items.map(entryOf), null, 2));
  run.screen.note(
    `${items.length} connections, without their secrets. To move grants to another deployment, pause them, and ` +
      `give --secrets FILE${sealedSuffix}.`,
  );
}

function checkFile(file: string, { stack }: Options): void {
  const faults = [
    ...(file.endsWith(sealedSuffix) ? [] : [`--secrets: takes a file whose name ends with ${sealedSuffix}.`]),
    ...(existsSync(file) ? [`--secrets: ${file} is there already.`] : []),
    ...faultOfOutput('--secrets', file),
    ...(stack === undefined ? ['--stack: is missing; the secrets of a deployment are found by its stack.'] : []),
  ];
  if (faults.length > 0) throw wrongInput(...faults, 'Nothing was read or written.');
}

async function withSecrets(run: Run, items: readonly Description[], file: string, options: Options): Promise<void> {
  const { target, screen } = run;
  if (target.kind !== 'deployed' || target.stack === undefined) throw wrongInput('--stack: is missing.');
  const passphrase = await newPassphrase(screen, file, options.passphraseFile);
  const { grantsOf } = await import('../export/grants.ts');
  const entries = await entriesWithGrants(items, await grantsOf(target.stack, target.aws));
  writeFileSync(file, `${await sealed(JSON.stringify(entries), passphrase)}\n`, { mode: 0o600, flag: 'wx' });
  const grants = entries.filter(({ refresh_token: token }) => token !== undefined).length;
  screen.note(
    [
      `${entries.length} connections, ${grants} of them with a refresh token, are sealed in ${file}.`,
      `They are paused here, and have to stay so: token-broker import ${file} has the other deployment renew them.`,
      'Do not delete them here: that revokes the grants. To go on here instead, destroy the file and resume them.',
    ].join('\n'),
  );
}

/** Returns what `import` takes. Throws a failure with everything that stands in the way; then nothing is handed on. */
export async function entriesWithGrants(items: readonly Description[], read: ReadGrant) {
  const faults: string[] = [];
  const entries: Record<string, unknown>[] = [];
  for (const item of items) {
    const grant = await read(item.connection);
    if ('fault' in grant) {
      faults.push(`${item.connection}: ${grant.fault}`);
      continue;
    }
    const entry = entryOf(item);
    const settings = { ...item.settings, ...toldSettings(item), ...grant.settings };
    entries.push({
      ...entry,
      ...(Object.keys(settings).length > 0 && { settings }),
      ...(entry.client !== undefined && { client: { ...entry.client, ...grant.client } }),
      ...(grant.refreshToken !== undefined && { refresh_token: grant.refreshToken }),
    });
  }
  if (faults.length > 0)
    throw new CommandFailure([...faults, 'Nothing was written.'].join('\n'), exitCodes.needsAttention);
  return entries;
}

/** What the provider told with the grant (`realmId`), as the settings that give it for a grant that is imported. */
function toldSettings({ provider, values = {} }: Description): Record<string, string> {
  const preset = presetNamed(provider, knownPresets);
  const told = preset === undefined ? [] : toldValuesOf(preset);
  return Object.fromEntries(
    told.flatMap(({ setting, name }) => (values[name] === undefined ? [] : [[setting, values[name]]])),
  );
}

/** Of two secrets the broker tells one end. Left out, both stay as they are. */
const clientOf = ({ client_id, client_secret_in_use: ofTwo, ...client }: NonNullable<Description['client']>) => ({
  client_id,
  ...(ofTwo === undefined && { client_secret_expires_at: client.client_secret_expires_at }),
});

/** What `PUT` takes, of what the broker tells. */
function entryOf(item: Description) {
  const { connection, provider, settings, client, renewal, margin_seconds, account, callback, allow_grant_conflict } =
    item;
  return {
    connection,
    provider,
    ...(Object.keys(settings).length > 0 && { settings }),
    ...(client !== undefined && { client: clientOf(client) }),
    renewal,
    margin_seconds,
    account,
    callback,
    allow_grant_conflict,
  };
}
