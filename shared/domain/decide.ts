/**
 * The refresh protocol as one pure, total function: what has happened → what to do next. The interpreter
 * (`application/run-refresh.ts`) performs the effect and reports the event that comes of it, until an effect ends it.
 *
 *   started ─ read ─┬─ announce (what is noted for subscribers, unless the grant is new), and go on as if read
 *                   ├─ wait · rest · stop
 *                   └─ acquire ─ acquired ─┬─ (nothing earlier in doubt) ──────────┬─ load secrets ┬ (provider is down)
 *          refused: assess again           └─ look up ─┬─ found: commit, read again│               │ release
 *                                                      │                           │               └ (take probe)
 *                                                      ├─ unreadable: release      │                 call ─ answers.ts
 *                                                      └─ none: mark sent ─────────┘
 *
 * What a call came to is decided in `answers.ts`: success ─ persist ─ commit; dead ─ reread ─ commit verdict; else
 * commit failure.
 */

import { announcementOf } from './announcements.ts';
import { giveUp, onAnswered, onFailureRefused, onKept, onRefused, onReread } from './answers.ts';
import { assess } from './assess.ts';
import { holdersAnswerUntil, inDoubt, mayHaveBeenSent, openAttempts, withoutMine } from './attempts.ts';
import { type Breaker, isBelieved, passage } from './breaker.ts';
import { spentUntil } from './budget.ts';
import { type Connection, inSecret, type Seen } from './connection.ts';
import type { OwnFailureCode } from './failure.ts';
import type { Held } from './held.ts';
import { limits } from './limits.ts';
import { type Circumstances, type Effect, type Event, type Orphan, releaseAndLookAgain, releaseFor } from './steps.ts';
import { type EpochMs, earliest, plus } from './time.ts';
import { between, sameRefusalUntil } from './timing.ts';

/** Returns the one thing to do next. Total: every event has an answer, and a new kind of event breaks the build. */
export function decide(event: Event, at: Circumstances): Effect {
  switch (event.kind) {
    case 'started':
      return { do: 'read' };
    case 'read':
      return onRead(event.seen, at);
    case 'acquire_refused':
      return event.tries >= limits.acquiresPerInvocation ? { do: 'stop', reason: 'contended' } : onSeen(event.seen, at);
    case 'acquired':
      return onAcquired(event.held, at);
    case 'looked_up':
      return onLookedUp(event.held, event.orphan, event.unreadable, at);
    case 'send_marked':
      return { do: 'load_secrets', held: event.held };
    case 'send_refused':
      return { do: 'stop', reason: 'lease_lost' };
    case 'ready':
      return onReady(event.held, event.leaseUntil, event.breaker, at);
    case 'probe_refused':
      return releaseFor(event.held, plus(at.now, between(limits.probeWaitMs, at.chance)));
    case 'misdirected':
      return onMisdirected(event.held, event.description, at);
    case 'not_ready':
      return onNotReady(event.held, event.code, event.missing, at);
    case 'answered':
      return onAnswered(event.held, event.outcome, event.withheldUntil, at);
    case 'persisted':
      return onKept(event.held, event.outcome, event.place, at);
    case 'reread':
      return onReread(event.held, event.verdict, event.seen, at);
    case 'success_committed':
      return announcing(event.seen, at) ?? onCommitted(event.seen, event.adopted, at);
    case 'failure_committed':
      if (event.notBefore !== undefined) return { do: 'wait', until: event.notBefore, reason: 'backing_off' };
      return announcing(event.seen, at) ?? { do: 'stop', reason: 'failed' };
    case 'announced':
      return onSeen(event.seen, at);
    case 'success_refused':
      // In a secret it is found by the attempt, which stays in the item.
      return event.place?.kind === 'sealed'
        ? { do: 'keep_spare', held: event.held, place: event.place }
        : { do: 'stop', reason: 'overtaken' };
    case 'failure_refused':
      return onFailureRefused(event.held, event.place, at);
    case 'spare_kept':
      return { do: 'stop', reason: 'overtaken' };
    case 'commit_abandoned':
      return { do: 'stop', reason: 'commit_abandoned' };
    case 'released':
      return event.wakeAt === undefined
        ? { do: 'stop', reason: 'released' }
        : { do: 'wait', until: event.wakeAt, reason: 'released' };
  }
}

/** Each refresher that looks tells subscribers what they have not been told of yet. */
function announcing(seen: Seen, { now }: Circumstances): Effect | undefined {
  const announcement = announcementOf(seen, now);
  return announcement && { do: 'announce', seen, announcement };
}

/**
 * What was adopted may be old already, so the refresher looks again. Where the connection was deleted during the call,
 * the commit has put the deletion off to the next renewal: a message has another refresher go on with it, since this
 * one may have no time left for a revocation.
 */
function onCommitted({ item }: Seen, adopted: boolean, at: Circumstances): Effect {
  if (item.deletion !== undefined) return { do: 'wait', until: at.now, reason: 'released' };
  return adopted ? { do: 'read' } : { do: 'stop', reason: 'refreshed' };
}

/** Subscribers come first, but for a grant whose first token is about to come: the refresher that commits it tells. */
function onRead(seen: Seen | undefined, at: Circumstances): Effect {
  const next = onSeen(seen, at);
  return (seen && (beginsGrant(next, seen.item) ? undefined : announcing(seen, at))) ?? next;
}

/** Whether the first renewal of a grant begins now or is under way. One that has failed or died is not waited for. */
function beginsGrant(next: Effect, { tokens, attempts, failure, notBefore }: Connection): boolean {
  if (tokens !== undefined || failure !== undefined || notBefore !== undefined) return false;
  return next.do === 'acquire'
    ? Object.keys(attempts).length === 0
    : next.do === 'wait' && next.reason === 'leased' && Object.keys(attempts).length === 1;
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

/**
 * Decides again on what the write returned: a commit does not raise the fence, so the first look may have been stale.
 */
function onAcquired(held: Held, at: Circumstances): Effect {
  const { seen, attempt } = held;
  const again = assess({ ...seen, item: withoutMine(seen.item, attempt.fence) }, at.now);
  if (again.kind !== 'refresh')
    return { ...releaseAndLookAgain(held, at), wakeAt: again.kind === 'wait' ? again.until : undefined };
  // Before a verdict, also those that a success has overtaken: some providers kill the other one of two.
  const earlier =
    seen.item.suspect === undefined
      ? mayHaveBeenSent(seen.item, attempt.fence)
      : openAttempts(seen.item, attempt.fence);
  // Not marked as sent, although no earlier attempt is open any more: there was one when it was decided.
  if (earlier.length === 0)
    return attempt.sent
      ? ifAffordable(held, { do: 'load_secrets', held }, at)
      : ifAffordable(held, { do: 'mark_sent', held }, at);
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
      place: inSecret(attempt.slot, attempt.versionId),
      contested:
        item.suspect !== undefined ||
        attempt.repeats ||
        inDoubt(item, held.attempt.fence).some((other) => other.fence !== attempt.fence),
      adoptedFence: attempt.fence,
      overtaken: attempt.generation < item.generation ? item.refreshToken : undefined,
      spread: at.chance,
    };
  }
  const { suspect } = item;
  const patient = profile.ambiguousRetry === 'after_holder' || suspect !== undefined;
  // "Could not be read" is not "is not there".
  if (unreadable && patient) return releaseFor(held, plus(at.now, between(limits.lookUpRetryMs, at.chance)));
  // A replay asks who may have sent this refresh token; a verdict, who may yet bring another.
  const others = suspect === undefined ? inDoubt(item, held.attempt.fence) : openAttempts(item, held.attempt.fence);
  const answersUntil = holdersAnswerUntil(others, at.now);
  if (patient && answersUntil !== undefined) return releaseFor(held, answersUntil);
  if (suspect !== undefined) return giveUp(held, item, suspect, true, at);
  return ifAffordable(held, { do: 'mark_sent', held }, at);
}

/**
 * The way to a call, unless the budget is spent, or the provider would only refuse it as it has refused so often. What
 * needs no call (an adoption, a verdict) has been decided by now.
 */
function ifAffordable(held: Held, way: Effect, at: Circumstances): Effect {
  const item = withoutMine(held.seen.item, held.attempt.fence);
  const until = spentUntil(item, held.seen.profile, at.now);
  if (until !== undefined) return { ...releaseFor(held, until), budgetSpent: true };
  const refusedUntil = sameRefusalUntil(item, at.now);
  if (refusedUntil === undefined) return way;
  // A look at it as often as at every other that fails, so that operators see it fail.
  return { ...releaseFor(held, earliest(refusedUntil, lookAgainAt(at))), refusedAlike: true };
}

const lookAgainAt = ({ now, chance }: Circumstances): EpochMs =>
  plus(now, between({ from: limits.backOffMaxMs, to: limits.backOffMaxMs * limits.backOffStretch }, chance));

/**
 * The last check before the request leaves: time to keep the answer, a lease that is still alive, and a provider that
 * answers.
 */
function onReady(held: Held, leaseUntil: EpochMs, breaker: Breaker | undefined, at: Circumstances): Effect {
  const needMs = held.seen.profile.callTimeoutMs + limits.persistBudgetMs + limits.commitReserveMs;
  if (plus(at.now, needMs) > at.deadline || leaseUntil <= at.now) return releaseAndLookAgain(held, at);
  const way = passage(breaker, held.seen.item.connection, at.now, at.chance);
  switch (way.kind) {
    case 'closed':
      return withheldVerdict(held, breaker, at) ?? { do: 'call', held };
    case 'open':
      return releaseFor(held, way.until);
    case 'half_open':
      return { do: 'take_probe', held, probe: way.probe, leaseUntil };
  }
}

/** A refusal that was withheld and is believed by now needs no second call: it goes the way of every refusal. */
function withheldVerdict(held: Held, breaker: Breaker | undefined, at: Circumstances): Effect | undefined {
  const { withheld } = held.seen.item;
  if (withheld === undefined || !isBelieved(breaker, at.now)) return undefined;
  return onRefused(held, { ...withheld, fence: held.attempt.fence }, at);
}

/** Nothing was sent, and nothing will be until the connection is put again. */
const onMisdirected = (held: Held, description: string, at: Circumstances): Effect =>
  onKept(
    held,
    {
      kind: 'failure',
      class: 'misconfigured',
      cause: 'invalid_request',
      code: 'secret_for_another_endpoint' satisfies OwnFailureCode,
      description: description.slice(0, limits.descriptionLength),
      fix:
        'Its secrets were stored for another endpoint than its settings name: put the connection again, with its ' +
        'secrets and a refresh token.',
    },
    undefined,
    at,
  );

/**
 * A store that is out of reach is tried again soon. Retrying does not help where a secret is missing: that is a
 * failure, which the alarm shows.
 */
function onNotReady(held: Held, code: string, missing: boolean, at: Circumstances): Effect {
  if (!missing) return releaseFor(held, plus(at.now, between(limits.lookUpRetryMs, at.chance)));
  return onKept(held, { kind: 'failure', class: 'transient', code }, undefined, at);
}
