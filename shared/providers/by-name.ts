/**
 * Presets by name, each with the settings that every preset has. This file does not import the schema, which the token
 * function has no use for.
 */
import type { Preset } from './preset.ts';
import type { Settings } from './setting.ts';

export type Presets = Readonly<Record<string, Preset>>;

export const byName = (presets: readonly Preset[]): Presets =>
  Object.fromEntries(
    presets.map((preset) => [preset.name, { ...preset, settings: { ...elsewhere(preset), ...preset.settings } }]),
  );

/**
 * Every provider can be called elsewhere: at a sandbox, through a proxy, in a simulator. A login can leave PKCE out.
 */
function elsewhere({ facts }: Preset): Settings {
  const given = {
    tokenEndpoint: 'token_endpoint',
    authorizationEndpoint: 'authorization_endpoint',
    revocationEndpoint: 'revocation_endpoint',
  } as const;
  const names = (Object.keys(given) as (keyof typeof given)[]).filter((fact) => facts[fact] !== undefined);
  const description = "Instead of the provider's own, for example a sandbox's or a simulator's.";
  return {
    ...Object.fromEntries(
      names.map((fact) => [given[fact], { kind: 'url' as const, description, replaces: fact }] as const),
    ),
    ...(facts.pkce === 'S256' && {
      pkce: {
        kind: 'choice' as const,
        choices: ['S256', 'none'],
        replaces: 'pkce' as const,
        description: 'none: should the server refuse what it does not know.',
      },
    }),
  };
}
