/** The authorization server of a connection, for connecting by login (RFC 6749 §4.1). */

import type { ConnectionConfig } from '../domain/connection.ts';
import type { Exchange } from '../domain/exchange.ts';
import type { Secret } from '../domain/secret.ts';
import type { Credentials } from './credentials.ts';

/** What the provider sent the browser back with. */
export type AuthorizationResponse =
  /** The parameters, with the code in them. */
  | { readonly kind: 'code'; readonly parameters: Secret<URLSearchParams> }
  /** RFC 6749 §4.1.2.1; `description` in the provider's own words, with anything secret-looking removed. */
  | { readonly kind: 'error'; readonly error: string; readonly description?: string }
  /** Not what this authorization server would send to this request. */
  | { readonly kind: 'unacceptable'; readonly reason: 'another_issuer' | 'malformed' }
  /** The account is kept in another region of the provider's; `setting` has to be put as `value` to connect it. */
  | { readonly kind: 'another_region'; readonly setting: string; readonly value: string };

export interface CodeGrant {
  readonly parameters: Secret<URLSearchParams>;
  readonly redirectUri: string;
  readonly codeVerifier: Secret;
  readonly credentials: Credentials;
}

/**
 * Why no browser can authorize a connection: its grant comes without a login; its preset knows of no login; or the
 * setting with the authorization endpoint is missing.
 */
export type NotAuthorizable = 'grant_without_login' | 'preset_without_login' | 'no_authorization_endpoint';

/** The authorization server of a connection. */
export interface AuthorizationServer {
  /** Returns why there is nothing to open in a browser; undefined if there is. */
  obstacleTo(config: ConnectionConfig): NotAuthorizable | undefined;
  /** Returns the address to open in a browser. Throws where there is an obstacle. */
  authorizeUrl(
    config: ConnectionConfig,
    request: { readonly state: string; readonly redirectUri: string; readonly codeVerifier: Secret },
  ): Promise<URL>;
  /** Judges what came back with this `state`. */
  readResponse(config: ConnectionConfig, parameters: URLSearchParams, state: string): AuthorizationResponse;
  /** Sends the code: one request, never retried. Never throws for what the network or the provider does. */
  redeem(config: ConnectionConfig, grant: CodeGrant): Promise<Exchange>;
}
