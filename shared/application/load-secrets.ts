/** Brings what a call needs into memory. */

import type { OwnFailureCode } from '../domain/failure.ts';
import type { Held } from '../domain/held.ts';
import type { Secret } from '../domain/secret.ts';
import type { CredentialStore, Credentials } from '../ports/credentials.ts';
import type { RefreshTokenStore } from '../ports/refresh-tokens.ts';
import type { Sealer } from '../ports/sealer.ts';
import { sideBySide } from './side-by-side.ts';

interface SecretsWorld {
  readonly refreshTokens: RefreshTokenStore;
  readonly credentials: CredentialStore;
  readonly refreshSealer: Sealer;
}

/** What the call needs, in memory. */
export interface LoadedSecrets {
  readonly refreshToken?: Secret;
  readonly credentials: Credentials;
}

/** Returns it, or what is not there. Throws `Unavailable`, and `SealBroken` if a sealed refresh token does not open. */
export async function loadSecrets(
  { refreshTokens, refreshSealer, credentials: credentialStore }: SecretsWorld,
  { seen: { item, profile } }: Held,
): Promise<LoadedSecrets | { readonly missing: OwnFailureCode }> {
  const { connection } = item;
  const readCredentials = async (): Promise<Credentials | undefined> => {
    const stored = item.config.credentials;
    return stored === undefined ? {} : credentialStore.read(connection, stored.versionId);
  };
  const readRefreshToken = async (): Promise<Secret | undefined> => {
    const place = profile.grant === 'refresh_token' ? item.refreshToken : undefined;
    if (place === undefined) return undefined;
    return place.kind === 'secret'
      ? refreshTokens.read(connection, place.slot, place.versionId)
      : refreshSealer.open(place.sealed, { connection, versionId: place.versionId });
  };
  const [credentials, refreshToken] = await sideBySide(readCredentials(), readRefreshToken());
  if (credentials === undefined) return { missing: 'credentials_missing' };
  if (profile.grant !== 'refresh_token') return { credentials };
  return refreshToken === undefined ? { missing: 'refresh_token_missing' } : { credentials, refreshToken };
}
