/** Who holds a grant of which a provider knows only one for each user and application. */
import type { ConnectionName } from '../domain/connection-name.ts';
import type { EpochMs } from '../domain/time.ts';

/** Names a user and a provider application. No connection's name begins with `#`. */
export type GrantKey = `#grant#${string}`;

/** Stands for the key of a grant whose preset does not tell it any more. Nothing is claimed under it. */
export const untoldGrant: GrantKey = '#grant#?';

export interface GrantClaim {
  readonly holder: ConnectionName;
  /** Random: another one each time that the grant is claimed. */
  readonly claimId: string;
  readonly claimedAt: EpochMs;
}

/** Every method throws `Unavailable` when the table cannot be reached. */
export interface GrantClaims {
  /** A strongly consistent read. */
  read(key: GrantKey): Promise<GrantClaim | undefined>;
  /** Claims over the claim that was seen (undefined: no claim); false if the claim is another one by now. */
  claim(key: GrantKey, claim: GrantClaim, seen: GrantClaim | undefined): Promise<boolean>;
  /** Removes this very claim; another one stays. */
  giveBack(key: GrantKey, claim: GrantClaim): Promise<void>;
}
