/**
 * Of two connections of the same user and provider application, where the provider knows only one grant for both, one
 * would end the other's. A connection therefore claims its grant before it is written. The claim is an item of its own,
 * so it can outlive its reason: what counts is whether its holder is such a connection.
 *
 * Two PUTs at the same time: one of them claims first. The other finds a holder that is not there yet, and waits; it
 * may take the claim over only when whoever claimed is past the end of its function, and so can write no connection any
 * more.
 */

import type { ConnectionName } from '../domain/connection-name.ts';
import { limits } from '../domain/limits.ts';
import { type EpochMs, plus } from '../domain/time.ts';
import type { Chance, Clock } from '../ports/clock.ts';
import type { ConnectionStore } from '../ports/connections.ts';
import { Unavailable } from '../ports/errors.ts';
import { type GrantClaim, type GrantClaims, type GrantKey, untoldGrant } from '../ports/grant-claims.ts';
import type { Providers } from '../ports/providers.ts';
import type { Telemetry } from '../ports/telemetry.ts';

export interface ClaimWorld {
  readonly clock: Clock;
  readonly chance: Pick<Chance, 'id'>;
  readonly store: Pick<ConnectionStore, 'read'>;
  readonly claims: GrantClaims;
  readonly providers: Providers;
}

export type ClaimRefused =
  /** Another connection has this grant. */
  | { readonly kind: 'grant_conflict'; readonly holder: ConnectionName }
  /** Another connection is being put, or deleted, with this grant: it will be known by then. */
  | { readonly kind: 'grant_pending'; readonly holder: ConnectionName; readonly until: EpochMs };

/**
 * Claims the connection's grant, each time anew. Returns why not, or undefined if it is claimed. Throws `Unavailable`.
 */
export async function claimGrant(
  { clock, chance, store, claims, providers }: ClaimWorld,
  connection: ConnectionName,
  key: GrantKey,
): Promise<ClaimRefused | undefined> {
  let holder = connection;
  for (let attempt = 0; attempt < limits.claimTries; attempt += 1) {
    const seen = await claims.read(key);
    const now = clock.now();
    if (seen !== undefined && seen.holder !== connection) {
      holder = seen.holder;
      const item = await store.read(holder);
      const theirs = item && providers.of(item.config).grantKey;
      // A holder whose key cannot be told may well have the grant that it claimed: its own PUT tells again.
      if (item !== undefined && (theirs === key || theirs === untoldGrant)) {
        return item.deletion === undefined
          ? { kind: 'grant_conflict', holder }
          : { kind: 'grant_pending', holder, until: plus(now, limits.deletionMs) };
      }
      const until = plus(seen.claimedAt, limits.claimMs);
      if (until > now) return { kind: 'grant_pending', holder, until };
    }
    if (await claims.claim(key, { holder: connection, claimId: chance.id(), claimedAt: now }, seen)) return undefined;
  }
  return { kind: 'grant_pending', holder, until: plus(clock.now(), 1_000) };
}

/**
 * The connection's own claim, to be given back once the connection has no use for it any more. Throws `Unavailable`.
 */
export async function claimHeld(
  { claims }: Pick<ClaimWorld, 'claims'>,
  connection: ConnectionName,
  key: GrantKey,
): Promise<GrantClaim | undefined> {
  const claim = await claims.read(key);
  return claim?.holder === connection ? claim : undefined;
}

/** A claim that cannot be given back is taken over by whoever wants it. */
export async function giveBack(
  { claims, telemetry }: Pick<ClaimWorld, 'claims'> & { readonly telemetry: Telemetry },
  key: GrantKey,
  claim: GrantClaim,
): Promise<void> {
  try {
    await claims.giveBack(key, claim);
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    telemetry.warn('claim_not_given_back', { connection: claim.holder });
  }
}
