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

/** A setting that the provider tells itself, with a login or with a token. */
interface ToldValue {
  readonly setting: string;
  /** What clients know it by. */
  readonly name: string;
  /** Whether a login's callback has a parameter of this name. */
  readonly inCallback: boolean;
  /** Where replies of the token endpoint have it, if they do. */
  readonly path?: string;
  /** The whole text must match. */
  readonly pattern?: string;
}

/** The settings that the provider tells itself. */
export const toldValuesOf = ({ settings }: Preset): readonly ToldValue[] =>
  Object.entries(settings).flatMap(([setting, declared]): ToldValue[] => {
    if (declared.kind !== 'text') return [];
    const { callback, reply: path, pattern } = declared;
    const name = callback ?? path?.split('.').at(-1);
    return name === undefined
      ? []
      : [{ setting, name, inCallback: callback !== undefined, ...(path && { path }), ...(pattern && { pattern }) }];
  });

/**
 * What clients get with the token beside headers: what came with the grant, or else what the settings say. Undefined if
 * there is nothing.
 */
export function clientValuesOf(
  { provider, settings }: ConnectionConfig,
  told: Readonly<Record<string, string>> = {},
  presets: Presets,
): Readonly<Record<string, string>> | undefined {
  const preset = presetNamed(provider, presets);
  const entries = (preset === undefined ? [] : toldValuesOf(preset)).flatMap(({ setting, name }) => {
    const value = told[name] ?? settings[setting];
    return typeof value === 'string' ? [[name, value] as const] : [];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
