/** Ending a grant at its provider. */
import type { ConnectionConfig } from '../domain/connection.ts';
import type { Exchange } from '../domain/exchange.ts';
import type { Secret } from '../domain/secret.ts';
import type { Credentials } from './credentials.ts';

export interface Revocation {
  /**
   * Sends one revocation request (RFC 7009) and never retries; `not_written` where the provider has no revocation
   * endpoint, or its request cannot be written. Never throws for what the network or the provider does.
   */
  revoke(config: ConnectionConfig, refreshToken: Secret, credentials: Credentials): Promise<Exchange>;
}
