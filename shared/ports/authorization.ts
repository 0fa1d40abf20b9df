/** What connecting by login (RFC 6749 §4.1) needs of the world. */
import type { Outcome } from '../domain/steps.ts';
import type { Connection, ConnectionConfig, ConnectionName, EpochMs, Secret } from '../domain/types.ts';
import type { Credentials } from './index.ts';

/** What an authorization request carries through the browser, sealed, as its `state`. */
export interface AuthorizationState {
  /** Of this one request: a code that comes back for it is redeemed once. */
  readonly id: string;
  readonly connection: ConnectionName;
  /** The grant and the settings as they were: another grant, or other settings, end the request. */
  readonly grantId: Connection['grantId'];
  readonly configuredAt: EpochMs;
  readonly redirectUri: string;
  /** PKCE (RFC 7636). */
  readonly codeVerifier: Secret;
  readonly expiresAt: EpochMs;
}

/** Throws `Unavailable` if the key cannot be read. */
export interface StateSealer {
  seal(state: AuthorizationState): Promise<string>;
  /** Undefined for any text that this did not seal. Whether it has expired is for the caller to see. */
  open(text: string): Promise<AuthorizationState | undefined>;
}

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

export type RevocationResult =
  | { readonly kind: 'revoked' }
  /** For good: there is nothing, or nobody, to tell. */
  | { readonly kind: 'refused'; readonly code: string }
  /** For now. */
  | { readonly kind: 'failed'; readonly code: string };

export interface Revocation {
  /** Asks the provider to end the grant (RFC 7009). Never throws for what the network or the provider does. */
  revoke(config: ConnectionConfig, refreshToken: Secret, credentials: Credentials): Promise<RevocationResult>;
}

/** What an authorization server says of itself (RFC 8414 §2, OpenID Connect Discovery 1.0 §3), as far as a connection has use for it; not yet checked. */
export interface ServerMetadata {
  readonly issuer: string;
  readonly token_endpoint?: unknown;
  readonly authorization_endpoint?: unknown;
  readonly revocation_endpoint?: unknown;
  readonly authorization_response_iss_parameter_supported?: unknown;
}

export type Discovered =
  | { readonly kind: 'metadata'; readonly metadata: ServerMetadata }
  /** The end of a sentence that begins with where the issuer was given. */
  | { readonly kind: 'fault'; readonly message: string };

export interface Discovery {
  /** Asks an authorization server for its metadata. Never throws for what the network or the server does. */
  discover(issuer: string): Promise<Discovered>;
}

/** Why nobody can authorize a connection in a browser. */
export type NotAuthorizable = 'no_authorization_endpoint' | 'no_login';

/** The authorization server of a connection. */
export interface AuthorizationServer {
  newCodeVerifier(): Secret;
  /** Returns the link to open in a browser, or why there is none. */
  authorizeUrl(
    config: ConnectionConfig,
    request: { readonly state: string; readonly redirectUri: string; readonly codeVerifier: Secret },
  ): Promise<URL | NotAuthorizable>;
  /** Judges what came back with this `state`. */
  readResponse(config: ConnectionConfig, parameters: URLSearchParams, state: string): AuthorizationResponse;
  /** Redeems the code: one request, never retried. Never throws for what the network or the provider does. */
  redeem(config: ConnectionConfig, grant: CodeGrant): Promise<Outcome>;
}
