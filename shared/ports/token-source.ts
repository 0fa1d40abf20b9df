import type { Seen } from '../domain/connection.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Secret } from '../domain/secret.ts';
import type { Credentials } from './credentials.ts';

/** How a connection comes by tokens, whatever its grant. At most one call, one outcome, classified by the provider's rules. */
export interface TokenSource {
  /** Never throws for what the network or the provider does. */
  obtain(seen: Seen, have: { readonly refreshToken?: Secret; readonly credentials: Credentials }): Promise<Outcome>;
}
