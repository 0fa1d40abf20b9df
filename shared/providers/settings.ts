/** Checks a connection's settings against what the preset declares. */

import type { Fault } from '../domain/fault.ts';
import { limits } from '../domain/limits.ts';
import { type EndpointPolicy, faultOfEndpoint } from './endpoint-url.ts';
import { perhaps } from './perhaps.ts';
import type { Preset } from './preset.ts';
import { faultOfSecret } from './secret-formats.ts';
import type { Setting } from './setting.ts';
import { namesIn } from './templates.ts';

/** Visible ASCII with spaces inside only: a line break or a space at an end came with copying. */
export const printableText = /^(?! )[\x20-\x7e]+(?<! )$/;

/** Returns every fault. Values are never repeated: any of them might be a secret in the wrong place. */
export function settingsFaults(preset: Preset, settings: unknown, policy: EndpointPolicy): Fault[] {
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings)) return [];
  const given = new Map<string, unknown>(Object.entries(settings));
  const faults = unknownFields(settings, Object.keys(preset.settings), 'settings.');
  for (const [name, setting] of Object.entries(preset.settings)) {
    const message = given.has(name) ? faultOfSetting(setting, given.get(name), policy) : missing(preset, name, given);
    if (message !== undefined) faults.push({ path: `settings.${name}`, message });
  }
  return faults;
}

/** Returns a fault for each field that is not known, with the field that was perhaps meant. */
export function unknownFields(value: unknown, known: readonly string[], prefix: string): Fault[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.keys(value)
    .filter((name) => !known.includes(name))
    .map((name) => ({ path: `${prefix}${printable(name)}`, message: `is not known; ${perhaps(name, known)}` }));
}

/** Who mistakes the name for the value must not see it in an error. */
const printable = (name: string): string => (/^[\w.-]{1,40}$/.test(name) ? name : '(unnamed)');

/**
 * A setting is needed if the preset says so, or if the token endpoint has its name in it and nothing is given in the
 * endpoint's place.
 */
function missing({ settings, facts }: Preset, name: string, given: ReadonlyMap<string, unknown>): string | undefined {
  const setting = settings[name];
  if (setting === undefined) return undefined;
  // A secret may be stored already: the use case knows.
  if (setting.kind === 'secret' || ('default' in setting && setting.default !== undefined)) return undefined;
  const issuer = Object.keys(settings).find((key) => settings[key]?.kind === 'issuer');
  if (issuer !== undefined && setting.kind === 'url' && setting.replaces === 'tokenEndpoint')
    return given.has(issuer) ? undefined : `is missing; give it, or ${issuer} to have it discovered`;
  const needed =
    setting.required === true ||
    endpointsOf(facts, settings, given).some((endpoint) => namesIn(endpoint).includes(name));
  return needed
    ? `is missing${setting.kind === 'choice' ? `; it is one of ${setting.choices.join(', ')}` : ''}`
    : undefined;
}

/** The endpoints that are not replaced as a whole. */
function endpointsOf(
  facts: Preset['facts'],
  settings: Preset['settings'],
  given: ReadonlyMap<string, unknown>,
): (string | undefined)[] {
  const replaced = Object.entries(settings).flatMap(([name, setting]) =>
    setting.kind === 'url' && given.has(name) ? [setting.replaces] : [],
  );
  return (['tokenEndpoint', 'authorizationEndpoint', 'revocationEndpoint'] as const)
    .filter(
      (endpoint) =>
        !replaced.includes(endpoint) && !(endpoint !== 'tokenEndpoint' && replaced.includes('tokenEndpoint')),
    )
    .map((endpoint) => facts[endpoint]);
}

export function faultOfSetting(setting: Setting, value: unknown, policy: EndpointPolicy): string | undefined {
  switch (setting.kind) {
    case 'text': {
      const fits = typeof value === 'string' && value.length <= limits.settingCharacters && printableText.test(value);
      const { pattern } = setting;
      if (fits && pattern !== undefined && !new RegExp(`^(?:${pattern})$`).test(value))
        return `must look like this: ${pattern} (${setting.description})`;
      return fits
        ? undefined
        : `must be a text of 1 to ${limits.settingCharacters} printable ASCII characters, without spaces at its ends`;
    }
    case 'url':
      return typeof value === 'string' ? faultOfEndpoint(value, policy) : 'must be a text: a URL';
    case 'issuer':
      if (typeof value !== 'string') return 'must be a text: a URL';
      return (
        faultOfEndpoint(value, policy) ?? (value.includes('?') ? 'must not have a query (RFC 8414 §2)' : undefined)
      );
    case 'choice':
      return typeof value === 'string' && setting.choices.includes(value)
        ? undefined
        : `must be one of ${setting.choices.join(', ')}`;
    case 'duration': {
      const fits =
        typeof value === 'number' && Number.isInteger(value) && value >= setting.least && value <= setting.most;
      return fits ? undefined : `must be a whole number of seconds from ${setting.least} to ${setting.most}`;
    }
    case 'secret':
      return faultOfSecret(setting.format, value);
  }
}
