/** Requests to put a connection: what a body asks for, by the preset that it names. */
import type { ConnectionConfig } from '../domain/connection.ts';
import type { Parsed } from '../domain/fault.ts';
import type { Profile } from '../domain/profile.ts';
import type { Secret } from '../domain/secret.ts';
import type { Credentials } from './credentials.ts';
import type { ServerMetadata } from './discovery.ts';

/** A request whose form is right, as data. What it leaves out may be kept from the connection that it replaces. */
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
  /** The answer is to wait for a first renewal that proves the grant. */
  readonly verify?: true;
}

export interface ConnectionRequests {
  /** Returns what a body asks for, or every fault in it. */
  parse(body: unknown): Parsed<ConnectionRequest>;
  /**
   * Returns the request with the endpoints that its issuer's metadata names, except those that it gives itself, or
   * every fault of what the metadata names.
   */
  complete(request: ConnectionRequest, metadata: ServerMetadata): Parsed<ConnectionRequest>;
}
