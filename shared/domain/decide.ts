/**
 * The refresh protocol as one pure, total function: what has happened → what to do next. The interpreter
 * (`application/run-refresh.ts`) performs the effect and reports the event that comes of it, until an effect ends it.
 *
 *   started ─ read ─┬─ wait · rest · stop
 *                   └─ acquire ─ acquired ─┬─ (nothing earlier in doubt) ───────────────┐
 *          refused: assess again           └─ look up ─┬─ found: commit it, read again  ├─ gather ─ call ─┬─ success ─ persist ─ commit
 *                                                      ├─ unreadable: release           │                 ├─ dead ─ reread ─ commit verdict
 *                                                      └─ none: mark sent ──────────────┘                 └─ other failure ─ commit
 */

import { spentUntil } from './budget.ts';
import { limits } from './limits.ts';
import { assess, holdersAnswerUntil, inDoubt, mayHaveBeenSent, type StopReason, unresolved, type WaitReason, withoutMine } from './rules.ts';
import { backOffUntil, between, countAfter, tooEarlyUntil } from './timing.ts';
import {
  type Attempt,
  type Cause,
  type Connection,
  type EpochMs,
  type Failure,
  type FailureClass,
  type Lease,
  type Place,
  plus,
  Secret,
  type Seen,
  type State,
  type TokenSet,
} from './types.ts';
import type { FailureCommit } from './writes.ts';

/** What a call to the token endpoint came to, as classified. */
export type Outcome =
  | { readonly kind: 'success'; readonly tokens: TokenSet }
  | {
      readonly kind: 'failure';
      readonly class: FailureClass;
      readonly code: string;
      readonly cause?: Cause;
      readonly status?: number;
      readonly description?: string;
      /** When the provider says to come back. */
      readonly retryAt?: EpochMs;
      /** Some providers rotate even when they answer an error. */
      readonly refreshToken?: Secret;
    };

/** What a successor found of an earlier attempt. */
export interface Orphan {
  readonly attempt: Attempt;
  readonly tokens: TokenSet;
}

/** Holding the lease: what it is to be able to call and to commit. */
export interface Held {
  readonly lease: Lease;
  readonly attempt: Attempt;
  /** The connection as the acquiring write returned it. */
  readonly seen: Seen;
}

export type Event =
  | { readonly kind: 'started' }
  | { readonly kind: 'read'; readonly seen: Seen | undefined }
  | { readonly kind: 'acquired'; readonly held: Held }
  | { readonly kind: 'acquire_refused'; readonly seen: Seen | undefined; readonly tries: number }
  | { readonly kind: 'looked_up'; readonly held: Held; readonly orphan: Orphan | undefined; readonly unreadable: boolean }
  | { readonly kind: 'send_marked'; readonly held: Held }
  | { readonly kind: 'send_refused' }
  | { readonly kind: 'ready'; readonly held: Held; readonly leaseUntil: EpochMs }
  | { readonly kind: 'not_ready'; readonly held: Held; readonly code: string /** Not there, as opposed to out of reach. */; readonly missing: boolean }
  | { readonly kind: 'answered'; readonly held: Held; readonly outcome: Outcome }
  | { readonly kind: 'persisted'; readonly held: Held; readonly outcome: Outcome; readonly place: Place | undefined }
  | { readonly kind: 'reread'; readonly held: Held; readonly verdict: Failure; readonly seen: Seen | undefined }
  | { readonly kind: 'success_committed'; readonly adopted: boolean }
  | { readonly kind: 'failure_committed'; readonly notBefore: EpochMs | undefined }
  | { readonly kind: 'success_refused'; readonly held: Held; readonly place: Place | undefined }
  | { readonly kind: 'failure_refused'; readonly held: Held; readonly place: Place | undefined }
  | { readonly kind: 'spare_kept' }
  | { readonly kind: 'commit_abandoned' }
  | { readonly kind: 'released'; readonly wakeAt: EpochMs | undefined };

export type Effect =
  | { readonly do: 'read' }
  | { readonly do: 'acquire'; readonly seen: Seen }
  | { readonly do: 'look_up'; readonly held: Held; readonly attempts: readonly Attempt[] }
  | { readonly do: 'mark_sent'; readonly held: Held }
  /** Bring everything that the call and the keeping of its answer need into memory. */
  | { readonly do: 'gather'; readonly held: Held }
  | { readonly do: 'call'; readonly held: Held }
  | { readonly do: 'persist'; readonly held: Held; readonly outcome: Outcome; readonly tokens: TokenSet; readonly refreshToken: Secret }
  | {
      readonly do: 'commit_success';
      readonly held: Held;
      readonly tokens: TokenSet /** Undefined: the reply brought no refresh token, the one we have stays. */;
      readonly place: Place | undefined;
      readonly contested: boolean;
      /** The fencing token of the attempt that brought these tokens, if it was found and is not ours. */
      readonly adoptedFence: number | undefined;
      /** The refresh token that these tokens put aside, though it was committed after the call that brought them began. */
      readonly overtaken: Place | undefined;
    }
  | { readonly do: 'commit_failure'; readonly held: Held; readonly commit: FailureCommit }
  | { readonly do: 'keep_spare'; readonly held: Held; readonly place: Place }
  | { readonly do: 'reread'; readonly held: Held; readonly verdict: Failure }
  /** `notBefore` is written down for everybody; `wakeAt` is when to look again, if at all. What was called stays counted. */
  | {
      readonly do: 'release';
      readonly held: Held;
      readonly notBefore: EpochMs | undefined;
      readonly wakeAt: EpochMs | undefined;
      readonly called: boolean;
      readonly budgetSpent: boolean;
    }
  | { readonly do: 'wait'; readonly until: EpochMs; readonly reason: WaitReason }
  | { readonly do: 'rest'; readonly seen: Seen; readonly dueAt: EpochMs | undefined }
  | { readonly do: 'stop'; readonly reason: StopReason };

/** What a decision may depend on besides the event: the clock, chance in [0, 1), and when this process will be killed. */
export interface Circumstances {
  readonly now: EpochMs;
  readonly chance: number;
  readonly deadline: EpochMs;
}

/** Returns the one thing to do next. Total: every event has an answer, and a new kind of event breaks the build. */
export function decide(event: Event, at: Circumstances): Effect {
  switch (event.kind) {
    case 'started':
      return { do: 'read' };
    case 'read':
      return onSeen(event.seen, at);
    case 'acquire_refused':
      return event.tries >= limits.acquiresPerInvocation ? { do: 'stop', reason: 'contended' } : onSeen(event.seen, at);
    case 'acquired':
      return onAcquired(event.held, at);
    case 'looked_up':
      return onLookedUp(event.held, event.orphan, event.unreadable, at);
    case 'send_marked':
      return { do: 'gather', held: event.held };
    case 'send_refused':
      return { do: 'stop', reason: 'lease_lost' };
    case 'ready':
      return onReady(event.held, event.leaseUntil, at);
    case 'not_ready':
      return onNotReady(event.held, event.code, event.missing, at);
    case 'answered':
      return onAnswered(event.held, event.outcome, at);
    case 'persisted':
      return onKept(event.held, event.outcome, event.place, at);
    case 'reread':
      return onReread(event.held, event.verdict, event.seen, at);
    case 'success_committed':
      // What was adopted may be old already: look again.
      return event.adopted ? { do: 'read' } : { do: 'stop', reason: 'refreshed' };
    case 'failure_committed':
      return event.notBefore === undefined ? { do: 'stop', reason: 'failed' } : { do: 'wait', until: event.notBefore, reason: 'backing_off' };
    case 'success_refused':
      return event.place === undefined ? { do: 'stop', reason: 'superseded' } : { do: 'keep_spare', held: event.held, place: event.place };
    case 'failure_refused':
      return onFailureRefused(event.held, event.place, at);
    case 'spare_kept':
      return { do: 'stop', reason: 'superseded' };
    case 'commit_abandoned':
      return { do: 'stop', reason: 'commit_abandoned' };
    case 'released':
      return event.wakeAt === undefined ? { do: 'stop', reason: 'released' } : { do: 'wait', until: event.wakeAt, reason: 'released' };
  }
}

function onSeen(seen: Seen | undefined, at: Circumstances): Effect {
  if (seen === undefined) return { do: 'stop', reason: 'connection_not_found' };
  const assessment = assess(seen, at.now);
  switch (assessment.kind) {
    case 'refresh':
      return { do: 'acquire', seen };
    case 'wait':
      return { do: 'wait', until: assessment.until, reason: assessment.reason };
    case 'rest':
      return { do: 'rest', seen, dueAt: assessment.dueAt };
    case 'stop':
      return { do: 'stop', reason: assessment.reason };
  }
}

/** Decides again on what the write returned: a commit does not raise the fence, so the first look may have been stale. */
function onAcquired(held: Held, at: Circumstances): Effect {
  const { seen, attempt } = held;
  const again = assess({ ...seen, item: withoutMine(seen.item, attempt.fence) }, at.now);
  if (again.kind !== 'refresh') return { ...releaseAndLookAgain(held, at), wakeAt: again.kind === 'wait' ? again.until : undefined };
  // Before a verdict, also those that a success has overtaken: some providers kill the other one of two.
  const earlier = seen.item.suspect === undefined ? mayHaveBeenSent(seen.item, attempt.fence) : unresolved(seen.item, attempt.fence);
  // Not marked as sent, although nobody is ahead any more: somebody was when it was decided.
  if (earlier.length === 0) return attempt.sent ? ifAffordable(held, { do: 'gather', held }, at) : ifAffordable(held, { do: 'mark_sent', held }, at);
  if (seen.profile.grant !== 'refresh_token') return ifAffordable(held, { do: 'mark_sent', held }, at);
  // All of them: the one before last may have stored what the last one died too early to look for.
  return { do: 'look_up', held, attempts: earlier.reverse() };
}

function onLookedUp(held: Held, orphan: Orphan | undefined, unreadable: boolean, at: Circumstances): Effect {
  const { item, profile } = held.seen;
  if (orphan !== undefined) {
    const { attempt, tokens } = orphan;
    return {
      do: 'commit_success',
      held,
      tokens,
      place: { slot: attempt.slot, versionId: attempt.versionId },
      contested: item.suspect !== undefined || attempt.repeats || inDoubt(item, held.attempt.fence).some((other) => other.fence !== attempt.fence),
      adoptedFence: attempt.fence,
      overtaken: attempt.generation < item.generation ? item.refreshToken : undefined,
    };
  }
  const { suspect } = item;
  const patient = profile.ambiguousRetry === 'after_holder' || suspect !== undefined;
  // "Could not be read" is not "is not there".
  if (unreadable && patient) return releaseFor(held, plus(at.now, between(limits.lookUpRetryMs, at.chance)));
  // A replay asks who may have sent this refresh token; a verdict, who may yet bring another.
  const others = suspect === undefined ? inDoubt(item, held.attempt.fence) : unresolved(item, held.attempt.fence);
  const answersUntil = holdersAnswerUntil(others, at.now);
  if (patient && answersUntil !== undefined) return releaseFor(held, answersUntil);
  if (suspect !== undefined) return giveUp(held, item, suspect, 'refresh_in_doubt', at);
  return ifAffordable(held, { do: 'mark_sent', held }, at);
}

/** The way to a call, unless the budget is spent. What needs no call (an adoption, a verdict) has been decided by now. */
function ifAffordable(held: Held, way: Effect, at: Circumstances): Effect {
  const until = spentUntil(withoutMine(held.seen.item, held.attempt.fence), held.seen.profile, at.now);
  if (until === undefined) return way;
  return { do: 'release', held, notBefore: until, wakeAt: until, called: false, budgetSpent: true };
}

/** The last check before the request leaves: time to keep the answer, and a lease that is still alive. */
function onReady(held: Held, leaseUntil: EpochMs, at: Circumstances): Effect {
  const needMs = held.seen.profile.callTimeoutMs + limits.persistBudgetMs + limits.commitReserveMs;
  if (plus(at.now, needMs) > at.deadline || leaseUntil <= at.now) return releaseAndLookAgain(held, at);
  return { do: 'call', held };
}

/** Out of reach: soon again. Not there: that is not mended by asking again soon, and somebody should see it. */
function onNotReady(held: Held, code: string, missing: boolean, at: Circumstances): Effect {
  if (!missing) return releaseFor(held, plus(at.now, between(limits.lookUpRetryMs, at.chance)));
  return onKept(held, { kind: 'failure', class: 'transient', code }, undefined, at);
}

/** Keep first, think later: a token in memory is the most fragile thing there is. */
function onAnswered(held: Held, outcome: Outcome, at: Circumstances): Effect {
  if (outcome.kind === 'success') {
    const { tokens } = outcome;
    return tokens.refreshToken === undefined
      ? onKept(held, outcome, undefined, at)
      : { do: 'persist', held, outcome, tokens, refreshToken: tokens.refreshToken };
  }
  const { refreshToken } = outcome;
  return refreshToken === undefined
    ? onKept(held, outcome, undefined, at)
    : { do: 'persist', held, outcome, tokens: withoutAccess(refreshToken, at.now), refreshToken };
}

/** A refresh token that came with an error, as a token set that expired when it came: whoever has it renews at once. */
function withoutAccess(refreshToken: Secret | undefined, now: EpochMs): TokenSet {
  const times = { requestedAt: now, receivedAt: now, expiresAt: now };
  return { accessToken: new Secret(''), ...(refreshToken && { refreshToken }), tokenType: 'Bearer', ...times };
}

/**
 * A failure is no news to those who have gone on without us, but the refresh token that came with it is: it may be nowhere else,
 * and a successor would send the one that it replaces.
 */
function onFailureRefused(held: Held, place: Place | undefined, at: Circumstances): Effect {
  if (place === undefined) return { ...releaseAndLookAgain(held, at), called: true };
  return { do: 'commit_success', held, tokens: withoutAccess(undefined, at.now), place, contested: true, adoptedFence: undefined, overtaken: undefined };
}

function onKept(held: Held, outcome: Outcome, place: Place | undefined, at: Circumstances): Effect {
  const { item } = held.seen;
  if (outcome.kind === 'success') {
    return {
      do: 'commit_success',
      held,
      tokens: outcome.tokens,
      place,
      contested: inDoubt(item, held.attempt.fence).length > 0,
      adoptedFence: undefined,
      overtaken: undefined,
    };
  }
  // With a new refresh token in hand, the old one's fate is no news, and nothing is in doubt.
  const settled = place !== undefined && (outcome.class === 'dead_grant' || outcome.class === 'in_doubt');
  const failure = failureOf(held, settled ? { ...outcome, class: 'transient' } : outcome, at.now);
  if (failure.class === 'dead_grant') return { do: 'reread', held, verdict: failure };
  return commitOf(held, failure, nextAttempt(held, failure, outcome.retryAt, at), place);
}

function nextAttempt(held: Held, failure: Failure, retryAt: EpochMs | undefined, at: Circumstances): EpochMs {
  const { item, profile } = held.seen;
  if (failure.class === 'too_early') {
    return tooEarlyUntil(at.now, item, profile, inDoubt(item, held.attempt.fence).length > 0, failure.count);
  }
  return backOffUntil(at.now, failure.count, failure.code, profile, at.chance, retryAt);
}

/** Before a grant is believed dead: perhaps the token we sent was not the newest any more, or an earlier holder has a newer one. */
function onReread(held: Held, verdict: Failure, seen: Seen | undefined, at: Circumstances): Effect {
  const before = held.seen.item;
  if (seen === undefined || seen.item.grantId !== before.grantId) return { do: 'stop', reason: 'superseded' };
  if (seen.item.generation !== before.generation) return { ...releaseAndLookAgain({ ...held, seen }, at), called: true };
  const earlier = unresolved(seen.item, held.attempt.fence);
  if (earlier.some((attempt) => !attempt.ended)) {
    const notBefore = holdersAnswerUntil(earlier, at.now) ?? plus(at.now, between(limits.lookUpRetryMs, at.chance));
    return { do: 'commit_failure', held, commit: { failure: verdict, notBefore, state: 'active', suspect: true } };
  }
  const ours = earlier.length > 0 || before.contested === true;
  return giveUp(held, seen.item, verdict, ours ? 'refresh_in_doubt' : (verdict.cause ?? 'invalid_grant'), at);
}

/** The verdict, unless there is another refresh token of this grant that nobody has tried. */
function giveUp(held: Held, item: Connection, verdict: Failure, cause: Cause, at: Circumstances): Effect {
  if (item.spare === undefined) return commitVerdict(held, verdict, cause);
  return {
    do: 'commit_failure',
    held,
    commit: { failure: { ...verdict, fence: held.attempt.fence }, notBefore: at.now, state: 'active', suspect: false, place: item.spare },
  };
}

const commitVerdict = (held: Held, failure: Failure, cause: Cause): Effect => ({
  do: 'commit_failure',
  held,
  commit: { failure: { ...failure, cause, fence: held.attempt.fence }, notBefore: undefined, state: 'reauthorization_required', cause, suspect: false },
});

function commitOf(held: Held, failure: Failure, notBefore: EpochMs, place: Place | undefined): Effect {
  const misconfigured = failure.class === 'misconfigured';
  const state: State = misconfigured ? 'misconfigured' : 'active';
  return {
    do: 'commit_failure',
    held,
    commit: {
      failure,
      notBefore: misconfigured ? undefined : notBefore,
      state,
      ...(misconfigured ? { cause: failure.cause ?? 'invalid_client' } : {}),
      suspect: false,
      ...(place === undefined ? {} : { place }),
    },
  };
}

function failureOf(held: Held, outcome: Extract<Outcome, { kind: 'failure' }>, now: EpochMs): Failure {
  return {
    class: outcome.class,
    code: outcome.code,
    ...(outcome.status === undefined ? {} : { status: outcome.status }),
    ...(outcome.description === undefined ? {} : { description: outcome.description }),
    ...(outcome.cause === undefined ? {} : { cause: outcome.cause }),
    at: now,
    count: countAfter(held.seen.item.failure, outcome.class),
    fence: held.attempt.fence,
  };
}

type Release = Extract<Effect, { do: 'release' }>;

const releaseFor = (held: Held, notBefore: EpochMs): Release => ({ ...unused, held, notBefore, wakeAt: notBefore });

const releaseAndLookAgain = (held: Held, at: Circumstances): Release => ({ ...unused, held, notBefore: undefined, wakeAt: at.now });

const unused = { do: 'release', called: false, budgetSpent: false } as const;
