/**
 * All that is known of one connection: one record, so that every step of the protocol is one conditional write of one
 * item. The names here are the attribute names in the table (docs/storage.md).
 *
 * What is always written together is a group, and a group is written whole: it is there with all its members, or not at
 * all. What is set alone, or is a key of the due index, stays on top. The maps (`attempts`, `calls`) are there from the
 * first write on, because a write can set a member only of a map that exists.
 */
import type { Announcement } from './announcement.ts';
import type { ConnectionName } from './connection-name.ts';
import type { Cause, Failure } from './failure.ts';
import type { Fence, Generation, GrantId, Slot, VersionId } from './ids.ts';
import type { Profile, Renewal } from './profile.ts';
import type { SecondRefresher } from './signs.ts';
import type { EpochMs } from './time.ts';

export const states = ['active', 'reauthorization_required', 'misconfigured'] as const;
/** As the API tells them: a connection that is marked as deleted is served and renewed no more. */
export const shownStates = [...states, 'deleting'] as const;

export type State = (typeof states)[number];

/** The right to send one refresh request. It ends by itself; its holder renews it while it works. */
export interface Lease {
  readonly owner: string;
  readonly fence: Fence;
  readonly until: EpochMs;
}

/**
 * The intent to send a refresh token, written before the call. As long as it stands, the outcome of that call is
 * unknown. The token set that it may have brought is then in version `versionId` of the secret of `slot`.
 */
export interface Attempt {
  readonly fence: Fence;
  readonly slot: Slot;
  readonly versionId: VersionId;
  readonly startedAt: EpochMs;
  /**
   * Whose refresh token it sends: an attempt that began under an earlier generation leaves the current one in no doubt.
   */
  readonly generation: Generation;
  /**
   * The refresh token may have been sent. False only until an attempt that follows open ones has looked up what they
   * may have stored.
   */
  readonly sent: boolean;
  /** An attempt before it may have sent the same refresh token. */
  readonly repeats: boolean;
  /** Its holder saw the call end without an answer (time-out, 5xx): no refresher needs to wait for one. */
  readonly ended: boolean;
}

/** Where a refresh token is: in a secret, or sealed in the item because no secret took it. */
export type Place =
  | { readonly kind: 'secret'; readonly slot: Slot; readonly versionId: VersionId }
  | { readonly kind: 'sealed'; readonly versionId: VersionId; readonly sealed: string };

export type PlaceInSecret = Extract<Place, { kind: 'secret' }>;

export const inSecret = (slot: Slot, versionId: VersionId): PlaceInSecret => ({ kind: 'secret', slot, versionId });

/** The connection's secrets: which there are, and the version that holds them all. */
export interface StoredCredentials {
  readonly versionId: string;
  readonly names: readonly string[];
  /**
   * When the client's secrets end, by their names, as an operator told it: for people alone, it decides nothing. A
   * secret of which that is not known, or that does not end, is absent.
   */
  readonly endsAt?: Readonly<Record<string, EpochMs>>;
}

/** The connection's settings, as validated: which preset, how it differs from it, and where the client secret is. */
export interface ConnectionConfig {
  readonly provider: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly clientId?: string;
  /** Absent where the provider asks for none. */
  readonly credentials?: StoredCredentials;
  readonly renewal: Renewal;
  readonly marginSeconds?: number;
  /**
   * The account that logs in at the provider: a label for people. Where a provider knows one grant for each account and
   * application, it also tells grants apart.
   */
  readonly account?: string;
  /** The operator accepts that this connection may end another one's grant, or have its own ended. */
  readonly allowGrantConflict?: true;
  /** `shared`: the provider sends browsers back to `/oauth/callback`, not to a path of this connection's own. */
  readonly callback?: 'shared';
}

/** Which of a client's two secrets is sent, while one replaces the other (`client-secrets.ts`). */
export interface ClientSecretInUse {
  /** The version of the credentials that has both: with another version it means nothing. */
  readonly versionId: string;
  readonly inUse: 'first' | 'second';
  /** When the provider refused the other one. Absent once this one has brought a token set. */
  readonly otherRefusedAt?: EpochMs;
}

/** A login that was asked for: a link that is good until `expiresAt`, unless a newer one is made before. */
export interface PendingAuthorization {
  readonly id: string;
  /** The grant and the settings as they were: a link leads nowhere once either was replaced. */
  readonly grantId: GrantId;
  readonly configuredAt: EpochMs;
  readonly expiresAt: EpochMs;
  /** The principal who asked for the link, as API Gateway names it. */
  readonly askedBy?: string;
  /** The callback that redeems the code. It writes itself down before it sends the code: a code is redeemed once. */
  readonly redeemer?: string;
  /** What came of the code, so that a browser that loads the callback again is told the same. */
  readonly outcome?: AuthorizationOutcome;
}

export interface AuthorizationOutcome {
  readonly kind: 'connected' | 'refused' | 'no_answer' | 'no_refresh_token' | 'changed_meanwhile';
  readonly code?: string;
  readonly description?: string;
}

/** What a resource owner gave: everything done under one grant id stays with that grant. */
export interface Grant {
  readonly id: GrantId;
  readonly at: EpochMs;
  /**
   * Recognises the refresh token whose import began this grant. Absent if a login began it, or it needs no refresh
   * token.
   */
  readonly importDigest?: string;
  /** What came with its login and its tokens, by the names that clients know it by: `realmId`, `instance_url` … */
  readonly values?: Readonly<Record<string, string>>;
}

/** An end of a grant that a reply told. */
export interface ToldEnd {
  readonly at: EpochMs;
  /** When the reply came that told it. Later ones may have told none. */
  readonly toldAt: EpochMs;
  /** A renewal has not moved it: a person has to authorize again by then. */
  readonly fixed: boolean;
}

/** The newest token set, but for its refresh token, which can be replaced without it. */
export type SealedTokenSet = ServableTokenSet | (TokenSetRecord & { readonly sealed?: never; readonly type?: never });

/** With an access token, which is missing where only a refresh token came, with an error. */
export interface ServableTokenSet extends TokenSetRecord {
  /** The access token, sealed and bound to the connection, the grant and `fence`. */
  readonly sealed: string;
  readonly type: string;
}

interface TokenSetRecord {
  readonly fence: Fence;
  readonly scope?: string;
  /**
   * When the provider ends the grant if nothing happens, as its replies tell. Absent if they do not, or if there is no
   * end.
   */
  readonly grantEnd?: ToldEnd;
  /** Start of the request that brought the token set: its life counts from here. */
  readonly requestedAt: EpochMs;
  /** Arrival of the reply: the token's age, for `minTokenAge`, counts from here. */
  readonly receivedAt: EpochMs;
  readonly expiresAt: EpochMs;
  /** By then the provider has ended it: the same life, from when the reply came that first brought this token. */
  readonly overAt?: EpochMs;
  /** From when the provider lets this token set be renewed: `receivedAt + minTokenAge`. */
  readonly renewableAt: EpochMs;
  /** The provider ends this access token as soon as it is renewed. */
  readonly endsAtRenewal?: true;
  /**
   * The refresh token that brought this token set may have been sent more than once, so the provider may yet hold it
   * against the broker. The next renewal that had no rival clears it.
   */
  readonly contested: boolean;
  /**
   * How long its renewal took, from the lease to the arrival of the reply. Absent until the first renewal of a grant.
   */
  readonly tookMs?: number;
}

/**
 * What was spent at the provider. A call is counted before it is made, as one that fails, until it is known to have
 * succeeded.
 */
export interface Calls {
  /** The UTC day, counted from 1970, that `count` counts the calls of. */
  readonly day: number;
  readonly count: number;
  /** When refresh calls began that failed, or whose outcome is unknown, within the last hour; by fencing token. */
  readonly failing: Readonly<Record<string, EpochMs>>;
  /** The same of codes that were redeemed; by the id of the login. */
  readonly codes: Readonly<Record<string, EpochMs>>;
}

/** A client's report that the provider refused a token. It says nothing of the generations that follow. */
export interface Rejected {
  readonly generation: Generation;
  /** How many generations in a row were reported. */
  readonly times: number;
}

/** All that is known of one connection: one item in the table. Secrets are in it only sealed. */
export interface Connection {
  readonly connection: ConnectionName;
  readonly config: ConnectionConfig;
  readonly createdAt: EpochMs;
  /** When the settings were put. */
  readonly configuredAt: EpochMs;
  readonly state: State;
  /** Why it is not active. */
  readonly cause?: Cause;

  readonly grant: Grant;
  readonly generation: Generation;
  readonly fence: Fence;
  /** The fencing token of the newest commit: of a token set, or of a refresh token that came without one. */
  readonly committedFence: Fence;
  readonly lease?: Lease;
  /**
   * Every attempt whose outcome is unknown, by fencing token; one that a success overtook stays for two generations
   * more.
   */
  readonly attempts: Readonly<Record<string, Attempt>>;
  readonly calls: Calls;

  /** Absent until the first renewal, and after a new grant. */
  readonly tokens?: SealedTokenSet;
  /**
   * From when a renewal is wanted: `max(expiresAt − margin, receivedAt + minTokenAge)`, or earlier for a client that
   * wants more life.
   */
  readonly refreshAt?: EpochMs;
  readonly refreshToken?: Place;
  /**
   * A refresh token that was put aside for another, or came with an overtaken success that no secret took. Some
   * providers kill the other one of two: before a grant is called dead, this one is tried.
   */
  readonly spare?: Place;

  /** The provider is not called before this instant. */
  readonly notBefore?: EpochMs;
  readonly failure?: Failure;
  /** The provider called the grant dead while an earlier holder could still answer: a verdict is pending. */
  readonly suspect?: Failure;
  /** The provider refused the grant or its client while it refused too many of the application to be believed. */
  readonly withheld?: Failure;
  /** Signs that another party renews this grant. */
  readonly secondRefresher?: SecondRefresher;
  /** Which of two client secrets is sent. Absent where there is one, and as long as neither was refused or proven. */
  readonly clientSecret?: ClientSecretInUse;
  /** A message for this instant is on its way, so no refresher sends another. */
  readonly wakeAt?: EpochMs;
  /** Key of the due index: when the planner looks next. Absent while the connection rests. */
  readonly dueAt?: EpochMs;
  readonly dueShard: string;
  readonly lastUsed?: EpochMs;
  /** When a client last asked for a refresh. Other clients send no second message for `limits.askedMs`. */
  readonly askedAt?: EpochMs;
  /** The first of the asks that followed each other within `limits.askedAnewMs` and were not answered by a renewal. */
  readonly askedSince?: EpochMs;
  readonly rejected?: Rejected;
  /** A change that subscribers have not been told of yet. */
  readonly announcement?: Pick<Announcement, 'change' | 'at'>;
  /** Settings that were replaced, of which subscribers have not been told yet. */
  readonly changed?: { readonly at: EpochMs; readonly paths: readonly string[] };
  /** The end of the grant that subscribers have been told of. */
  readonly announcedEnd?: EpochMs;
  /** The end of the client's secret that subscribers have been told of. */
  readonly announcedSecretEnd?: EpochMs;
  /** The last login that was asked for. It stays when it has brought a grant, and says so. */
  readonly authorization?: PendingAuthorization;
  /** An operator has stopped its renewals, for the time being. */
  readonly paused?: { readonly at: EpochMs; readonly by?: string };
  /** The connection is being deleted: nothing is served or renewed, and what is left of it is being removed. */
  readonly deletion?: Deletion;
  /**
   * Refresh tokens of this connection have been in no secret but those of the slots below this, however often its
   * settings or the life of its tokens changed their number. It only grows, and tells a deletion which secrets there
   * may be.
   */
  readonly slots: number;
}

/**
 * Which attributes outlive the grant that they were written under; everything else goes with it. A field that is added
 * to `Connection` and forgotten here does not compile.
 */
export const outlivesGrant = {
  connection: true,
  config: true,
  createdAt: true,
  configuredAt: true,
  state: true,
  cause: false,
  grant: false,
  generation: true,
  fence: true,
  committedFence: true,
  lease: false,
  attempts: false,
  calls: true,
  tokens: false,
  refreshAt: false,
  refreshToken: false,
  spare: false,
  notBefore: false,
  failure: false,
  suspect: false,
  withheld: false,
  secondRefresher: false,
  clientSecret: true,
  wakeAt: false,
  dueAt: true,
  dueShard: true,
  lastUsed: true,
  askedAt: false,
  askedSince: false,
  rejected: false,
  announcement: true,
  changed: true,
  announcedEnd: false,
  announcedSecretEnd: true,
  authorization: true,
  paused: true,
  deletion: true,
  slots: true,
} as const satisfies Record<keyof Connection, boolean>;

/** A deletion that is not done yet. One refresher at a time works on it. */
export interface Deletion {
  readonly since: EpochMs;
  /** No refresher takes it before: until then its owner may be at work, or it waits for the next try. */
  readonly notBefore: EpochMs;
  /** The refresher that took it: random, another one each time. */
  readonly owner?: string;
  /** How the grant was ended at the provider. Once that is written down, there is only removing left. */
  readonly ended?: GrantEnded;
}

/** What came of revoking a grant. It holds only for the refresh token that was revoked; another one is revoked anew. */
export interface GrantEnded {
  /**
   * `refused`: the provider has nothing to revoke, or offers no way to. `failed`: it could not be told for as long as
   * that was tried.
   */
  readonly kind: 'revoked' | 'refused' | 'failed';
  readonly code?: string;
  /** Of the refresh token that was revoked, if there was one. */
  readonly versionId?: VersionId;
}

/** A connection together with what its provider is like. */
export interface Seen {
  readonly item: Connection;
  readonly profile: Profile;
}

/**
 * The secret version in which the attempt with this fencing token stores what it gets: known before the call, and after
 * a crash.
 */
export function versionIdOf(grantId: GrantId, fence: Fence): VersionId {
  // A grant id is the first four groups of a UUID, the fencing token is the fifth: Secrets Manager takes 32 to 64
  // characters.
  return `${grantId}-${fence.toString(16).padStart(12, '0')}` as VersionId;
}

/**
 * Which secret the next token set's refresh token goes to. By generation: failed attempts would unbalance slots by
 * fence.
 */
export const slotFor = (item: Connection, profile: Profile): Slot => ((item.generation + 1) % profile.slots) as Slot;

/**
 * So many slots may hold a secret. The first renewals of a connection have not come round yet: a token set is stored in
 * no slot above its generation, whatever the number of slots was then.
 */
export const usedSlots = ({ slots, generation }: Connection): number => Math.min(slots, generation + 2);
