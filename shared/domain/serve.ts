/** What `GET /token` answers for a state of the connection, and which marks it leaves. Pure. */

import { leaseAlive } from './assess.ts';
import { mayHaveBeenSent } from './attempts.ts';
import type { Connection, ServableTokenSet } from './connection.ts';
import { limits } from './limits.ts';
import { type EpochMs, latest, plus } from './time.ts';
import { dueFrom, hastenedAtOf, rejectionDueAtOf } from './timing.ts';
import { type Wait, waitFor } from './waiting.ts';

export type Answer =
  | {
      readonly kind: 'serve';
      readonly tokens: ServableTokenSet;
      readonly warning: string | undefined;
      /** A renewal that ends this token is wanted or under way: until then a client had better wait for the next. */
      readonly betterUntil?: EpochMs;
    }
  | Wait
  | { readonly kind: 'refuse'; readonly code: 'reauthorization_required' | 'misconfigured' }
  /** An operator has stopped its renewals, and knows when they go on. */
  | { readonly kind: 'paused' }
  /** The connection is being deleted. */
  | { readonly kind: 'gone' }
  /** No token of this connection ever lives as long as the caller asks for. */
  | { readonly kind: 'unsatisfiable'; readonly lifeMs: number };

export interface Serving {
  readonly answer: Answer;
  /** Ask for a refresh, unless a client did lately. */
  readonly ask: boolean;
  /** The refresh comes ahead of its time, for a caller who asks for more life than the margin leaves. */
  readonly hasten: boolean;
  /** Note that the connection is in use. */
  readonly touch: boolean;
  /** Put it back into the due index. */
  readonly arm: boolean;
  /** May be answered from memory for a moment: nothing is due and nothing to be written. */
  readonly memorable: boolean;
}

/**
 * How much life is enough for a caller who does not say: the usual, or what can be had. Half of a token's life where
 * that is shorter; and where a renewal brings nothing before the end, all that clocks allow.
 */
function enoughMs({ tokens, refreshAt }: Connection): number {
  const { default: usual } = limits.minTtlMs;
  if (tokens === undefined || refreshAt === undefined) return usual;
  if (refreshAt >= tokens.expiresAt) return Math.min(usual, 2 * limits.skewMs);
  return Math.min(usual, (tokens.expiresAt - tokens.receivedAt) / 2);
}

/**
 * Total over every state; a valid token is never refused because a renewal failed. `askedMs`: the life that the caller
 * asks for, undefined if it asks for none in particular.
 */
export function serve(item: Connection, askedMs: number | undefined, now: EpochMs): Serving {
  const minTtlMs = askedMs ?? enoughMs(item);
  const answer = answerFor(item, minTtlMs, now);
  const inUse = item.state === 'active' && item.deletion === undefined;
  const active = inUse && item.paused === undefined;
  const hasten =
    active && answer.kind === 'wait' && dueFrom(item, now) > now && (hastenedAtOf(item) ?? plus(now, 1)) <= now;
  const due = hasten || (active && (rejectionDueAtOf(item) ?? dueFrom(item, now)) <= now);
  const backingOff = item.notBefore !== undefined && item.notBefore > now;
  const asked = item.askedAt !== undefined && plus(item.askedAt, limits.askedMs) > now;
  const touch = inUse && (item.lastUsed === undefined || plus(item.lastUsed, limits.touchEveryMs) <= now);
  const arm =
    active && (item.dueAt === undefined || item.dueAt > latest(now, dueFrom(item, now), item.notBefore ?? now));
  return {
    answer: answer.kind === 'serve' && ending(item, due && !backingOff, now) ? whileEnding(item, answer, now) : answer,
    ask: due && !backingOff && !asked && !leaseAlive(item, now),
    hasten,
    touch,
    arm,
    // Where a renewal ends the token of before, it may have begun since the last read, whatever began it.
    memorable: answer.kind === 'serve' && !due && !touch && !arm && !answer.tokens.endsAtRenewal,
  };
}

/** Where a renewal ends the token of before: one may have been made whose token set is not here. */
const mayHaveEnded = (item: Connection): boolean =>
  item.tokens?.endsAtRenewal === true && (mayHaveBeenSent(item).length > 0 || item.tokens.contested);

/** A renewal that ends this token will begin at once, or is under way. */
const ending = (item: Connection, wanted: boolean, now: EpochMs): boolean =>
  item.tokens?.endsAtRenewal === true && (wanted || (leaseAlive(item, now) && mayHaveBeenSent(item).length > 0));

/** The token, for a client whom the renewal keeps waiting for too long. */
const whileEnding = (item: Connection, answer: Extract<Answer, { kind: 'serve' }>, now: EpochMs): Answer => ({
  ...answer,
  betterUntil: waitFor(item, now, now).until,
});

function answerFor(item: Connection, minTtlMs: number, now: EpochMs): Answer {
  if (item.deletion !== undefined) return { kind: 'gone' };
  const { tokens } = item;
  const lifeMs = tokens === undefined ? 0 : tokens.expiresAt - now;
  // A token that a client reported, and that will not be renewed, helps no other client.
  const ended = item.state !== 'active' || item.paused !== undefined;
  const reported = ended && item.rejected?.generation === item.generation;
  if (tokens?.sealed !== undefined && lifeMs >= minTtlMs && !reported)
    return { kind: 'serve', tokens, warning: warningOf(item) };
  if (item.state !== 'active') return { kind: 'refuse', code: item.state };
  if (item.paused !== undefined) return { kind: 'paused' };
  const notBefore = latest(hastenedAtOf(item) ?? dueFrom(item, now), item.notBefore ?? now);
  if (notBefore > now) {
    // More life than even a fresh token has.
    const tooMuch =
      tokens !== undefined && minTtlMs > Math.max(tokens.expiresAt - tokens.receivedAt, limits.minTtlMs.default);
    if (tooMuch) return { kind: 'unsatisfiable', lifeMs };
  }
  return waitFor(item, notBefore, now);
}

function warningOf(item: Connection): string | undefined {
  if (item.state !== 'active') return `${item.state}: this token is valid until it expires and will not be renewed`;
  if (item.paused !== undefined)
    return 'the connection is paused: this token is valid until it expires and is not renewed until it is resumed';
  if (item.rejected?.generation === item.generation)
    return 'a client reports that the provider refused this token; a new one is being asked for';
  const { failure, tokens } = item;
  if (item.withheld !== undefined)
    return (
      `the provider refuses many grants of this application at once (${item.withheld.code}); this token is ` +
      'valid until it expires'
    );
  // "Too early" is no failure: the provider keeps this token in force.
  if (failure === undefined || failure.class === 'too_early')
    return mayHaveEnded(item) ? 'a renewal may have ended this token: report it if the provider refuses it' : undefined;
  return (
    `${failure.count === 1 ? 'the last renewal' : `the last ${failure.count} renewals`} failed (${failure.code}); ` +
    `this token is valid until it expires${tokens?.endsAtRenewal ? ', unless that has ended it' : ''}`
  );
}

/** What a client who reports the current generation as refused is told: when the next one can be expected. */
export function answerToRejection(
  item: Connection,
  now: EpochMs,
): Extract<Answer, { kind: 'wait' | 'refuse' | 'paused' | 'gone' }> {
  if (item.deletion !== undefined) return { kind: 'gone' };
  if (item.state !== 'active') return { kind: 'refuse', code: item.state };
  if (item.paused !== undefined) return { kind: 'paused' };
  const notBefore = latest(rejectionDueAtOf(item) ?? now, item.notBefore ?? now);
  return waitFor(item, notBefore, now);
}
