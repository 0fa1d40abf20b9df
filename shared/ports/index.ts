/** What the application needs of the world. Adapters (`shared/adapters`) and the simulation (`test/sim`) both provide it. */

import type { Breaker } from '../domain/breaker.ts';
import type { Answer } from '../domain/classify.ts';
import type { Outcome } from '../domain/steps.ts';
import type { Announcement, Connection, ConnectionConfig, ConnectionName, EpochMs, Profile, Secret, Seen, TokenSet } from '../domain/types.ts';
import type { Write } from '../domain/writes.ts';

export interface Clock {
  now(): EpochMs;
  /** Resolves after `ms`, or at once when `signal` is aborted (it never rejects). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface Chance {
  /** A number in [0, 1). */
  next(): number;
  /** Random and unguessable: the first four groups of a UUID, lower case hex, for a new grant. */
  grantId(): string;
  /** Random, unique for each call. */
  id(): string;
}

/** A store or queue could not be reached, refused to answer, or timed out; whether it acted is unknown. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
  readonly store: 'table' | 'secrets' | 'queue' | 'keys' | 'events';
  constructor(store: Unavailable['store'], options?: { cause?: unknown }) {
    super(`${store} unavailable`, options);
    this.store = store;
  }
}

export type Applied = { readonly applied: true; readonly item: Connection } | { readonly applied: false; readonly item: Connection | undefined };

/** The table. Every method throws `Unavailable` when it cannot be reached. */
export interface ConnectionStore {
  /** A strongly consistent read. */
  read(connection: ConnectionName): Promise<Connection | undefined>;
  /** Writes the first item of a connection; false if there is one already. */
  create(item: Connection): Promise<boolean>;
  /**
   * Applies one conditional write, atomically. Not applied: the item as it is now. If `write.mine` holds of that item the write
   * had been applied by an earlier try whose reply was lost, and the answer is `applied`.
   */
  apply(connection: ConnectionName, write: Write): Promise<Applied>;
  /** Connections of one shard of the due index that are due not later than `until`, soonest first, at most `limit`. Eventually consistent. */
  listDue(shard: string, until: EpochMs, limit: number): Promise<readonly { readonly connection: ConnectionName; readonly dueAt: EpochMs }[]>;
  /** A page of connections in no particular order; `next` goes on after it. Items whose keys begin with `#` are no connections and not listed. */
  list(limit: number, after?: ConnectionName): Promise<{ readonly items: readonly Connection[]; readonly next?: ConnectionName }>;
}

export type LookUp = { readonly kind: 'found'; readonly tokens: TokenSet } | { readonly kind: 'absent' } | { readonly kind: 'unreadable' };

/** Where refresh tokens are kept: secrets in slots, read by version id only. */
export interface RefreshTokenStore {
  /** The refresh token at a place in a slot (not one that is sealed into the connection); undefined if that version does not exist. Throws `Unavailable`, `SealBroken`. */
  read(connection: ConnectionName, slot: number, versionId: string): Promise<Secret | undefined>;
  /** What an attempt stored, if it did. Never throws: what cannot be read is `unreadable`, which is not `absent`. */
  lookUp(connection: ConnectionName, slot: number, versionId: string): Promise<LookUp>;
  /**
   * Stores a whole token set under this version id, creating the slot's secret if need be. Storing the same again succeeds.
   * False if the version exists with other content. Throws `Unavailable`.
   */
  persist(connection: ConnectionName, slot: number, versionId: string, tokens: TokenSet): Promise<boolean>;
}

/** The secrets of one connection by name: `client_secret`, and the settings of the kind `secret`. */
export type Credentials = Readonly<Record<string, Secret>>;

/** What a connection authenticates with: all of it in one secret for each connection, read by version id. Throws `Unavailable`. */
export interface CredentialStore {
  read(connection: ConnectionName, versionId: string): Promise<Credentials | undefined>;
  store(connection: ConnectionName, versionId: string, credentials: Credentials): Promise<void>;
}

/** What a sealed text is bound to: it opens for the same binding only. */
export interface SealBinding {
  readonly connection: ConnectionName;
  /** `versionIdOf(grantId, fence)`: names one token set of one grant, whoever committed it. */
  readonly versionId: string;
}

/** Seals and opens with one key (access tokens and refresh tokens have different ones). */
export interface Sealer {
  /** Brings the current key into memory, so that `seal` cannot fail later. Throws `Unavailable`. */
  ready(): Promise<void>;
  seal(plaintext: Secret, binding: SealBinding): Promise<string>;
  /** Throws `Unavailable` if the key cannot be read, `SealBroken` if the text is not what was sealed for this binding. */
  open(sealed: string, binding: SealBinding): Promise<Secret>;
}

export class SealBroken extends Error {
  override readonly name = 'SealBroken';
}

/** A token endpoint's reply as it came, or how the call ended without one. */
export type TokenReply = Answer;

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
  request(request: TokenRequest): Promise<TokenReply>;
}

/** A message that asks for a connection to be looked at. It carries no secret and no order: the reader decides. */
export interface RefreshQueue {
  /** Delivers not before `delayMs` from now, at least once. Throws `Unavailable`. */
  send(connection: ConnectionName, delayMs: number): Promise<void>;
  sendAll(messages: readonly { readonly connection: ConnectionName; readonly delayMs: number }[]): Promise<void>;
}

/** Whoever subscribed to changes of connections. */
export interface Announcer {
  /** Tells them, at least once; a repetition has the same id. Throws `Unavailable`. */
  announce(announcement: Announcement): Promise<void>;
}

/** Breakers, one for each provider application. Every method throws `Unavailable` when the table cannot be reached. */
export interface BreakerStore {
  /** A strongly consistent read. */
  read(application: string): Promise<Breaker | undefined>;
  /** Writes a breaker over the version before its own, or as the first one; false if there is another version. */
  replace(breaker: Breaker): Promise<boolean>;
}

/** Facts for people and alarms. Names are past-tense events; fields never hold a secret (a `Secret` prints as `[redacted]`). */
export interface Telemetry {
  info(event: string, fields: Readonly<Record<string, unknown>>): void;
  warn(event: string, fields: Readonly<Record<string, unknown>>): void;
  error(event: string, fields: Readonly<Record<string, unknown>>): void;
  /** Counts for alarms. `dimension` is the provider's name, never a connection's. */
  count(metric: Metric, value: number, provider?: string): void;
}

export type Metric =
  | 'RefreshSucceeded'
  | 'RefreshFailed'
  | 'RefreshFailing'
  | 'ReauthorizationRequired'
  | 'Misconfigured'
  | 'RefreshTokenSealed'
  | 'OrphanAdopted'
  | 'BudgetSpent'
  | 'ProviderDown'
  | 'OverdueConnections'
  | 'RefreshDurationMs';

/** How a connection comes by tokens, whatever its grant. At most one call, one outcome, classified by the provider's rules. */
export interface TokenSource {
  /** Never throws for what the network or the provider does. */
  obtain(seen: Seen, have: { readonly refreshToken?: Secret; readonly credentials: Credentials }): Promise<Outcome>;
}

/** Where an imported refresh token is put, by a function that cannot read one. */
export interface ImportedRefreshTokens {
  /**
   * Stores a refresh token that comes without a token set, where `RefreshTokenStore.read` finds it. Storing the same again
   * succeeds. False if the version exists with other content. Throws `Unavailable`.
   */
  storeRefreshToken(connection: ConnectionName, slot: number, versionId: string, refreshToken: Secret): Promise<boolean>;
}
