/**
 * All that is known of one connection: one record, so that every step of the protocol is one conditional write of one item.
 * The attribute names here are the attribute names in the table (docs/storage.md).
 */
import type { Announcement } from './announcement.ts';
import type { ConnectionName } from './connection-name.ts';
import type { Cause, Failure } from './failure.ts';
import type { Profile, Renewal } from './profile.ts';
import type { EpochMs } from './time.ts';

export type State = 'active' | 'reauthorization_required' | 'misconfigured';

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
  /** The provider refused the grant or its client while it refused too many of the application to be believed. */
  readonly withheld?: Failure;
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
  /**
   * Refresh tokens of this connection have been in no secret but those of the slots below this, however often its settings or the life of its
   * tokens changed their number. It only grows, and tells a deletion which secrets there may be.
   */
  readonly slots: number;
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
