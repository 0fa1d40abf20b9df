/** A request to put a connection, as data: its form is right, and nothing has been looked up for it yet. */
import type { ConnectionConfig } from '../domain/connection.ts';
import type { Profile } from '../domain/profile.ts';
import type { Secret } from '../domain/secret.ts';
import type { Credentials } from '../ports/credentials.ts';

export interface ConnectionRequest {
  /** Without `credentials`: `putConnection` stores them and notes where they are. */
  readonly config: ConnectionConfig;
  readonly grant: Profile['grant'];
  /** The authorization server whose endpoints are to be discovered, and where in the request it is given. */
  readonly issuer?: { readonly path: string; readonly value: string };
  /** The secrets without which no token can be asked for, and where in the request they are given. */
  readonly needed: readonly { readonly name: string; readonly path: string }[];
  /** All of the connection's secrets, or none: they are replaced together. */
  readonly credentials?: Credentials;
  /** A refresh token to import. */
  readonly refreshToken?: Secret;
}
