/**
 * The values of a connection's settings. This file does not import the schema, which the token function has no use for.
 */
import type { ConnectionConfig } from '../domain/connection.ts';
import type { Presets } from './by-name.ts';
import type { Preset } from './preset.ts';
import type { Values } from './templates.ts';

/** The preset of this name, or undefined. */
export const presetNamed = (name: string, presets: Presets): Preset | undefined =>
  Object.hasOwn(presets, name) ? presets[name] : undefined;

/** Returns what templates find: the settings as given, else their defaults. Secrets are not among them. */
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

/** The settings that a login's callback tells, each with the name of its parameter. */
export const callbackValuesOf = ({ settings }: Preset): readonly (readonly [setting: string, parameter: string])[] =>
  Object.entries(settings).flatMap(([name, setting]) =>
    setting.kind === 'text' && setting.callback !== undefined ? [[name, setting.callback] as const] : [],
  );

/**
 * What clients get with the token beside headers: what the grant's login told, or else what the settings say. Undefined
 * if there is nothing.
 */
export function clientValuesOf(
  { provider, settings }: ConnectionConfig,
  told: Readonly<Record<string, string>> = {},
  presets: Presets,
): Readonly<Record<string, string>> | undefined {
  const preset = presetNamed(provider, presets);
  const entries = (preset === undefined ? [] : callbackValuesOf(preset)).flatMap(([name, parameter]) => {
    const value = told[parameter] ?? settings[name];
    return typeof value === 'string' ? [[parameter, value] as const] : [];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
