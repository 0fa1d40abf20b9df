/**
 * The values that the protocol speaks of. One record holds all the state of one connection, so that every step is
 * one conditional write of one item. The attribute names here are the attribute names in the table (docs/storage.md).
 */

declare const brand: unique symbol;

/** Milliseconds since 1970-01-01T00:00Z. Durations are plain numbers whose names end in `Ms`. */
export type EpochMs = number & { readonly [brand]: 'EpochMs' };

/** A connection's name: `[a-z0-9]` and inner hyphens, 1 to 63 characters. Parsed once, at the border. */
export type ConnectionName = string & { readonly [brand]: 'ConnectionName' };

/** Returns the instant `ms` after `instant` (before it, if negative). */
export const plus = (instant: EpochMs, ms: number): EpochMs => (instant + ms) as EpochMs;
export const earliest = (...instants: EpochMs[]): EpochMs => Math.min(...instants) as EpochMs;
export const latest = (...instants: EpochMs[]): EpochMs => Math.max(...instants) as EpochMs;

/** A value that must never be printed. Every way of turning it into text gives `[redacted]`; only `reveal` does not. */
export class Secret<T = string> {
  readonly #value: T;
  constructor(value: T) {
    this.#value = value;
  }
  reveal(): T {
    return this.#value;
  }
  toString(): string {
    return '[redacted]';
  }
  toJSON(): string {
    return '[redacted]';
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[redacted]';
  }
}

export type State = 'active' | 'reauthorization_required' | 'misconfigured';

/**
 * Why a connection is not active. `refresh_in_doubt` is a loss that we may have caused (a reply lost inside a dying
 * process at a single-use provider); the others are the provider's word.
 */
export type Cause =
  | 'not_authorized_yet'
  | 'refresh_in_doubt'
  | 'invalid_grant'
  | 'refresh_token_expired'
  | 'refresh_token_reused'
  | 'invalid_client'
  | 'invalid_request';

/** What a failed call means; one word for each way on (`classify.ts` assigns them, `decide.ts` acts on them). */
export type FailureClass = 'too_early' | 'transient' | 'in_doubt' | 'misconfigured' | 'dead_grant';

/** The last failure, kept as facts. `description` is the provider's own words with anything secret-looking removed. */
export interface Failure {
  readonly class: FailureClass;
  /** Short and stable: the provider's `error` code, `http_503`, `time_out`, `connection_refused` … */
  readonly code: string;
  readonly status?: number;
  readonly description?: string;
  readonly cause?: Cause;
  /** What somebody should do about it, where the provider's rules know more than the cause says. */
  readonly fix?: string;
  readonly at: EpochMs;
  /** How many failures in a row, this one included. */
  readonly count: number;
  /** The fencing token of the attempt that failed: recognises our own write when its reply was lost. */
  readonly fence: number;
}

/** The right to send one refresh request. Ends by itself; whoever holds it renews it while working. */
export interface Lease {
  readonly owner: string;
  readonly fence: number;
  readonly until: EpochMs;
}

/**
 * The intent to send a refresh token, written before the call. While it stands, the outcome of that call is unknown.
 * Its secret version, should the holder have stored one, is `versionId` in `slot`.
 */
export interface Attempt {
  readonly fence: number;
  readonly slot: number;
  readonly versionId: string;
  readonly startedAt: EpochMs;
  /** Which token set's refresh token it sends: an attempt on an outgrown generation leaves the current one in no doubt. */
  readonly generation: number;
  /** May have been sent. False only until an attempt that follows others has looked for what they may have stored. */
  readonly sent: boolean;
  /** Others before it may have sent the same refresh token. */
  readonly repeats: boolean;
  /** Its holder saw the call end without an answer (time-out, 5xx): nobody needs to wait for it. */
  readonly ended: boolean;
}

/** Where the current refresh token is: a secret version, or sealed in the item when Secrets Manager could not take it. */
export interface Place {
  readonly versionId: string;
  readonly slot?: number;
  readonly sealed?: string;
}

/** The connection's settings, as validated. Which preset, how it differs from it, and where the client secret is. */
export interface ConnectionConfig {
  readonly provider: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly clientId?: string;
  /** The connection's secrets: which there are, and the version that holds them all. Absent where none is needed. */
  readonly credentials?: { readonly versionId: string; readonly names: readonly string[] };
  readonly renewal: Renewal;
  readonly marginSeconds?: number;
  /** Who logs in at the provider: a label for people, and what tells grants apart where a provider knows one for each user and application. */
  readonly account?: string;
  /** Whoever put the connection knows that it may end another's grant, or have its own ended. */
  readonly allowGrantConflict?: true;
}

/** `while_used`: ahead of expiry only if somebody asked within the last hour. `always`: whether or not. */
export type Renewal = 'while_used' | 'always';

/** A login that was asked for. Its code is redeemed once: by whoever writes itself down as its redeemer. */
export interface PendingAuthorization {
  readonly id: string;
  readonly redeemer?: string;
}

/** All that is known of one connection: one item in the table. Secrets are in it only sealed. */
export interface Connection {
  readonly connection: ConnectionName;
  readonly config: ConnectionConfig;
  readonly createdAt: EpochMs;
  /** When the settings were put. */
  readonly configuredAt: EpochMs;
  readonly state: State;
  readonly cause?: Cause;

  /** Random, new for each authorization or import: nothing done under an older grant can touch a newer one. */
  readonly grantId: string;
  readonly grantedAt: EpochMs;
  /** Tells whether a refresh token is the one whose import began this grant. Absent if a login began it. */
  readonly importDigest?: string;
  /** +1 for each committed token set. */
  readonly generation: number;
  /** +1 for each granted lease. */
  readonly fence: number;
  /** The fencing token of the newest commit: of a token set, or of a refresh token that came without one. */
  readonly committedFence: number;
  readonly lease?: Lease;
  /** Every attempt whose outcome is unknown, by fencing token; one that a success overtook, for two generations more. */
  readonly attempts: Readonly<Record<string, Attempt>>;

  /** When calls began that failed, or of which nothing good is known yet, within the last hour; by fencing token, a code's by its instant. */
  readonly errors: Readonly<Record<string, EpochMs>>;
  /** Calls made on the day (UTC, counted from 1970) `callsOn`. */
  readonly calls: number;
  readonly callsOn: number;

  /** The access token, sealed and bound to connection, grant and the fencing token beside it. */
  readonly accessToken?: string;
  readonly accessTokenFence?: number;
  readonly tokenType?: string;
  readonly scope?: string;
  /** Start of the request that brought the token set: its expiry counts from here. */
  readonly requestedAt?: EpochMs;
  /** Arrival of the reply: the token's age, for `minTokenAge`, counts from here. */
  readonly receivedAt?: EpochMs;
  readonly expiresAt?: EpochMs;
  /** From when a renewal is wanted: `max(expiresAt − margin, receivedAt + minTokenAge)`. */
  readonly refreshAt?: EpochMs;
  /**
   * The refresh token that brought this token set may have been sent more than once, so the provider may yet hold it against
   * us; cleared by the next renewal that nobody contests.
   */
  readonly contested?: boolean;
  readonly refreshToken?: Place;
  /**
   * A refresh token that was put aside for another, or came with an overtaken success that no secret took. Some providers kill
   * the other one of two: before a grant is called dead, this one is tried.
   */
  readonly spare?: Place;

  /** No call before this instant. */
  readonly notBefore?: EpochMs;
  readonly failure?: Failure;
  /** The provider called the grant dead while an earlier holder could still answer: a verdict is pending. */
  readonly suspect?: Failure;
  /** A message for this instant is on its way: nobody else need send one. */
  readonly wakeAt?: EpochMs;
  /** Key of the due index: when the planner should next look. Absent while resting. */
  readonly dueAt?: EpochMs;
  readonly dueShard?: string;
  readonly lastUsed?: EpochMs;
  /** From when the provider lets this token set be renewed: `receivedAt + minTokenAge`. */
  readonly renewableAt?: EpochMs;
  /** The number of the generation that a client saw refused; outgrown by the next commit. */
  readonly rejectedGeneration?: number;
  /** How many generations in a row were reported as refused. */
  readonly rejections?: number;
  /** When a client last asked for a refresh; others need not for a while. */
  readonly askedAt?: EpochMs;
  /** A change that subscribers have not been told of yet. */
  readonly announcement?: Pick<Announcement, 'change' | 'at'>;
  /** The end of the grant that they have been told of. */
  readonly announcedEnd?: EpochMs;
  /** The last authorization that was asked for, until it has brought a grant. */
  readonly authorization?: PendingAuthorization;
  /** Somebody deleted the connection: nothing is served or renewed, and what is left of it is being removed. */
  readonly deletion?: Deletion;
  /** Its refresh tokens have been in no secret but those of the slots below this. Absent if that was not written down from the start. */
  readonly slots?: number;
}

/** A deletion that is not done yet. One at a time is at work on it. */
export interface Deletion {
  readonly since: EpochMs;
  /** Nobody comes to it before: whoever has it may be at work until then, or it waits for the next try. */
  readonly notBefore: EpochMs;
  /** Who has it: random, another for each that takes it. */
  readonly owner?: string;
  /** How the grant was ended at the provider. Once that is written down, there is only removing left. */
  readonly ended?: GrantEnded;
}

/** What came of revoking a grant. Another refresh token than this one is revoked anew. */
export interface GrantEnded {
  /** `refused`: there is nothing, or nobody, to tell. `failed`: the provider could not be told for as long as it was tried. */
  readonly kind: 'revoked' | 'refused' | 'failed';
  readonly code?: string;
  /** Of the refresh token that was revoked, if there was one. */
  readonly versionId?: string;
}

/** What a client needs beside the access token, and nobody else: it is sealed with it. */
export interface Companions {
  /** Secrets that go into headers of requests, by the name of their setting. */
  readonly secrets?: Readonly<Record<string, Secret>>;
  /** Where the provider wants the requests. */
  readonly endpoint?: string;
}

/** What a token endpoint gave, as understood. */
export interface TokenSet {
  readonly accessToken: Secret;
  readonly companions?: Companions;
  readonly refreshToken?: Secret;
  readonly tokenType: string;
  readonly scope?: string;
  readonly requestedAt: EpochMs;
  readonly receivedAt: EpochMs;
  readonly expiresAt: EpochMs;
}

/** The provider facts that the protocol needs, resolved from preset and connection. */
export interface Profile {
  /** `mint`: made from stored secrets in the provider's own way. `static`: a stored secret itself. Neither has a refresh token. */
  readonly grant: 'refresh_token' | 'client_credentials' | 'mint' | 'static';
  readonly marginMs: number;
  /** Earliest age, counted from its arrival, at which a token may be renewed; 0 where the provider sets none. */
  readonly minTokenAgeMs: number;
  /** Lifetime to assume when the reply does not tell. */
  readonly defaultLifetimeMs: number;
  /**
   * May a refresh token whose fate is unknown be sent again at once? `after_holder` (single use, or unknown): only when
   * no earlier holder can still answer, since a provider may revoke the whole grant on reuse.
   */
  readonly ambiguousRetry: 'at_once' | 'after_holder';
  /** How long we wait for the token endpoint. */
  readonly callTimeoutMs: number;
  /** How many secrets the refresh tokens alternate over. */
  readonly slots: number;
  readonly renewal: Renewal;
  /** An idle refresh token is used at least this often, so that it does not lapse. */
  readonly keepAliveMs?: number;
  /** A grant ends so long after it was given, however much it is used; and when it was not used for so long. */
  readonly grantLifetimeMs?: number;
  readonly grantIdleMs?: number;
  /** How many calls may end in an error within any hour, and how many may be made in a day (UTC); our own stop before the provider's. */
  readonly errorsPerHour?: number;
  readonly callsPerDay?: number;
  /** First delay of the back-off by failure code (`http_429`), else `default`. */
  readonly firstDelayMs: Readonly<Record<string, number>> & { readonly default: number };
}

/** A change of a connection that people or programs may want to know of. It holds no secret. */
export interface Announcement {
  /** The same for a repeated announcement of the same change. */
  readonly id: string;
  readonly change: 'authorized' | 'reauthorization_required' | 'misconfigured' | 'recovered' | 'reauthorization_due';
  readonly connection: ConnectionName;
  readonly provider: string;
  /** Why the connection is not active. */
  readonly cause?: Cause;
  readonly at: EpochMs;
  /** Of `reauthorization_due`: when the provider ends the grant if nobody authorizes again. */
  readonly grantEndsAt?: EpochMs;
}

/** A connection together with what its provider is like. */
export interface Seen {
  readonly item: Connection;
  readonly profile: Profile;
}

/** The secret version in which the attempt with this fencing token stores what it gets: known before, and after a crash. */
export function versionIdOf(grantId: string, fence: number): string {
  // A grant id is the first four groups of a UUID, the fencing token is the fifth: Secrets Manager takes 32 to 64 characters.
  return `${grantId}-${fence.toString(16).padStart(12, '0')}`;
}

/** Which secret the next token set's refresh token goes to. By generation: failed attempts would unbalance slots by fence. */
export const slotFor = (item: Connection, profile: Profile): number => (item.generation + 1) % profile.slots;

/** Attempts in the order in which they were made. */
export const attemptsOf = (item: Connection): Attempt[] => Object.values(item.attempts).sort((a, b) => a.fence - b.fence);
