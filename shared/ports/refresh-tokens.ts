/** Where refresh tokens are kept. */
import type { ConnectionName } from '../domain/connection-name.ts';
import type { Destinations } from '../domain/destinations.ts';
import type { Slot, VersionId } from '../domain/ids.ts';
import type { Secret } from '../domain/secret.ts';
import type { Received } from '../domain/token-set.ts';

export type LookUp =
  | { readonly kind: 'found'; readonly tokens: Received }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unreadable' };

/** Where refresh tokens are kept: secrets in slots, read by version id only. */
export interface RefreshTokenStore {
  /**
   * The refresh token at a place in a slot (not one that is sealed into the connection); undefined if that version does
   * not exist. Throws `Unavailable`, `SealBroken`, and `Misdirected` if it was stored for other destinations.
   */
  read(
    connection: ConnectionName,
    slot: Slot,
    versionId: VersionId,
    destinations: Destinations,
  ): Promise<Secret | undefined>;
  /** What an attempt stored, if it did. Never throws: what cannot be read is `unreadable`, which is not `absent`. */
  lookUp(connection: ConnectionName, slot: Slot, versionId: VersionId): Promise<LookUp>;
  /**
   * Stores what a reply brought under this version id, creating the slot's secret if need be. Storing the same again
   * succeeds. False if the version exists with other content. Throws `Unavailable`.
   */
  persist(
    connection: ConnectionName,
    slot: Slot,
    versionId: VersionId,
    tokens: Received,
    destinations: Destinations,
  ): Promise<boolean>;
}

/** Where an imported refresh token is put, by a function that cannot read one. */
export interface ImportedRefreshTokens {
  /**
   * Stores a refresh token that comes without a token set, where `RefreshTokenStore.read` finds it. Storing the same
   * again succeeds. False if the version exists with other content. `isFirst`: the slot
   * most likely has no secret yet, which may save a call. Throws `Unavailable`.
   */
  storeRefreshToken(
    connection: ConnectionName,
    slot: Slot,
    versionId: VersionId,
    refreshToken: Secret,
    destinations: Destinations,
    isFirst?: boolean,
  ): Promise<boolean>;
}
