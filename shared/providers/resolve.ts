/** From a connection's configuration to the facts that hold for it: the preset's, with the settings in their place. */
import * as v from 'valibot';
import type { ConnectionConfig } from '../domain/types.ts';
import { type Facts, factsSchema, type Preset, placeholdersIn } from './preset.ts';
import { knownPresets, type Presets } from './presets/index.ts';

export interface ResolvedProvider {
  readonly preset: Preset;
  readonly facts: Facts;
  readonly tokenEndpoint: URL;
}

export type ProviderChoice = Pick<ConnectionConfig, 'provider' | 'settings'>;

/** The preset of this name, or undefined. */
export const presetNamed = (name: string, presets: Presets): Preset | undefined => (Object.hasOwn(presets, name) ? presets[name] : undefined);

/** Returns what holds for a connection. Throws if its provider is unknown or its settings do not fit: they were checked when they were put. */
export function resolveProvider({ provider, settings }: ProviderChoice, presets: Presets = knownPresets): ResolvedProvider {
  const preset = presetNamed(provider, presets);
  if (preset === undefined)
    throw new Error(
      `unknown provider "${provider}"; known are ${Object.keys(presets).join(', ')}. It has no preset any more: put the connection again, or bring the preset back.`,
    );
  const facts = v.parse(factsSchema, { ...preset.facts, ...replacements(preset, settings) });
  const endpoint = tokenEndpointOf(facts, settings);
  if (endpoint.url === undefined) throw new Error(`the settings of a connection to "${provider}" give no token endpoint; put them again`);
  return { preset, facts, tokenEndpoint: new URL(endpoint.url) };
}

/** The facts that settings replace, with the values they put there. */
export function replacements(preset: Preset, settings: ConnectionConfig['settings']): Readonly<Record<string, unknown>> {
  const given = Object.entries(preset.settings).filter(([name]) => settings[name] !== undefined);
  return Object.fromEntries(given.flatMap(([name, { replaces }]) => (replaces === undefined ? [] : [[replaces, settings[name]]])));
}

/** The token endpoint with its placeholders filled in, or the settings that are missing for that. */
export function tokenEndpointOf(
  { tokenEndpoint }: Facts,
  settings: ConnectionConfig['settings'],
): { readonly url?: string; readonly missing: readonly string[] } {
  if (tokenEndpoint === undefined) return { missing: [] };
  const missing = placeholdersIn(tokenEndpoint).filter((name) => typeof settings[name] !== 'string');
  if (missing.length > 0) return { missing };
  return { url: tokenEndpoint.replace(/\{([^{}]*)\}/g, (_, name: string) => String(settings[name])), missing };
}

/**
 * What a grant is bound to: provider, token endpoint and client. Neither a refresh token nor a client secret may be carried over
 * to another. A provider that is not known any more is like no other.
 */
export function identityOf(config: ConnectionConfig, presets: Presets = knownPresets): string {
  const endpoint = presetNamed(config.provider, presets) && resolveProvider(config, presets).tokenEndpoint.href;
  return JSON.stringify([config.provider, endpoint ?? null, config.clientId ?? null]);
}
