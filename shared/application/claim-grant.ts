/**
 * Some providers know only one grant for each user and application, so two connections would end each other's. A PUT
 * therefore claims the grant before it writes the connection. The claim is an item of its own and can outlive its
 * reason: it counts only while its holder is a connection that has this grant.
 *
 * Of two PUTs at the same time one claims first. The second finds a holder that is not a connection yet, and is told to
 * wait: it may take the claim over only when the function of the first has ended, and so cannot write its connection
 * any more.
 */

import type { ConnectionName } from '../domain/connection-name.ts';
import { limits } from '../domain/limits.ts';
import { type EpochMs, plus } from '../domain/time.ts';
import type { Chance, Clock } from '../ports/clock.ts';
import type { ConnectionStore } from '../ports/connections.ts';
import { reasonOf, Unavailable } from '../ports/errors.ts';
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
  /** Another connection with this grant is being put or deleted. Whether it has the grant is certain at `until`. */
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
      // A holder whose settings are outdated may well have the grant that it claimed: its next PUT decides.
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
  return { kind: 'grant_pending', holder, until: plus(clock.now(), limits.claimRetryMs) };
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

/** Gives a claim back, as well as it can: a claim that stays is taken over by the next PUT that wants it. */
export async function giveBack(
  { claims, telemetry }: Pick<ClaimWorld, 'claims'> & { readonly telemetry: Telemetry },
  key: GrantKey,
  claim: GrantClaim,
): Promise<void> {
  try {
    await claims.giveBack(key, claim);
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    telemetry.warn('claim_not_given_back', { connection: claim.holder, reason: reasonOf(error) });
  }
}
