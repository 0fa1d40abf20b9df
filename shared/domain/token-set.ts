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

/** When tokens came, and until when they live. */
interface Times {
  readonly requestedAt: EpochMs;
  readonly receivedAt: EpochMs;
  readonly expiresAt: EpochMs;
}

/** What a token endpoint gave, as understood. */
export interface TokenSet extends Times {
  readonly accessToken: Secret;
  readonly companions?: Companions;
  readonly refreshToken?: Secret;
  readonly tokenType: string;
  readonly scope?: string;
  /** What the reply tells of the grant beside the token, by the names that clients know it by. */
  readonly values?: Readonly<Record<string, string>>;
  /**
   * When the grant ends if nothing happens, as the reply tells it; `never` if it says that there is no end. Absent if
   * it does not tell.
   */
  readonly grantEndsAt?: EpochMs | 'never';
  /** The reply tells no expiry: it is the one that the preset assumes. */
  readonly expiryAssumed?: true;
}

/** A refresh token alone: it came with an error, as some providers send it. There is nothing to serve. */
export interface BareRefreshToken extends Times, Missing<Exclude<keyof TokenSet, keyof Times | 'refreshToken'>> {
  /** Absent where it is in its place already. */
  readonly refreshToken?: Secret;
}

type Missing<K extends string> = { readonly [name in K]?: never };

/** What is stored and committed after a reply. */
export type Received = TokenSet | BareRefreshToken;
