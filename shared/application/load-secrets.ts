/** Brings what a call needs into memory. */

import type { OwnFailureCode } from '../domain/failure.ts';
import type { Held } from '../domain/held.ts';
import type { Secret } from '../domain/secret.ts';
import type { CredentialStore, Credentials } from '../ports/credentials.ts';
import type { RefreshTokenStore } from '../ports/refresh-tokens.ts';
import type { Sealer } from '../ports/sealer.ts';

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
  const stored = item.config.credentials;
  const credentials = stored === undefined ? {} : await credentialStore.read(connection, stored.versionId);
  if (credentials === undefined) return { missing: 'credentials_missing' };
  if (profile.grant !== 'refresh_token') return { credentials };
  const place = item.refreshToken;
  if (place === undefined) return { missing: 'refresh_token_missing' };
  const refreshToken =
    place.kind === 'secret'
      ? await refreshTokens.read(connection, place.slot, place.versionId)
      : await refreshSealer.open(place.sealed, { connection, versionId: place.versionId });
  if (refreshToken === undefined) return { missing: 'refresh_token_missing' };
  return { credentials, refreshToken };
}
