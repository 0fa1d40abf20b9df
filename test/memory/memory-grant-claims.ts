/** Claims of grants in memory. Each operation is one synchronous block, so it is atomic. */
import type { GrantClaim, GrantClaims, GrantKey } from '../../shared/ports/grant-claims.ts';

export function memoryGrantClaims(): GrantClaims {
  const claims = new Map<GrantKey, GrantClaim>();
  return {
    async read(key) {
      return claims.get(key);
    },

    async claim(key, claim, seen) {
      const existing = claims.get(key)?.claimId;
      if (existing === claim.claimId) return true;
      if (existing !== seen?.claimId) return false;
      claims.set(key, claim);
      return true;
    },

    async giveBack(key, { claimId }) {
      if (claims.get(key)?.claimId === claimId) claims.delete(key);
    },
  };
}
