/** The port `Providers`, answered from presets, whatever reads their replies. */
import type { ConnectionConfig } from '../domain/connection.ts';
import type { Unrevocable } from '../domain/failure.ts';
import type { Dialect } from '../domain/reply.ts';
import type { ProviderRules, Providers } from '../ports/providers.ts';
import type { Presets } from './by-name.ts';
import { grantKeyOf } from './grant-key.ts';
import { headerSecretsOf } from './headers.ts';
import { importDigestOf } from './import-digest.ts';
import { knownPresets } from './presets/index.ts';
import { profileOf } from './profile.ts';
import { applicationOf, destinationsOf, identityOf, resolvedOrNone, revocationOf } from './resolve.ts';
import { presetNamed, toldValuesOf } from './values.ts';

type DialectOf = (config: ConnectionConfig, presets: Presets) => Dialect;

/** `dialectOf` is asked only when a reply is read, so a function that reads none is spared the parsers. */
export const providersSpeaking = (dialectOf: DialectOf, presets: Presets = knownPresets): Providers => ({
  of: (config) => ({
    title: presetNamed(config.provider, presets)?.title ?? config.provider,
    application: applicationOf(config, presets),
    identity: identityOf(config, presets),
    destinations: destinationsOf(config, presets),
    grantKey: grantKeyOf(config, presets),
    revocationObstacle: obstacleToRevocation(config, presets),
    importDigest: importDigestOf,
    rules: rulesOf(config, dialectOf, presets),
  }),
});

function obstacleToRevocation(config: ConnectionConfig, presets: Presets): Unrevocable | undefined {
  const revocation = revocationOf(config, presets);
  return typeof revocation === 'string' ? revocation : undefined;
}

function rulesOf(config: ConnectionConfig, dialectOf: DialectOf, presets: Presets): ProviderRules | undefined {
  const resolved = resolvedOrNone(config, presets);
  if (resolved === undefined) return undefined;
  const { preset, facts, authorizationEndpoint } = resolved;
  return {
    profile: (item) => profileOf(item, presets),
    get dialect() {
      return dialectOf(config, presets);
    },
    headerSecrets: headerSecretsOf(preset),
    hasLogin: facts.grant === 'refresh_token' && authorizationEndpoint !== undefined,
    callbackValues: toldValuesOf(preset).filter(({ inCallback }) => inCallback),
    ...(facts.grant === 'static' && preset.accessToken !== undefined && { storedToken: preset.accessToken }),
  };
}
