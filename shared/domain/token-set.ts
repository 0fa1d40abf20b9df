/** What a token endpoint gave, as understood. */

import type { Secret } from './secret.ts';
import type { EpochMs } from './time.ts';

/** What clients alone need beside the access token: it is sealed with it. */
export interface Companions {
  /** Secrets that go into headers of requests, by the name of their setting. */
  readonly secrets?: Readonly<Record<string, Secret>>;
  /** Where the provider wants the requests. */
  readonly endpoint?: string;
}

/** What a token endpoint gave, as understood. */
export interface TokenSet {
  readonly accessToken: Secret;
  readonly companions?: Companions;
  readonly refreshToken?: Secret;
  readonly tokenType: string;
  readonly scope?: string;
  /**
   * When the grant ends if nothing happens, as the reply tells it; `never` if it says that there is no end. Absent if
   * it does not tell.
   */
  readonly grantEndsAt?: EpochMs | 'never';
  readonly requestedAt: EpochMs;
  readonly receivedAt: EpochMs;
  readonly expiresAt: EpochMs;
  /** The reply tells no expiry: it is the one that the preset assumes. */
  readonly expiryAssumed?: true;
}
