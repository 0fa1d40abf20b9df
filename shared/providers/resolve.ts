/** From a connection's configuration to the facts that hold for it: the preset's, with the settings in their place. */
import * as v from 'valibot';
import type { ConnectionConfig } from '../domain/connection.ts';
import type { Destinations } from '../domain/destinations.ts';
import type { Unrevocable } from '../domain/failure.ts';
import type { Presets } from './by-name.ts';
import { type Facts, factsSchema } from './facts.ts';
import type { Preset } from './preset.ts';
import { knownPresets } from './presets/index.ts';
import { filled, filledTree, namesIn, type Template, type Values } from './templates.ts';
import { presetNamed, valuesOf } from './values.ts';

export interface ResolvedProvider {
  readonly preset: Preset;
  readonly facts: Facts;
  /** The settings with their defaults. */
  readonly values: Values;
  /** The issuer identifier of the authorization server (RFC 8414 §2), if a setting gives it. */
  readonly issuer?: string;
  /** Undefined with the grant `static`, which makes no call. */
  readonly tokenEndpoint?: URL;
  readonly authorizationEndpoint?: URL;
  readonly revocationEndpoint?: URL;
}

export type ProviderChoice = Pick<ConnectionConfig, 'provider' | 'settings'>;

/** What was resolved last, by presets: every step of a run asks for the same connection's settings. */
const resolvedLast = new WeakMap<Presets, { readonly key: string; readonly provider: ResolvedProvider }>();

/**
 * Returns what holds for a connection. Throws if its provider is unknown or its settings do not fit: they were checked
 * when they were put.
 */
export function resolveProvider(choice: ProviderChoice, presets: Presets = knownPresets): ResolvedProvider {
  const key = JSON.stringify([choice.provider, choice.settings]);
  const last = resolvedLast.get(presets);
  if (last?.key === key) return last.provider;
  const provider = resolveAnew(choice, presets);
  resolvedLast.set(presets, { key, provider });
  return provider;
}

function resolveAnew({ provider, settings }: ProviderChoice, presets: Presets): ResolvedProvider {
  const preset = presetNamed(provider, presets);
  if (preset === undefined)
    throw new Error(
      `unknown provider "${provider}"; known are ${Object.keys(presets).join(', ')}. It has no preset any more: ` +
        'put the connection again, or bring the preset back.',
    );
  const facts = v.parse(factsSchema, { ...preset.facts, ...replacements(preset, settings) });
  const values = valuesOf(preset, settings);
  const url = (template: string | undefined): URL | undefined => {
    const text = template === undefined ? undefined : filled(template, values);
    return text === undefined ? undefined : new URL(text);
  };
  const [tokenEndpoint, authorizationEndpoint, revocationEndpoint] = [
    facts.tokenEndpoint,
    facts.authorizationEndpoint,
    facts.revocationEndpoint,
  ].map(url);
  if (facts.grant !== 'static' && tokenEndpoint === undefined) {
    throw new Error(`the settings of a connection to "${provider}" give no token endpoint; put them again`);
  }
  const issuer = values[Object.keys(preset.settings).find((name) => preset.settings[name]?.kind === 'issuer') ?? ''];
  return {
    preset,
    facts,
    values,
    ...(typeof issuer === 'string' && { issuer }),
    ...(tokenEndpoint && { tokenEndpoint }),
    ...(authorizationEndpoint && { authorizationEndpoint }),
    ...(revocationEndpoint && { revocationEndpoint }),
  };
}

/**
 * Returns the same, or undefined where `resolveProvider` throws: the preset is gone, or an upgrade changed it so that
 * the stored settings do not fit any more.
 */
export function resolvedOrNone(choice: ProviderChoice, presets: Presets = knownPresets): ResolvedProvider | undefined {
  try {
    return resolveProvider(choice, presets);
  } catch {
    return undefined;
  }
}

/** The facts that settings replace, with the values they put there. */
export function replacements(
  preset: Preset,
  settings: ConnectionConfig['settings'],
): Readonly<Record<string, unknown>> {
  const given = Object.entries(preset.settings).filter(([name]) => settings[name] !== undefined);
  return Object.fromEntries(
    given.flatMap(([name, setting]) => ('replaces' in setting ? [[setting.replaces, settings[name]]] : [])),
  );
}

/**
 * Returns what a grant and its secrets belong to, as one text: provider, token endpoint, client, and the user that the
 * token request names. A PUT carries none of them over to another identity. Settings that fit no preset have an
 * identity that no sound connection has.
 */
export function identityOf(config: ConnectionConfig, presets: Presets = knownPresets): string {
  const { provider, clientId = null } = config;
  const resolved = resolvedOrNone(config, presets);
  if (resolved === undefined) return JSON.stringify([provider, null, clientId]);
  const { preset, facts, tokenEndpoint, values } = resolved;
  const asked: readonly (Template | undefined)[] = [
    facts.tokenParameters,
    preset.request?.headers,
    preset.request?.basic,
    preset.request?.body as Template,
  ];
  // Durations do not identify a grant, so they are left out.
  const names = asked.flatMap(namesIn).filter((name) => ['text', 'choice'].includes(preset.settings[name]?.kind ?? ''));
  const who = Object.fromEntries([...new Set(names)].sort().map((name) => [name, `{${name}}`]));
  return JSON.stringify([provider, tokenEndpoint?.href ?? null, clientId, filledTree(who, values)]);
}

/**
 * Returns where a grant and its secrets are sent. Connections with one identity may differ in it. No secret goes to the
 * authorization endpoint, only a browser. Settings that fit no preset lead nowhere.
 */
export function destinationsOf({ provider, settings }: ProviderChoice, presets: Presets = knownPresets): Destinations {
  const resolved = resolvedOrNone({ provider, settings }, presets);
  if (resolved === undefined) return {};
  const { preset, tokenEndpoint, revocationEndpoint } = resolved;
  const endpoints = [
    ['token_endpoint', 'tokenEndpoint', tokenEndpoint],
    ['revocation_endpoint', 'revocationEndpoint', revocationEndpoint],
  ] as const;
  return Object.fromEntries(
    endpoints.flatMap(([name, fact, url]) => {
      if (url === undefined) return [];
      const given = Object.entries(preset.settings).find(
        ([setting, declared]) => 'replaces' in declared && declared.replaces === fact && setting in settings,
      );
      if (given !== undefined) return [[name, url.href]];
      const named = namesIn(preset.facts[fact]).filter((setting) => setting in settings);
      return [[name, [provider, ...named.map((setting) => `${setting}=${settings[setting]}`)].join(' ')]];
    }),
  );
}

/** Returns where a grant of such a connection is revoked, or why it is not. */
export function revocationOf(
  config: ConnectionConfig,
  presets: Presets = knownPresets,
): { readonly provider: ResolvedProvider; readonly endpoint: URL } | Unrevocable {
  const provider = resolvedOrNone(config, presets);
  if (provider === undefined) return 'settings_outdated';
  const { revocationEndpoint: endpoint, facts } = provider;
  if (endpoint === undefined) return 'no_revocation_endpoint';
  // Other connections of the same user and application would lose theirs.
  return facts.revocationEnds === undefined ? { provider, endpoint } : 'revocation_ends_other_grants';
}

/**
 * Returns provider, token endpoint and client as one text: connections that share all three share the provider's health
 * and its limits.
 */
export function applicationOf(config: ConnectionConfig, presets: Presets = knownPresets): string {
  const { provider, clientId = '' } = config;
  return [provider, resolvedOrNone(config, presets)?.tokenEndpoint?.href ?? '', clientId].join(' ');
}
