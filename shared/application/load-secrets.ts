/** Brings what a call needs into memory. */

import { inOrderOfUse } from '../domain/client-secrets.ts';
import type { Place } from '../domain/connection.ts';
import type { ConnectionName } from '../domain/connection-name.ts';
import type { Destinations } from '../domain/destinations.ts';
import type { OwnFailureCode } from '../domain/failure.ts';
import type { Held } from '../domain/held.ts';
import type { Secret } from '../domain/secret.ts';
import type { CredentialStore, Credentials } from '../ports/credentials.ts';
import type { Providers } from '../ports/providers.ts';
import type { RefreshTokenStore } from '../ports/refresh-tokens.ts';
import type { Sealer } from '../ports/sealer.ts';
import { openedRefreshToken } from './sealed-token.ts';
import { sideBySide } from './side-by-side.ts';

interface SecretsWorld {
  readonly refreshTokens: Pick<RefreshTokenStore, 'read'>;
  readonly credentials: CredentialStore;
  readonly refreshSealer: Sealer;
  readonly providers: Providers;
}

/** What the call needs, in memory. */
export interface LoadedSecrets {
  readonly refreshToken?: Secret;
  readonly credentials: Credentials;
}

/**
 * Returns it, or what is not there. Throws `Unavailable`, `SealBroken` if a sealed refresh token does not open, and
 * `Misdirected` if a secret is not for where the settings would send it.
 */
export async function loadSecrets(
  { refreshTokens, refreshSealer, providers, credentials: credentialStore }: SecretsWorld,
  { seen: { item, profile } }: Held,
): Promise<LoadedSecrets | { readonly missing: OwnFailureCode }> {
  const { connection } = item;
  const { destinations } = providers.of(item.config);
  const readCredentials = async (): Promise<Credentials | undefined> => {
    const stored = item.config.credentials;
    const found = stored && (await credentialStore.read(connection, stored.versionId, destinations));
    return stored === undefined ? {} : found && inOrderOfUse(item, found);
  };
  const readRefreshToken = async (): Promise<Secret | undefined> => {
    const place = profile.grant === 'refresh_token' ? item.refreshToken : undefined;
    return place && refreshTokenAt({ refreshTokens, refreshSealer }, connection, place, destinations);
  };
  const [credentials, refreshToken] = await sideBySide(readCredentials(), readRefreshToken());
  if (credentials === undefined) return { missing: 'credentials_missing' };
  if (profile.grant !== 'refresh_token') return { credentials };
  return refreshToken === undefined ? { missing: 'refresh_token_missing' } : { credentials, refreshToken };
}

/** Returns the refresh token at a place of it; undefined if it is not there. Throws as `loadSecrets` does. */
export async function refreshTokenAt(
  { refreshTokens, refreshSealer }: Pick<SecretsWorld, 'refreshTokens' | 'refreshSealer'>,
  connection: ConnectionName,
  place: Place,
  destinations: Destinations,
): Promise<Secret | undefined> {
  const { versionId } = place;
  return place.kind === 'secret'
    ? refreshTokens.read(connection, place.slot, versionId, destinations)
    : openedRefreshToken(await refreshSealer.open(place.sealed, { connection, versionId }), destinations);
}
