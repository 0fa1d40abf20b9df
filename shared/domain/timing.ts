/** Instants and delays. Pure: the clock and chance are arguments. */

import type { Connection, SealedTokenSet, ToldEnd } from './connection.ts';
import type { Failure } from './failure.ts';
import { limits } from './limits.ts';
import type { Profile } from './profile.ts';
import { type EpochMs, earliest, latest, plus } from './time.ts';
import type { TokenSet } from './token-set.ts';

/** Maps `chance` in [0, 1) onto the range. */
export const between = (range: { readonly from: number; readonly to: number }, chance: number): number =>
  range.from + (range.to - range.from) * chance;

/** From when to when a token set lives, and from when its renewal is allowed and wanted. */
interface Life {
  readonly requestedAt: EpochMs;
  readonly receivedAt: EpochMs;
  readonly expiresAt: EpochMs;
  /** By then the provider has ended it: the life that was told, from the arrival of the reply. */
  readonly overAt: EpochMs;
  readonly renewableAt: EpochMs;
  readonly refreshAt: EpochMs;
}

/**
 * The life of a token set that follows `before`. A server that hands out the access token of before once more, as often
 * as it is asked and always with a whole life, has not made it live longer: it keeps its first end. (If a request that
 * begins some time after its latest end brings it still, the server has prolonged it.) Where the end is the same as
 * before, another renewal would bring no more life: the next is made when it has come. `spread` as in `refreshAtOf`.
 */
export function lifeOf(
  tokens: Pick<TokenSet, 'requestedAt' | 'receivedAt' | 'expiresAt'> & { readonly again?: boolean },
  before: Pick<SealedTokenSet, 'requestedAt' | 'expiresAt' | 'overAt'> | undefined,
  profile: Profile,
  grantEnd: ToldEnd | undefined,
  spread: number,
): Life {
  const { requestedAt, receivedAt } = tokens;
  const lastAt = before?.overAt ?? before?.expiresAt;
  const prolonged = lastAt === undefined || requestedAt >= plus(lastAt, limits.sameTokenMs);
  const renewableAt = plus(receivedAt, Math.max(profile.minTokenAgeMs, limits.renewLeastMs));
  const neededAt = usedBy(receivedAt, grantEnd, profile);
  /** Whatever the access token wants, the refresh token is used before its own end. */
  const inTime = (wantedAt: EpochMs): EpochMs =>
    neededAt === undefined ? wantedAt : earliest(wantedAt, latest(neededAt, renewableAt));
  if (before !== undefined && tokens.again && !prolonged) {
    const expiresAt = earliest(before.expiresAt, tokens.expiresAt);
    const nextAt = inTime(latest(expiresAt, plus(receivedAt, limits.sameTokenRetryMs)));
    const { requestedAt: firstAt, overAt = expiresAt } = before;
    return { requestedAt: firstAt, receivedAt, expiresAt, overAt, renewableAt: nextAt, refreshAt: nextAt };
  }
  const overAt = plus(receivedAt, tokens.expiresAt - requestedAt);
  const capped = before !== undefined && Math.abs(tokens.expiresAt - before.expiresAt) <= limits.skewMs;
  if (capped && tokens.expiresAt > receivedAt) {
    const nextAt = inTime(latest(tokens.expiresAt, renewableAt));
    return { requestedAt, receivedAt, expiresAt: tokens.expiresAt, overAt, renewableAt: nextAt, refreshAt: nextAt };
  }
  return {
    requestedAt,
    receivedAt,
    expiresAt: tokens.expiresAt,
    overAt,
    renewableAt,
    refreshAt: latest(inTime(refreshAtOf(tokens, profile, spread)), renewableAt),
  };
}

/**
 * What a new token set makes of the ends that were told: one that a renewal has not moved is fixed. A reply that tells
 * none changes nothing.
 */
export function toldEndOf(
  { receivedAt, grantEndsAt }: Pick<TokenSet, 'receivedAt' | 'grantEndsAt'>,
  before: ToldEnd | undefined,
): ToldEnd | undefined {
  if (grantEndsAt === undefined) return before;
  if (grantEndsAt === 'never') return undefined;
  const told = { at: grantEndsAt, toldAt: receivedAt };
  if (before === undefined) return { ...told, fixed: false };
  // Of two renewals at once nothing can be said.
  if (receivedAt - before.toldAt < 2 * limits.grantEndMovesMs) return { ...told, fixed: before.fixed };
  return { ...told, fixed: grantEndsAt - before.at < limits.grantEndMovesMs };
}

/**
 * By when a refresh token that came at `from` is used, so that it lives on. A fixed end is not moved by that. Where
 * replies tell none any more, what was left when one did counts from the newest: counting to that very end would have
 * it used more and more often.
 */
function usedBy(from: EpochMs, end: ToldEnd | undefined, { renewalEndsPrevious }: Profile): EpochMs | undefined {
  if (end === undefined || end.fixed) return undefined;
  const { usual, late } = limits.grantUsedShare;
  return plus(from, Math.max(end.at - end.toldAt, 0) * (renewalEndsPrevious ? late : usual));
}

/**
 * From when a token set's renewal is wanted. Two clocks bound it: the margin counts back from the expiry, which runs
 * from the start of the request; the least age counts from the reply's arrival. A margin is never more than half a
 * life.
 *
 * Connections that were imported together would be renewed together for ever, faster than refreshers and stores can, so
 * each renewal is spread over a share of the life that lies before the margin: `spread` is drawn from [0, 1).
 */
export function refreshAtOf(
  tokens: Pick<TokenSet, 'requestedAt' | 'receivedAt' | 'expiresAt'>,
  profile: Profile,
  spread: number,
): EpochMs {
  const lifetimeMs = tokens.expiresAt - tokens.requestedAt;
  const marginMs = Math.min(profile.marginMs, lifetimeMs * limits.marginShare);
  // Short lives are left as they are: they have little to spread over, and are renewed often enough.
  const { spreadShare = 0 } = profile;
  const spreadMs = spread * spreadShare * Math.max(0, lifetimeMs - profile.marginMs / limits.marginShare);
  return latest(plus(tokens.expiresAt, -marginMs - spreadMs), plus(tokens.receivedAt, profile.minTokenAgeMs));
}

/** From when the connection is due for a renewal. One without a token set is due at once. */
export const dueFrom = ({ refreshAt }: Connection, now: EpochMs): EpochMs => refreshAt ?? now;

/**
 * From when a token set that a client saw refused is renewed: not before the provider allows it, nor, if one generation
 * after another is reported, in a loop. Undefined if the current one was not reported.
 */
export function rejectionDueAtOf(item: Connection): EpochMs | undefined {
  const { rejected, generation, tokens, refreshAt } = item;
  if (rejected?.generation !== generation || tokens === undefined || refreshAt === undefined) return undefined;
  const coolDownMs = Math.min(limits.rejectionCoolDownMs * 2 ** (rejected.times - 1), limits.backOffMaxMs);
  return earliest(latest(plus(tokens.receivedAt, coolDownMs), tokens.renewableAt), refreshAt);
}

/**
 * From when a token set is renewed for a caller who asks for more life than it has left: when the provider allows it,
 * and in the second half of its life, so that wishes, however large and many, cost no more than twice the calls.
 * Undefined if nothing is known of a token set.
 */
export function hastenedAtOf({ tokens, refreshAt }: Connection): EpochMs | undefined {
  if (tokens === undefined || refreshAt === undefined) return undefined;
  // One client's wish does not end the token that all clients have.
  if (tokens.endsAtRenewal) return refreshAt;
  const { requestedAt, expiresAt, renewableAt } = tokens;
  const halfwayAt = plus(expiresAt, -(expiresAt - requestedAt) * limits.marginShare);
  return earliest(latest(halfwayAt, renewableAt), refreshAt);
}

/** When an idle connection's refresh token must be used again, or undefined if it does not lapse. */
export function keepAliveAtOf(item: Connection, profile: Profile): EpochMs | undefined {
  const { tokens, refreshAt, createdAt } = item;
  const told = tokens && usedBy(tokens.receivedAt, tokens.grantEnd, profile);
  const idleAt =
    profile.keepAliveMs === undefined ? undefined : plus(tokens?.receivedAt ?? createdAt, profile.keepAliveMs);
  const usual = profile.renewalEndsPrevious && idleAt && refreshAt ? latest(idleAt, refreshAt) : idleAt;
  return told === undefined || usual === undefined ? (told ?? usual) : earliest(told, usual);
}

/** Until when the holder of an attempt begun at `startedAt` can still be working, by the clock of any environment. */
export const safeAt = (startedAt: EpochMs): EpochMs => plus(startedAt, limits.refreshTimeoutMs + 2 * limits.skewMs);

/**
 * The next attempt after the `count`-th failure in a row: doubling from the profile's first delay, with jitter, or when
 * the provider says. Servers that say the same short delay each time are not asked as often as they say.
 */
export function backOffUntil(
  now: EpochMs,
  count: number,
  code: string,
  profile: Profile,
  chance: number,
  retryAt?: EpochMs,
): EpochMs {
  if (retryAt !== undefined && retryAt > now) {
    const { from, to } = limits.toldDelayLeastMs;
    const leastMs = Math.min(from * 2 ** (count - 1), to);
    const toldAt = earliest(latest(retryAt, plus(now, leastMs)), plus(now, limits.toldDelayMaxMs));
    return plus(toldAt, between(limits.toldDelayJitterMs, chance));
  }
  const firstMs = profile.firstDelayMs[code] ?? profile.firstDelayMs.default;
  const delayMs = Math.min(firstMs * 2 ** (count - 1), limits.backOffMaxMs);
  return plus(now, between({ from: delayMs, to: delayMs * limits.backOffStretch }, chance));
}

/**
 * Until when the provider is not asked again for what it refuses with the same code each time, without a verdict so
 * far: as long again as it has been so. Undefined if it may be asked. Where a token lives, renewals are tried as ever:
 * they have its life to come back in.
 */
export function sameRefusalUntil({ failure, tokens }: Connection, now: EpochMs): EpochMs | undefined {
  if (failure?.alike === undefined || failure.class !== 'transient') return undefined;
  if (tokens !== undefined && tokens.expiresAt > now) return undefined;
  const delayMs = limits.backOffMaxMs * 2 ** (failure.alike - limits.sameRefusals);
  const until = plus(failure.at, Math.min(delayMs, limits.sameRefusalMaxMs));
  return until > now ? until : undefined;
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
