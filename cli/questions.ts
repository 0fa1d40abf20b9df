/** What a preset needs, asked for in its own words. */
import { input, select } from '@inquirer/prompts';
import type { Fault } from '../shared/domain/fault.ts';
import { secretsMissing } from '../shared/providers/credentials.ts';
import type { EndpointPolicy } from '../shared/providers/endpoint-url.ts';
import { parseConnectionRequest } from '../shared/providers/parse-request.ts';
import type { Preset } from '../shared/providers/preset.ts';
import { knownPresets } from '../shared/providers/presets/index.ts';
import { wrongInput } from './failure.ts';
import type { Screen } from './screen.ts';
import { askSecret } from './secret-input.ts';

/** The body of `PUT /connections/{connection}`, as it grows. */
export interface Body {
  provider?: string;
  settings: Record<string, unknown>;
  client?: { client_id?: string; client_secret?: string };
  refresh_token?: string;
  [member: string]: unknown;
}

/** Where there is no terminal, everything that is missing is told at once. */
const faultLines = (faults: readonly Fault[]): string[] =>
  faults.map(({ path, message }) => `${path === '' ? 'body' : path} ${message}`);

export function presetNamed(name: string): Preset {
  const preset = Object.hasOwn(knownPresets, name) ? knownPresets[name] : undefined;
  if (preset === undefined)
    throw wrongInput(`provider: ${name} is not known; token-broker providers lists those that are.`);
  return preset;
}

export const askProvider = (): Promise<string> =>
  select(
    {
      message: 'Which provider?',
      choices: Object.values(knownPresets).map(({ name, title }) => ({ value: name, name: `${title} (${name})` })),
      pageSize: 12,
    },
    { output: process.stderr },
  );

/**
 * Asks for what the provider needs and the body lacks, until the broker's own parser has nothing to say. Throws a
 * failure that lists every fault where no person can be asked, or where asking does not help.
 */
export async function askForTheRest(body: Body, screen: Screen, policy: EndpointPolicy): Promise<void> {
  const preset = presetNamed(body.provider ?? '');
  for (;;) {
    const parsed = parseConnectionRequest(body, policy);
    // A new connection has no stored secrets to keep.
    const missing = [...(parsed.ok ? [] : parsed.faults), ...secretsMissing(parsed)];
    if (missing.length === 0) return;
    const askable = missing.filter(({ path, message }) => message.startsWith('is missing') && canAsk(preset, path));
    if (!screen.interactive || askable.length < missing.length) throw wrongInput(...faultLines(missing));
    for (const { path } of askable) await ask(preset, path, body);
  }
}

const canAsk = (preset: Preset, path: string): boolean =>
  path.startsWith('client.') || preset.settings[path.replace('settings.', '')] !== undefined;

async function ask(preset: Preset, path: string, body: Body): Promise<void> {
  if (path.startsWith('client.')) {
    const member = path === 'client.client_id' ? 'client_id' : 'client_secret';
    const value =
      member === 'client_id'
        ? await input({ message: `Client id at ${preset.title}` }, { output: process.stderr })
        : await askSecret(`Client secret at ${preset.title}`);
    body.client = { ...body.client, [member]: value };
    return;
  }
  const name = path.replace('settings.', '');
  const setting = preset.settings[name];
  if (setting === undefined) return;
  const message = `${name}: ${setting.description}`;
  if (setting.kind === 'secret') body.settings[name] = await askSecret(message);
  else if (setting.kind === 'choice')
    body.settings[name] = await select(
      { message, choices: setting.choices.map((choice) => ({ value: choice })) },
      { output: process.stderr },
    );
  else {
    const text = await input({ message }, { output: process.stderr });
    body.settings[name] = setting.kind === 'duration' ? Number(text) : text;
  }
}
