/** The values of a connection's settings. Without the schema: the token function needs them too. */
import type { ConnectionConfig } from '../domain/connection.ts';
import type { Presets } from './by-name.ts';
import type { Preset } from './preset.ts';
import type { Values } from './templates.ts';

/** The preset of this name, or undefined. */
export const presetNamed = (name: string, presets: Presets): Preset | undefined =>
  Object.hasOwn(presets, name) ? presets[name] : undefined;

/** What templates find: the settings as given, else their defaults. Secrets are not among them. */
export function valuesOf({ settings }: Preset, given: ConnectionConfig['settings']): Values {
  const entries = Object.entries(settings).map(([name, setting]) => {
    const value = given[name] ?? ('default' in setting ? setting.default : undefined);
    const standsFor = setting.kind === 'choice' ? setting.standsFor?.[String(value)] : undefined;
    return [name, standsFor ?? value] as const;
  });
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string | number] => ['string', 'number'].includes(typeof entry[1])),
  );
}
