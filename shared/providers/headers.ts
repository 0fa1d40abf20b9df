/** What a client puts on its requests to the provider. */

import type { ConnectionConfig } from '../domain/connection.ts';
import type { Secret } from '../domain/secret.ts';
import type { Presets } from './by-name.ts';
import type { Preset } from './preset.ts';
import { knownPresets } from './presets/index.ts';
import { filledRecord, namesIn } from './templates.ts';
import { clientValuesOf, presetNamed, valuesOf } from './values.ts';

const bearer = { Authorization: '{token_type} {access_token}' };

interface Presented {
  readonly accessToken: Secret;
  readonly tokenType: string;
  /** Secrets that were sealed with the access token for these headers. */
  readonly secrets?: Readonly<Record<string, Secret>>;
}

/** Returns the headers, the access token in them. A preset that is gone leaves a connection its `Authorization`. */
export function requestHeaders(
  { provider, settings }: ConnectionConfig,
  presented: Presented,
  presets: Presets = knownPresets,
): Record<string, string> {
  const preset = presetNamed(provider, presets);
  const revealed = Object.fromEntries(
    Object.entries(presented.secrets ?? {}).map(([name, secret]) => [name, secret.reveal()]),
  );
  const token = { access_token: presented.accessToken.reveal(), token_type: presented.tokenType };
  return filledRecord(preset?.headers ?? bearer, { ...(preset && valuesOf(preset, settings)), ...revealed, ...token });
}

/** What came with a grant and clients need: `realmId` and the like. Undefined if there is nothing. */
export const requestValues = (config: ConnectionConfig, told: Readonly<Record<string, string>> | undefined) =>
  clientValuesOf(config, told, knownPresets);

/** Where the API is to be called, where no reply of this grant has told it: as it was put. Undefined if it was not. */
export function requestEndpoint({ provider }: ConnectionConfig, values: ReturnType<typeof requestValues>) {
  const path = presetNamed(provider, knownPresets)?.reply?.endpoint?.path;
  return path === undefined ? undefined : values?.[path];
}

/** The secrets in a preset's headers, by the names of their settings. */
export const headerSecretsOf = ({ headers = {}, settings }: Preset): readonly string[] =>
  namesIn(headers).filter((name) => settings[name]?.kind === 'secret');
