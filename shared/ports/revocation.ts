/** Ending a grant at its provider. */
import type { ConnectionConfig } from '../domain/connection.ts';
import type { Secret } from '../domain/secret.ts';
import type { Credentials } from './credentials.ts';

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
