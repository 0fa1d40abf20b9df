/** Instants and delays. Pure: the clock and chance are arguments. */

import type { Connection } from './connection.ts';
import type { Failure } from './failure.ts';
import { limits } from './limits.ts';
import type { Profile } from './profile.ts';
import { type EpochMs, earliest, latest, plus } from './time.ts';
import type { TokenSet } from './token-set.ts';

/** Maps `chance` in [0, 1) onto the range. */
export const between = (range: { readonly from: number; readonly to: number }, chance: number): number =>
  range.from + (range.to - range.from) * chance;

/**
 * From when a token set's renewal is wanted. Two clocks bound it: the margin counts back from the expiry, which runs
 * from the start of the request; the least age counts from the reply's arrival. A margin is never more than half a life.
 */
export function refreshAtOf(
  tokens: Pick<TokenSet, 'requestedAt' | 'receivedAt' | 'expiresAt'>,
  profile: Profile,
): EpochMs {
  const lifetimeMs = tokens.expiresAt - tokens.requestedAt;
  const marginMs = Math.min(profile.marginMs, lifetimeMs * limits.marginShare);
  return latest(plus(tokens.expiresAt, -marginMs), plus(tokens.receivedAt, profile.minTokenAgeMs));
}

/** From when the connection is due for a renewal. One without a token set is due at once. */
export const dueFrom = ({ refreshAt }: Connection, now: EpochMs): EpochMs => refreshAt ?? now;

/**
 * From when a token set that a client saw refused is renewed: not before the provider allows it, nor, if one generation after
 * another is reported, in a loop. Undefined if the current one was not reported.
 */
export function rejectionDueAtOf(item: Connection): EpochMs | undefined {
  const { rejected, generation, tokens, refreshAt } = item;
  if (rejected?.generation !== generation || tokens === undefined || refreshAt === undefined) return undefined;
  const coolDownMs = Math.min(limits.rejectionCoolDownMs * 2 ** (rejected.times - 1), limits.backOffMaxMs);
  return earliest(latest(plus(tokens.receivedAt, coolDownMs), tokens.renewableAt), refreshAt);
}

/**
 * From when a token set is renewed for a caller who asks for more life than it has left: when the provider allows it, and in the second half
 * of its life, so that wishes, however large and many, cost no more than twice the calls. Undefined if nothing is known of a token set.
 */
export function hastenedAtOf({ tokens, refreshAt }: Connection): EpochMs | undefined {
  if (tokens === undefined || refreshAt === undefined) return undefined;
  const { requestedAt, expiresAt, renewableAt } = tokens;
  const halfwayAt = plus(expiresAt, -(expiresAt - requestedAt) * limits.marginShare);
  return earliest(latest(halfwayAt, renewableAt), refreshAt);
}

/** When an idle connection's refresh token must be used again, or undefined if it does not lapse. */
export function keepAliveAtOf(item: Connection, profile: Profile): EpochMs | undefined {
  if (profile.keepAliveMs === undefined) return undefined;
  return plus(item.tokens?.receivedAt ?? item.createdAt, profile.keepAliveMs);
}

/** Until when the holder of an attempt begun at `startedAt` can still be working, by anybody's clock. */
export const safeAt = (startedAt: EpochMs): EpochMs => plus(startedAt, limits.refreshTimeoutMs + 2 * limits.skewMs);

/** The next attempt after the `count`-th failure in a row: doubling from the profile's first delay, with jitter, or when the provider says. */
export function backOffUntil(
  now: EpochMs,
  count: number,
  code: string,
  profile: Profile,
  chance: number,
  retryAt?: EpochMs,
): EpochMs {
  if (retryAt !== undefined && retryAt > now)
    return plus(earliest(retryAt, plus(now, 24 * 3_600_000)), between({ from: 0, to: 1_000 }, chance));
  const firstMs = profile.firstDelayMs[code] ?? profile.firstDelayMs.default;
  const delayMs = Math.min(firstMs * 2 ** (count - 1), limits.backOffMaxMs);
  return plus(now, between({ from: delayMs, to: delayMs * 1.25 }, chance));
}

/**
 * The next attempt after "too early". The provider's clock starts at a token we may never have received, so an
 * instant in the past is no answer: when in doubt, minutes; otherwise a few seconds.
 */
export function tooEarlyUntil(
  now: EpochMs,
  item: Connection,
  profile: Profile,
  inDoubt: boolean,
  count: number,
): EpochMs {
  const oldEnough = item.tokens && plus(item.tokens.receivedAt, profile.minTokenAgeMs);
  if (oldEnough !== undefined && oldEnough > now) return oldEnough;
  if (inDoubt) return plus(now, Math.min(limits.tooEarlyInDoubtFirstMs * 2 ** (count - 1), limits.backOffMaxMs));
  return plus(now, Math.min(limits.tooEarlyFirstMs * 2 ** (count - 1), limits.tooEarlyMaxMs));
}

/** Failures in a row, the coming one included. */
export const countAfter = (previous: Failure | undefined, next: Failure['class']): number =>
  previous === undefined || (previous.class === 'too_early') !== (next === 'too_early') ? 1 : previous.count + 1;

/** Seconds for `Retry-After`: until `instant`, within the bounds of the contract. */
export const retryAfterSeconds = (instant: EpochMs | undefined, now: EpochMs): number =>
  Math.min(
    Math.max(Math.ceil(((instant ?? now) - now) / 1_000), limits.retryAfterSeconds.least),
    limits.retryAfterSeconds.most,
  );
