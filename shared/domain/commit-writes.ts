/** What a refresh brought, or why it brought nothing, as conditional writes. */
import { dueBy, noted } from './announcements.ts';
import { attemptsOf, inDoubt } from './attempts.ts';
import { provenSecret } from './client-secrets.ts';
import type { Attempt, Connection, Place, SealedTokenSet, Seen, State } from './connection.ts';
import type { Cause, Failure } from './failure.ts';
import type { Held } from './held.ts';
import type { Fence } from './ids.ts';
import type { Profile } from './profile.ts';
import { noticed, signOfRejections } from './second-refresher.ts';
import type { Sign } from './signs.ts';
import type { EpochMs } from './time.ts';
import { lifeOf, toldEndOf } from './timing.ts';
import type { Received } from './token-set.ts';
import {
  attemptPath,
  failingPath,
  leaseIsMine,
  noNewerCommit,
  sameGeneration,
  sameGrant,
  sameSettings,
  type Write,
} from './writes.ts';

/** What of a reply is kept in the open. */
export type Committed = Pick<
  Received,
  'tokenType' | 'scope' | 'values' | 'grantEndsAt' | 'requestedAt' | 'receivedAt' | 'expiresAt'
> & {
  /** The access token is the one that there was before. */
  readonly again?: boolean;
};

/** The token set as every write of one sets it, and from when its renewal is wanted. */
export function tokenSetAs(
  tokens: Committed,
  sealed: string | undefined,
  how: Pick<SealedTokenSet, 'fence' | 'contested' | 'tookMs'>,
  before: SealedTokenSet | undefined,
  profile: Profile,
  spread: number,
): { readonly tokens: SealedTokenSet; readonly refreshAt: EpochMs } {
  const { tokenType: type } = tokens;
  const access = sealed === undefined || type === undefined ? {} : { sealed, type };
  // A reply that names no scope grants the one that there was, or was asked for (RFC 6749, sections 5.1 and 6).
  const scope = tokens.scope ?? before?.scope ?? profile.scope;
  const grantEnd = toldEndOf(tokens, before?.grantEnd);
  const life = lifeOf(tokens, before, profile, grantEnd, spread);
  const { requestedAt, receivedAt, expiresAt, overAt, renewableAt } = life;
  return {
    tokens: {
      ...access,
      ...how,
      ...(scope !== undefined && { scope }),
      ...(grantEnd !== undefined && { grantEnd }),
      requestedAt,
      receivedAt,
      expiresAt,
      overAt,
      renewableAt,
      ...(profile.renewalEndsPrevious && { endsAtRenewal: true as const }),
    },
    refreshAt: life.refreshAt,
  };
}

/** What goes into the item: the access token sealed, the refresh token in its place. */
export interface Commit {
  readonly tokens: Committed;
  /** Undefined if no access token came. */
  readonly sealedAccessToken: string | undefined;
  readonly place: Place | undefined;
  readonly contested: boolean;
  /** Whose token set this is, if it was found and not asked for: its call succeeded, and ours was not made. */
  readonly adoptedFence: Fence | undefined;
  /** The refresh token that an older holder committed meanwhile: ours may be the one that the provider has killed. */
  readonly overtaken: Place | undefined;
  /** Drawn from [0, 1): how far the next renewal is spread. */
  readonly spread: number;
}

/**
 * The refresh token that is put aside for the committed one. Where a used one stays good until its successor is used,
 * that is the one that was sent: should another request have replaced the successor, it is asked again.
 */
function putAside({ item, profile }: Seen, { overtaken }: Commit): Place | undefined {
  if (!profile.predecessorStays) return overtaken;
  return overtaken === undefined ? item.refreshToken : (item.spare ?? overtaken);
}

/**
 * The attempts that a success settles. An overtaken one may have stored its token set, or may yet, and its holder may
 * be dead: the pointer stays for two generations more, should ours turn out to be the one that the provider has killed;
 * and while they are tried, one after the other.
 */
function settledBy(item: Connection, fence: Fence, { overtaken, adoptedFence }: Commit): Attempt[] {
  const trying = overtaken !== undefined;
  const mayBring = (other: Attempt) => other.sent && !other.ended && other.fence !== adoptedFence;
  const stays = (other: Attempt) => mayBring(other) && (trying || other.generation >= item.generation - 1);
  return attemptsOf(item).filter((other) => other.fence === fence || (other.fence < fence && !stays(other)));
}

/**
 * Commits a success over the token set that was seen: first as the holder of the lease, else as a refresher that lost
 * it. The second leaves the lease alone. Refused by a newer commit or another grant, for good; by an older holder's
 * late commit, to be tried again over that one.
 */
export function commitSuccess(held: Held, commit: Commit): readonly Write[] {
  const { attempt, seen } = held;
  const { fence } = held.lease;
  const { item, profile } = seen;
  const { tokens } = commit;
  const sealed = commit.sealedAccessToken;
  const adopted = commit.adoptedFence !== undefined;
  // What was found says nothing of how long a call takes.
  const tookMs = adopted ? item.tokens?.tookMs : Math.max(0, tokens.receivedAt - attempt.startedAt);
  const spread = renewsAhead(item) ? commit.spread : 0;
  const committed = (contested: boolean) => {
    const how = { fence, contested, ...(tookMs !== undefined && { tookMs }) };
    return tokenSetAs(tokens, sealed, how, item.tokens, profile, spread);
  };
  // The refresher that took the lease from this one may have sent the same refresh token.
  const rivalled = committed(true);
  const settled = settledBy(item, fence, commit);
  const spare = commit.place === undefined ? undefined : putAside(seen, commit);
  // What was found may have come with either.
  const clientSecret = adopted ? undefined : provenSecret(item);
  const late: Write = {
    name: 'commit_success',
    when: [sameGrant(item), noNewerCommit(fence), sameGeneration(item)],
    set: {
      committedFence: fence,
      state: 'active' satisfies State,
      ...rivalled,
      // Always: whatever a slower write left there, the planner finds this token set in time.
      dueAt: dueBy(item, rivalled.refreshAt),
      ...(commit.place === undefined ? {} : { refreshToken: commit.place }),
      ...(spare === undefined ? {} : { spare }),
      ...(clientSecret && { clientSecret }),
      // What a reply leaves out stays.
      ...(tokens.values && { 'grant.values': { ...item.grant.values, ...tokens.values } }),
      ...(item.state === 'active' ? {} : noted('recovered', tokens.receivedAt)),
    },
    add: { generation: 1, ...(commit.adoptedFence === undefined ? {} : { 'calls.count': -1 }) },
    remove: [
      ...(commit.adoptedFence === undefined ? [] : [failingPath(commit.adoptedFence)]),
      failingPath(fence),
      // A report about this generation counts on, should the next one be reported too.
      ...(item.rejected?.generation === item.generation ? [] : (['rejected'] as const)),
      'cause',
      'failure',
      'notBefore',
      'suspect',
      'withheld',
      ...(spare === undefined ? (['spare'] as const) : []),
      'askedAt',
      'askedSince',
      ...settled.map((other) => attemptPath(other.fence)),
    ],
    mine: [sameGrant(item), { path: 'committedFence', equals: fence }],
  };
  const asHolder: Write = {
    ...late,
    when: [...late.when, leaseIsMine(fence)],
    set: {
      ...late.set,
      ...committed(commit.contested || commit.overtaken !== undefined),
      ...noticed(item, signOfRejections(held), tokens.receivedAt),
    },
    remove: [...late.remove, 'lease'],
  };
  return [asHolder, late];
}

/**
 * Whether a renewal ahead of the end brings more life, as far as is known. A server that handed out the same access
 * token until its end may hand out another one shortly before it, so that the renewal is made as late as it can be.
 */
const renewsAhead = ({ tokens, refreshAt }: Connection): boolean =>
  tokens === undefined || refreshAt === undefined || refreshAt < tokens.expiresAt;

/** What a failure leaves behind. */
export interface FailureCommit {
  readonly failure: Failure;
  /** The next attempt; undefined for none (the connection is not active any more). */
  readonly notBefore: EpochMs | undefined;
  readonly state: State;
  readonly cause?: Cause;
  /** A verdict that must wait until no earlier holder can answer. */
  readonly suspect: boolean;
  /** A refusal that is not believed yet (`breaker.ts`). */
  readonly withheld?: boolean;
  /** Another refresh token to go on with: one that came with the error, or the spare. */
  readonly place?: Place;
  /** What it says of another party that renews the same grant. */
  readonly sign?: Sign | undefined;
}

/**
 * Commits a failure: only while the lease is mine and nothing newer was committed. Marks the fence as committed only
 * with a refresh token, which an older holder's late success must then not replace.
 */
export function commitFailure({ lease: { fence }, seen: { item, profile } }: Held, commit: FailureCommit): Write {
  const { failure } = commit;
  // One that came with an error has been put in the place of the one that was sent. After a refusal it is the spare.
  const cameWithError = commit.place !== undefined && failure.class !== 'dead_grant';
  const spare = cameWithError && profile.predecessorStays ? item.refreshToken : undefined;
  const unknown = failure.class === 'in_doubt';
  // No connection, or nothing to send: the provider has not seen it.
  const unsent = failure.class === 'transient' && failure.status === undefined;
  // One ended attempt says all that many would: that the current refresh token may have been consumed.
  const repeated = unknown ? inDoubt(item, fence).filter((attempt) => attempt.ended) : [];
  const found = noticed(item, commit.sign, failure.at);
  return {
    name: 'commit_failure',
    // That the settings are wrong is no news once they were replaced.
    when: [
      sameGrant(item),
      leaseIsMine(fence),
      sameGeneration(item),
      ...(commit.state === 'misconfigured' ? [sameSettings(item)] : []),
    ],
    set: {
      failure,
      state: commit.state,
      ...(commit.cause === undefined ? {} : { cause: commit.cause }),
      ...found,
      ...(commit.notBefore === undefined
        ? {}
        : { notBefore: commit.notBefore, dueAt: dueBy({ ...item, ...found }, commit.notBefore) }),
      ...(commit.suspect ? { suspect: failure } : {}),
      ...(commit.withheld ? { withheld: failure } : {}),
      ...(commit.place === undefined ? {} : { refreshToken: commit.place, committedFence: fence }),
      ...(spare === undefined ? {} : { spare }),
      ...(unknown ? { [`attempts.${fence}.ended`]: true } : {}),
      ...(commit.state === 'active' ? {} : noted(commit.state, failure.at)),
    },
    remove: [
      'lease',
      ...(commit.notBefore === undefined ? (['notBefore'] as const) : []),
      ...(commit.place === undefined ? [] : (['suspect'] as const)),
      ...(commit.place === undefined || spare !== undefined ? [] : (['spare'] as const)),
      ...(commit.withheld ? [] : (['withheld'] as const)),
      ...(unknown ? [] : [attemptPath(fence)]),
      ...(unsent ? [failingPath(fence)] : []),
      ...repeated.map((attempt) => attemptPath(attempt.fence)),
      // That the renewal failed is an answer too: the next one is late only after its own time.
      'askedSince',
    ],
    ...(unsent ? { add: { 'calls.count': -1 } } : {}),
    mine: [sameGrant(item), { path: 'failure.fence', equals: fence }],
  };
}

/**
 * Keeps the refresh token of a success that a newer one has overtaken, where no secret has it. Where the one that both
 * were asked with is kept, that is the better one.
 */
export const keepSpare = ({ lease: { fence }, seen: { item, profile } }: Held, place: Place): Write => ({
  name: 'keep_spare',
  when: [
    sameGrant(item),
    { path: 'committedFence', above: fence },
    ...(profile.predecessorStays ? [{ absent: 'spare' } as const] : []),
  ],
  set: { spare: place },
  // Its outcome is known now.
  remove: [attemptPath(fence)],
});
