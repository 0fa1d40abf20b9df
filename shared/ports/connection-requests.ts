/** Requests to put a connection: what a body asks for, by the preset that it names. */
import type { ConnectionConfig } from '../domain/connection.ts';
import type { Fault, Parsed } from '../domain/fault.ts';
import type { Profile } from '../domain/profile.ts';
import type { Secret } from '../domain/secret.ts';
import type { EpochMs } from '../domain/time.ts';
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
  /**
   * When the client's secrets end, in their order; undefined in the place of one that never does. Absent where nothing
   * is told: stored secrets keep what is known of them.
   */
  readonly secretEnds?: readonly (EpochMs | undefined)[];
  /** A refresh token to import. */
  readonly refreshToken?: Secret;
  /** The answer is to wait for a first renewal that proves the grant. */
  readonly verify?: true;
}

/**
 * What is sound of a request with faults. What only the stores and its issuer can say of it is then told beside them,
 * and not once they are corrected.
 */
export interface ConnectionDraft {
  readonly request: ConnectionRequest;
  /** The settings that are faulty or missing: each may be meant as it is stored. */
  readonly open: readonly string[];
}

/** A request; or its faults and its draft, which is absent where too little is sound to say more. */
export type ParsedRequest =
  | { readonly ok: true; readonly value: ConnectionRequest }
  | { readonly ok: false; readonly faults: readonly Fault[]; readonly draft?: ConnectionDraft };

export interface ConnectionRequests {
  /** Returns what a body asks for, or every fault in it. */
  parse(body: unknown): ParsedRequest;
  /**
   * Returns the request with the endpoints that its issuer's metadata names, except those that it gives itself, or
   * every fault of what the metadata names.
   */
  complete(request: ConnectionRequest, metadata: ServerMetadata): Parsed<ConnectionRequest>;
}
