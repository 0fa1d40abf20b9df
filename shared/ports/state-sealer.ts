/** The `state` of an authorization request. */
import type { ConnectionName } from '../domain/connection-name.ts';
import type { GrantId } from '../domain/ids.ts';
import type { Secret } from '../domain/secret.ts';
import type { EpochMs } from '../domain/time.ts';

/** What an authorization request carries through the browser, sealed, as its `state`. */
export interface AuthorizationState {
  /** Of this one request: a code that comes back for it is redeemed once. */
  readonly id: string;
  readonly connection: ConnectionName;
  /** The grant and the settings as they were: another grant, or other settings, end the request. */
  readonly grantId: GrantId;
  readonly configuredAt: EpochMs;
  readonly redirectUri: string;
  /** PKCE (RFC 7636). */
  readonly codeVerifier: Secret;
  readonly expiresAt: EpochMs;
}

/** Throws `Unavailable` if the key cannot be read. */
export interface StateSealer {
  seal(state: AuthorizationState): Promise<string>;
  /** Undefined for any text that `seal` did not return. The caller checks whether it has expired. */
  open(text: string): Promise<AuthorizationState | undefined>;
}
