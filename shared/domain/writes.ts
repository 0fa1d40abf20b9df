/**
 * Every conditional write of the protocol, as data: what must hold, what changes. The adapters only translate; whether a
 * write is right can be read, tested and broken on purpose here. Each is atomic, on one item.
 */

import { callsOn, dayOf, outdatedErrors } from './budget.ts';
import { limits } from './limits.ts';
import { inDoubt, mayHaveBeenSent } from './rules.ts';
import { refreshAtOf, rejectionDueAtOf } from './timing.ts';
import {
  type Attempt,
  attemptsOf,
  type Cause,
  type Connection,
  type ConnectionConfig,
  type ConnectionName,
  type EpochMs,
  type Failure,
  type Lease,
  latest,
  type PendingAuthorization,
  type Place,
  plus,
  type Seen,
  type State,
  slotFor,
  type TokenSet,
  versionIdOf,
} from './types.ts';

/** An attribute, or a member of one: `lease.fence`, `attempts.17.sent`. */
export type Path =
  | keyof Connection
  | `lease.${keyof Lease}`
  | `attempts.${number}`
  | `attempts.${number}.${keyof Attempt}`
  | `errors.${number}`
  | `failure.${keyof Failure}`
  | `authorization.${keyof PendingAuthorization}`
  | 'deletion.notBefore';

/** One condition. A comparison with an absent attribute is false. */
export type Clause =
  | { readonly path: Path; readonly equals: string | number | boolean }
  | { readonly path: Path; readonly below: number }
  | { readonly path: Path; readonly atMost: number }
  | { readonly path: Path; readonly above: number }
  | { readonly present: Path }
  | { readonly absent: Path }
  | { readonly any: readonly Clause[] };

/** One conditional update of one item: applied whole if every clause holds, else not at all. */
export interface Write {
  readonly name: string;
  readonly when: readonly Clause[];
  readonly set: Readonly<Partial<Record<Path, unknown>>>;
  readonly remove: readonly Path[];
  readonly add?: Readonly<Partial<Record<Path, number>>>;
  /** Holds of the item if this very write was applied: tells our own retried write from a lost race. */
  readonly mine?: readonly Clause[];
}

// The sub-conditions, by name.
const exists: Clause = { present: 'connection' };
const sameGrant = (item: Connection): Clause => ({ path: 'grantId', equals: item.grantId });
const sameGeneration = (item: Connection): Clause => ({ path: 'generation', equals: item.generation });
const sameFence = (item: Connection): Clause => ({ path: 'fence', equals: item.fence });
const sameSettings = (item: Connection): Clause => ({ path: 'configuredAt', equals: item.configuredAt });
const stillActive: Clause = { path: 'state', equals: 'active' };
const noLeaseAlive = (now: EpochMs): Clause => ({ any: [{ absent: 'lease' }, { path: 'lease.until', atMost: now }] });
const leaseIsMine = (fence: number): Clause => ({ path: 'lease.fence', equals: fence });
const noNewerCommit = (fence: number): Clause => ({ path: 'committedFence', below: fence });
const asSeen = (path: Path, value: string | number | undefined): Clause => (value === undefined ? { absent: path } : { path, equals: value });

const attemptPath = (fence: number): Path => `attempts.${fence}`;
const errorPath = (fence: number | string): Path => `errors.${Number(fence)}`;

/** Takes the lease and records the intent, in one write. Refused if anything that was decided upon has changed. */
export function acquire({ item, profile }: Seen, owner: string, now: EpochMs, wakeAt: EpochMs): Write & { readonly lease: Lease; readonly attempt: Attempt } {
  const fence = item.fence + 1;
  const lease: Lease = { owner, fence, until: plus(now, limits.leaseMs) };
  const attempt: Attempt = {
    fence,
    slot: slotFor(item, profile),
    versionId: versionIdOf(item.grantId, fence),
    startedAt: now,
    generation: item.generation,
    // Ahead of us somebody may have sent: look first, send later (`markSent`).
    sent: mayHaveBeenSent(item).length === 0,
    repeats: inDoubt(item).length > 0,
    ended: false,
  };
  return {
    name: 'acquire',
    when: [sameGrant(item), sameFence(item), sameGeneration(item), stillActive, noLeaseAlive(now)],
    set: {
      fence,
      lease,
      [attemptPath(fence)]: attempt,
      wakeAt,
      // Counted before it is made, and as a failure until it is known to be none.
      [errorPath(fence)]: now,
      calls: callsOn(item, now) + 1,
      callsOn: dayOf(now),
    },
    remove: outdatedErrors(item, now).map(errorPath),
    mine: [leaseIsMine(fence), { path: 'lease.owner', equals: owner }],
    lease,
    attempt,
  };
}

/** The heartbeat. Depends on the lease alone: a holder whose lease ended and was not taken may go on. */
export const renewLease = (fence: number, until: EpochMs): Write => ({
  name: 'renew_lease',
  when: [leaseIsMine(fence)],
  set: { 'lease.until': until },
  remove: [],
});

/** The last gate before a refresh token is sent a second time. */
export const markSent = (item: Connection, fence: number, until: EpochMs): Write => ({
  name: 'mark_sent',
  when: [sameGrant(item), leaseIsMine(fence), sameGeneration(item)],
  set: { [`attempts.${fence}.sent`]: true, 'lease.until': until },
  remove: [],
});

/** A token set to commit, as it goes into the item: the access token sealed, the refresh token in its place. */
export interface Commit {
  readonly fence: number;
  readonly tokens: Pick<TokenSet, 'tokenType' | 'scope' | 'requestedAt' | 'receivedAt' | 'expiresAt'>;
  readonly sealedAccessToken: string;
  readonly place: Place | undefined;
  readonly contested: boolean;
  /** Whose token set this is, if it was found and not asked for: its call succeeded, and ours was not made. */
  readonly adoptedFence: number | undefined;
  /** The refresh token that an older holder committed meanwhile: ours may be the one that the provider has killed. */
  readonly overtaken: Place | undefined;
}

/**
 * Commits a success over the token set that was seen: first as the holder of the lease, else as one who lost it. The second
 * leaves the lease alone. Refused by a newer commit or another grant, for good; by an older holder's late commit, to be tried again
 * over that one.
 */
export function commitSuccess({ item, profile }: Seen, commit: Commit): readonly Write[] {
  const { fence, tokens } = commit;
  const refreshAt = refreshAtOf(tokens, profile);
  // An overtaken attempt may yet store its token set, and its holder may die before it can say so: the pointer stays for one more
  // generation, should ours turn out to be the one that the provider has killed.
  const stays = (attempt: Attempt) => attempt.generation === item.generation && attempt.sent && !attempt.ended && attempt.fence !== commit.adoptedFence;
  const outgrown = attemptsOf(item).filter((attempt) => attempt.fence === fence || (attempt.fence < fence && !stays(attempt)));
  const spare = commit.place === undefined ? undefined : commit.overtaken;
  const late: Write = {
    name: 'commit_success',
    when: [sameGrant(item), noNewerCommit(fence), sameGeneration(item)],
    set: {
      committedFence: fence,
      state: 'active' satisfies State,
      accessToken: commit.sealedAccessToken,
      accessTokenFence: fence,
      tokenType: tokens.tokenType,
      requestedAt: tokens.requestedAt,
      receivedAt: tokens.receivedAt,
      expiresAt: tokens.expiresAt,
      refreshAt,
      renewableAt: plus(tokens.receivedAt, profile.minTokenAgeMs),
      // Always: whatever a slower write left there, the planner finds this token set in time.
      dueAt: refreshAt,
      // Whoever took the lease from us may have sent our refresh token again.
      contested: true,
      ...(tokens.scope === undefined ? {} : { scope: tokens.scope }),
      ...(commit.place === undefined ? {} : { refreshToken: commit.place }),
      ...(spare === undefined ? {} : { spare }),
    },
    add: { generation: 1, ...(commit.adoptedFence === undefined ? {} : { calls: -1 }) },
    remove: [
      ...(commit.adoptedFence === undefined ? [] : [errorPath(commit.adoptedFence)]),
      errorPath(fence),
      ...(item.rejectedGeneration === item.generation ? [] : (['rejections'] as const)),
      'cause',
      'failure',
      'notBefore',
      'suspect',
      ...(spare === undefined ? (['spare'] as const) : []),
      'rejectedGeneration',
      'askedAt',
      ...outgrown.map((attempt) => attemptPath(attempt.fence)),
    ],
    mine: [sameGrant(item), { path: 'committedFence', equals: fence }],
  };
  const held: Write = {
    ...late,
    when: [...late.when, leaseIsMine(fence)],
    set: { ...late.set, contested: commit.contested || commit.overtaken !== undefined },
    remove: [...late.remove, 'lease'],
  };
  return [held, late];
}

/** What a failure leaves behind. */
export interface FailureCommit {
  readonly failure: Failure;
  /** The next attempt; undefined for none (the connection is not active any more). */
  readonly notBefore: EpochMs | undefined;
  readonly state: State;
  readonly cause?: Cause;
  /** A verdict that must wait until no earlier holder can answer. */
  readonly suspect: boolean;
  /** Another refresh token to go on with: one that came with the error, or the spare. */
  readonly place?: Place;
}

/**
 * Commits a failure: only while the lease is mine and nothing newer was committed. Marks the fence as committed only with a refresh
 * token, which an older holder's late success must then not replace.
 */
export function commitFailure(item: Connection, fence: number, commit: FailureCommit): Write {
  const { failure } = commit;
  const unknown = failure.class === 'in_doubt';
  // No connection, or nothing to send: the provider has not seen it.
  const unsent = failure.class === 'transient' && failure.status === undefined;
  // One ended attempt says all that many would: that the current refresh token may have been consumed.
  const repeated = unknown ? inDoubt(item, fence).filter((attempt) => attempt.ended) : [];
  return {
    name: 'commit_failure',
    // That the settings are wrong is no news once they were replaced.
    when: [sameGrant(item), leaseIsMine(fence), sameGeneration(item), ...(commit.state === 'misconfigured' ? [sameSettings(item)] : [])],
    set: {
      failure,
      state: commit.state,
      ...(commit.cause === undefined ? {} : { cause: commit.cause }),
      ...(commit.notBefore === undefined ? {} : { notBefore: commit.notBefore, dueAt: commit.notBefore }),
      ...(commit.suspect ? { suspect: failure } : {}),
      ...(commit.place === undefined ? {} : { refreshToken: commit.place, committedFence: fence }),
      ...(unknown ? { [`attempts.${fence}.ended`]: true } : {}),
    },
    remove: [
      'lease',
      ...(commit.notBefore === undefined ? (['dueAt', 'notBefore'] as const) : []),
      ...(commit.place === undefined ? [] : (['spare', 'suspect'] as const)),
      ...(unknown ? [] : [attemptPath(fence)]),
      ...(unsent ? [errorPath(fence)] : []),
      ...repeated.map((attempt) => attemptPath(attempt.fence)),
    ],
    ...(unsent ? { add: { calls: -1 } } : {}),
    mine: [sameGrant(item), { path: 'failure.fence', equals: fence }],
  };
}

/** Keeps the refresh token of a success that a newer one has overtaken. */
export const keepSpare = (item: Connection, fence: number, place: Place): Write => ({
  name: 'keep_spare',
  when: [sameGrant(item), { path: 'committedFence', above: fence }],
  set: { spare: place },
  // Its outcome is known now.
  remove: [attemptPath(fence)],
});

/** Gives the lease back: my lease and my entry, nobody else's. Unless the provider was called, the call is no longer counted. */
export const release = (item: Connection, fence: number, notBefore: EpochMs | undefined, called: boolean): Write => ({
  name: 'release',
  when: [sameGrant(item), leaseIsMine(fence), sameGeneration(item)],
  set: notBefore === undefined ? {} : { notBefore, dueAt: notBefore },
  remove: ['lease', attemptPath(fence), ...(called ? [] : [errorPath(fence)])],
  ...(called ? {} : { add: { calls: -1 } }),
});

/** Promises a message at `wakeAt`, unless one is promised that comes about as soon (`soonEnough`). */
export const promiseWake = (wakeAt: EpochMs, soonEnough: EpochMs, now: EpochMs): Write => ({
  name: 'promise_wake',
  when: [exists, { any: [{ absent: 'wakeAt' }, { path: 'wakeAt', atMost: now }, { path: 'wakeAt', above: soonEnough }] }],
  set: { wakeAt },
  remove: [],
  // Another waiter may have hit the same millisecond: then two messages are sent, which harms less than none.
  mine: [{ path: 'wakeAt', equals: wakeAt }],
});

/** Lets an idle connection rest, if nobody has asked and nothing was committed since it was seen. */
export const rest = (item: Connection, dueAt: EpochMs | undefined): Write => ({
  name: 'rest',
  when: [exists, sameGeneration(item), asSeen('lastUsed', item.lastUsed)],
  set: dueAt === undefined ? {} : { dueAt },
  remove: dueAt === undefined ? ['dueAt'] : [],
});

/** A client asked. Unconditional, but it must not bring back a deleted connection. */
export const touch = (now: EpochMs): Write => ({ name: 'touch', when: [exists], set: { lastUsed: now }, remove: [] });

/** Puts a resting connection back into the due index, if no commit did so meanwhile. */
export function arm(item: Connection, now: EpochMs): Write {
  const dueAt = latest(now, item.refreshAt ?? now, item.notBefore ?? now);
  return {
    name: 'arm',
    when: [sameGeneration(item), { any: [{ absent: 'dueAt' }, { path: 'dueAt', above: dueAt }] }],
    set: { dueAt },
    remove: [],
  };
}

/** "The provider refused this token": noted once for a generation, however many clients report it. */
export function reject(item: Connection, now: EpochMs): Write {
  const rejected: Connection = { ...item, rejectedGeneration: item.generation, rejections: (item.rejections ?? 0) + 1 };
  return {
    name: 'reject',
    when: [sameGeneration(item), stillActive, { any: [{ absent: 'rejectedGeneration' }, { path: 'rejectedGeneration', below: item.generation }] }],
    set: {
      rejectedGeneration: item.generation,
      rejections: (item.rejections ?? 0) + 1,
      lastUsed: now,
      dueAt: latest(rejectionDueAtOf(rejected) ?? now, item.notBefore ?? now),
    },
    remove: [],
  };
}

/** The mark "a refresh has been asked for", which many callers try to set and one succeeds. */
export const ask = (item: Connection, now: EpochMs): Write => ({
  name: 'ask',
  when: [sameGeneration(item), { any: [{ absent: 'askedAt' }, { path: 'askedAt', atMost: plus(now, -limits.askedMs) }] }],
  set: { askedAt: now },
  remove: [],
});

/** What somebody puts in by hand: settings, and perhaps a grant. */
export interface Grant {
  readonly grantId: string;
  readonly place: Place | undefined;
}

/** A connection's first item. */
export function create(connection: ConnectionName, config: ConnectionConfig, dueShard: string, now: EpochMs, state: State, grant: Grant): Connection {
  return {
    connection,
    config,
    createdAt: now,
    configuredAt: now,
    state,
    ...(state === 'reauthorization_required' ? { cause: 'not_authorized_yet' as const } : {}),
    grantId: grant.grantId,
    generation: 0,
    fence: 1,
    committedFence: 1,
    attempts: {},
    errors: {},
    calls: 0,
    callsOn: 0,
    dueShard,
    ...(grant.place === undefined ? {} : { refreshToken: grant.place }),
    // Due at once: whoever looks finds that nobody has asked yet, and lets it rest until it must be kept alive.
    ...(state === 'active' ? { dueAt: now } : {}),
  };
}

/** New settings, the grant kept. A connection that was misconfigured is tried again. */
export const replaceConfig = (item: Connection, config: ConnectionConfig, now: EpochMs): Write => ({
  name: 'replace_config',
  when: [sameGrant(item), sameFence(item), sameGeneration(item)],
  set: {
    config,
    configuredAt: now,
    ...(item.state === 'misconfigured' ? { state: 'active' satisfies State } : {}),
    ...(item.state === 'reauthorization_required' ? {} : { dueAt: latest(item.refreshAt ?? now, now) }),
  },
  remove: item.state === 'reauthorization_required' ? [] : ['cause', 'failure', 'notBefore'],
});

/**
 * A new grant (an authorization or an import). The fence is raised and counts as committed, and everything of the old
 * grant goes: otherwise an orphan of the old grant would be adopted over the new one.
 */
export const replaceGrant = (item: Connection, config: ConnectionConfig, now: EpochMs, grant: Grant): Write => ({
  name: 'replace_grant',
  when: [sameGrant(item), sameFence(item), sameGeneration(item)],
  set: {
    config,
    configuredAt: now,
    state: 'active' satisfies State,
    grantId: grant.grantId,
    fence: item.fence + 1,
    committedFence: item.fence + 1,
    attempts: {},
    contested: false,
    dueAt: now,
    ...(grant.place === undefined ? {} : { refreshToken: grant.place }),
  },
  remove: [
    ...(grant.place === undefined ? (['refreshToken'] as const) : []),
    'cause',
    'lease',
    'accessToken',
    'tokenType',
    'scope',
    'requestedAt',
    'receivedAt',
    'expiresAt',
    'refreshAt',
    'renewableAt',
    'rejections',
    'notBefore',
    'failure',
    'suspect',
    'spare',
    'wakeAt',
    'accessTokenFence',
    'rejectedGeneration',
    'askedAt',
  ],
  mine: [{ path: 'grantId', equals: grant.grantId }],
});
