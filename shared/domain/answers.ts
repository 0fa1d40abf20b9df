/** What to do about what a call came to, and when a grant is believed dead: the second half of `decide.ts`. */

import { holdersAnswerUntil, inDoubt, openAttempts } from './attempts.ts';
import { otherSecretAfter } from './client-secrets.ts';
import type { FailureCommit } from './commit-writes.ts';
import type { Connection, Place, Seen, State } from './connection.ts';
import type { Cause, Failure } from './failure.ts';
import type { Held } from './held.ts';
import { limits } from './limits.ts';
import type { Outcome } from './outcome.ts';
import { signOfRefusal, signOfTooEarly } from './second-refresher.ts';
import type { Secret } from './secret.ts';
import type { Sign } from './signs.ts';
import { type Circumstances, type Effect, releaseAndLookAgain } from './steps.ts';
import { type EpochMs, plus } from './time.ts';
import { backOffUntil, between, countAfter, tooEarlyUntil } from './timing.ts';
import type { BareRefreshToken } from './token-set.ts';

/** Keep first, think later: a token in memory is the most fragile thing there is. */
export function onAnswered(
  held: Held,
  outcome: Outcome,
  withheldUntil: EpochMs | undefined,
  at: Circumstances,
): Effect {
  if (outcome.kind === 'success') {
    const { tokens } = outcome;
    return tokens.refreshToken === undefined
      ? onKept(held, outcome, undefined, at)
      : { do: 'persist', held, outcome, tokens, refreshToken: tokens.refreshToken };
  }
  const { refreshToken } = outcome;
  if (refreshToken === undefined && withheldUntil !== undefined) return withhold(held, outcome, withheldUntil, at);
  return refreshToken === undefined
    ? onKept(held, outcome, undefined, at)
    : { do: 'persist', held, outcome, tokens: bare(refreshToken, at.now), refreshToken };
}

/**
 * Too many grants of one application are refused at once: the refusal is written down, and no verdict is given on it
 * yet.
 */
function withhold(
  held: Held,
  outcome: Extract<Outcome, { kind: 'failure' }>,
  until: EpochMs,
  at: Circumstances,
): Effect {
  const failure = failureOf(held, outcome, at.now);
  const commit: FailureCommit = { failure, notBefore: until, state: 'active', suspect: false, withheld: true };
  return { do: 'commit_failure', held, commit };
}

/** A refresh token that came with an error. It is renewed at once. */
const bare = (refreshToken: Secret | undefined, now: EpochMs): BareRefreshToken => ({
  ...(refreshToken && { refreshToken }),
  requestedAt: now,
  receivedAt: now,
  expiresAt: now,
});

/**
 * A failure is no news once a successor has gone on, but the refresh token that came with it is: it may be stored
 * nowhere else, and the successor would send the one that it replaces.
 */
export function onFailureRefused(held: Held, place: Place | undefined, at: Circumstances): Effect {
  if (place === undefined) return { ...releaseAndLookAgain(held, at), called: true };
  return {
    do: 'commit_success',
    held,
    tokens: bare(undefined, at.now),
    place,
    contested: true,
    adoptedFence: undefined,
    overtaken: undefined,
    spread: at.chance,
  };
}

export function onKept(held: Held, outcome: Outcome, place: Place | undefined, at: Circumstances): Effect {
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
      spread: at.chance,
    };
  }
  // With a new refresh token in hand, the old one's fate is no news, and nothing is in doubt.
  const settled = place !== undefined && (outcome.class === 'dead_grant' || outcome.class === 'in_doubt');
  const failure = failureOf(held, settled ? { ...outcome, class: 'transient' } : outcome, at.now);
  if (failure.class === 'dead_grant') return onRefused(held, failure, at);
  const clientSecret = place === undefined ? otherSecretAfter(held.seen.item, failure, at.now) : undefined;
  if (clientSecret !== undefined) return { ...releaseAndLookAgain(held, at), called: true, clientSecret };
  return commitOf(held, failure, nextAttempt(held, failure, outcome.retryAt, at), place);
}

/** A refusal that is believed. A grant is called dead only after another look at what is stored. */
export function onRefused(held: Held, failure: Failure, at: Circumstances): Effect {
  if (failure.class === 'dead_grant') return { do: 'reread', held, verdict: failure };
  return commitOf(held, failure, at.now, undefined);
}

function nextAttempt(held: Held, failure: Failure, retryAt: EpochMs | undefined, at: Circumstances): EpochMs {
  const { item, profile } = held.seen;
  if (failure.class === 'too_early') {
    return tooEarlyUntil(at.now, item, profile, inDoubt(item, held.attempt.fence).length > 0, failure.count);
  }
  return backOffUntil(at.now, failure.count, failure.code, profile, at.chance, retryAt);
}

/**
 * Before a grant is believed dead: perhaps the token we sent was not the newest any more, or an earlier holder has a
 * newer one, or the grant was revoked since the connection is being deleted, which is no loss to tell of.
 */
export function onReread(held: Held, verdict: Failure, seen: Seen | undefined, at: Circumstances): Effect {
  const before = held.seen.item;
  if (seen === undefined || seen.item.grant.id !== before.grant.id) return { do: 'stop', reason: 'overtaken' };
  if (seen.item.generation !== before.generation || seen.item.deletion !== undefined)
    return { ...releaseAndLookAgain({ ...held, seen }, at), called: true };
  const earlier = openAttempts(seen.item, held.attempt.fence);
  if (earlier.some((attempt) => !attempt.ended)) {
    const notBefore = holdersAnswerUntil(earlier, at.now) ?? plus(at.now, between(limits.lookUpRetryMs, at.chance));
    return { do: 'commit_failure', held, commit: { failure: verdict, notBefore, state: 'active', suspect: true } };
  }
  const mayBeOurs = earlier.length > 0 || before.tokens?.contested === true;
  return giveUp(held, seen.item, verdict, mayBeOurs, at);
}

/**
 * The verdict, unless this grant has another refresh token that was not tried yet. `mayBeOurs`: requests of ours may
 * have ended it, unless the provider keeps a used refresh token until its successor is used, and none was.
 */
export function giveUp(held: Held, item: Connection, verdict: Failure, mayBeOurs: boolean, at: Circumstances): Effect {
  const ours = mayBeOurs && !held.seen.profile.predecessorStays;
  if (item.spare === undefined)
    return commitVerdict(
      held,
      verdict,
      ours ? 'refresh_in_doubt' : (verdict.cause ?? 'invalid_grant'),
      signOfRefusal(held, item, verdict),
    );
  return {
    do: 'commit_failure',
    held,
    commit: {
      failure: { ...verdict, fence: held.attempt.fence },
      notBefore: at.now,
      state: 'active',
      suspect: false,
      place: item.spare,
    },
  };
}

const commitVerdict = (held: Held, failure: Failure, cause: Cause, sign: Sign | undefined): Effect => ({
  do: 'commit_failure',
  held,
  commit: {
    failure: { ...failure, cause, fence: held.attempt.fence },
    notBefore: undefined,
    state: 'reauthorization_required',
    cause,
    suspect: false,
    ...(sign && { sign }),
  },
});

function commitOf(held: Held, failure: Failure, notBefore: EpochMs, place: Place | undefined): Effect {
  const misconfigured = failure.class === 'misconfigured';
  const state: State = misconfigured ? 'misconfigured' : 'active';
  const sign = failure.class === 'too_early' ? signOfTooEarly(held) : undefined;
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
      ...(sign && { sign }),
    },
  };
}

function failureOf(held: Held, outcome: Extract<Outcome, { kind: 'failure' }>, now: EpochMs): Failure {
  const previous = held.seen.item.failure;
  const { misconfiguredAfter, lasting, retryAt } = outcome;
  // A provider that says when to come back means that it passes.
  const counted = misconfiguredAfter !== undefined || (lasting && retryAt === undefined);
  const alike = previous?.code === outcome.code ? (previous.alike ?? 0) + 1 : 1;
  const passing = misconfiguredAfter !== undefined && alike < misconfiguredAfter;
  return {
    class: misconfiguredAfter === undefined || passing ? outcome.class : 'misconfigured',
    code: outcome.code,
    ...(outcome.status === undefined ? {} : { status: outcome.status }),
    ...(outcome.description === undefined ? {} : { description: outcome.description }),
    ...(outcome.cause === undefined || passing ? {} : { cause: outcome.cause }),
    ...(outcome.fix === undefined || passing ? {} : { fix: outcome.fix }),
    ...(outcome.rule === undefined ? {} : { rule: outcome.rule }),
    ...(counted && { alike }),
    ...(retryAt !== undefined && retryAt > now && { told: true as const }),
    at: now,
    count: countAfter(previous, outcome.class),
    fence: held.attempt.fence,
  };
}
