/** Metadata of authorization servers. */

/**
 * What an authorization server says of itself (RFC 8414 §2, OpenID Connect Discovery 1.0 §3), as far as a connection
 * has use for it; not yet checked.
 */
export interface ServerMetadata {
  readonly issuer: string;
  readonly token_endpoint?: unknown;
  readonly authorization_endpoint?: unknown;
  readonly revocation_endpoint?: unknown;
  readonly authorization_response_iss_parameter_supported?: unknown;
  readonly code_challenge_methods_supported?: unknown;
}

type Discovered =
  | { readonly kind: 'metadata'; readonly metadata: ServerMetadata }
  /** The end of a sentence that begins with where the issuer was given. */
  | { readonly kind: 'fault'; readonly message: string };

export interface Discovery {
  /** Asks an authorization server for its metadata. Never throws for what the network or the server does. */
  discover(issuer: string): Promise<Discovered>;
}
