/** The provider's token endpoint. */
import type { ConnectionConfig } from '../domain/connection.ts';
import type { Exchange } from '../domain/exchange.ts';
import type { Profile } from '../domain/profile.ts';
import type { Secret } from '../domain/secret.ts';
import type { Credentials } from './credentials.ts';

/** One token request: RFC 6749's, or the provider's own. */
export interface TokenRequest {
  readonly config: ConnectionConfig;
  readonly grant: Exclude<Profile['grant'], 'static'>;
  readonly refreshToken?: Secret;
  readonly credentials: Credentials;
  readonly timeoutMs: number;
}

export interface TokenEndpoint {
  /** Sends one request and never retries. Never throws for what the network or the provider does. */
  request(request: TokenRequest): Promise<Exchange>;
}
