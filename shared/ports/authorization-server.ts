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
  | { readonly kind: 'unacceptable'; readonly reason: 'another_issuer' | 'malformed' };

export interface CodeGrant {
  readonly parameters: Secret<URLSearchParams>;
  readonly redirectUri: string;
  readonly codeVerifier: Secret;
  readonly credentials: Credentials;
}

/** Why a connection cannot be authorized in a browser. */
export type NotAuthorizable = 'no_authorization_endpoint' | 'no_login';

/** The authorization server of a connection. */
export interface AuthorizationServer {
  newCodeVerifier(): Secret;
  /** Returns the link to open in a browser (RFC 6749 §4.1.1), or why there cannot be one. */
  authorizeUrl(
    config: ConnectionConfig,
    request: { readonly state: string; readonly redirectUri: string; readonly codeVerifier: Secret },
  ): Promise<URL | NotAuthorizable>;
  /** Judges what came back with this `state`. */
  readResponse(config: ConnectionConfig, parameters: URLSearchParams, state: string): AuthorizationResponse;
  /** Sends the code: one request, never retried. Never throws for what the network or the provider does. */
  redeem(config: ConnectionConfig, grant: CodeGrant): Promise<Exchange>;
}
