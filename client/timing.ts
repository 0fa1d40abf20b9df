/** When the client asks, how long it waits and how long it keeps what it has. Pure; times in milliseconds. */
import { marginMsOf, type TokenBody } from './token.ts';

export const timing = {
  /** What a call takes at most, unless its caller says otherwise. */
  callTimeoutMs: 30_000,
  /** One request: more than the 10 s that the broker itself waits for a renewal. */
  attemptTimeoutMs: 15_000,
  /** One that has not ended by then never will. */
  flightEndsMs: 16_000,
  /** As much life as the broker itself takes for enough where a caller asks for none in particular. */
  usualLifeMs: 10_000,
  /** A token with less left is given to no caller. */
  leastLifeMs: 1_000,
  /** Of the time between `refresh_after` and the end: so that the renewal is done, and a fleet does not ask at once. */
  askAfterShare: { from: 0.1, to: 0.5 },
  leastPauseMs: 1_000,
  backOffFirstMs: { from: 1_000, to: 2_000 },
  backOffLongestMs: 16_000,
  retryAfterSpreadMs: 1_000,
  /** How long a refusal is repeated without asking again: a program that calls in a loop asks the broker no faster. */
  refusalKeptMs: 5_000,
  /** A request that began so long after another one's reply has the newer answer, whatever its generation. */
  memoryMs: 5_000,
} as const;

const between = ({ from, to }: { readonly from: number; readonly to: number }, chance: number): number =>
  from + (to - from) * chance;

/** The times of one reply, counted from the start of its request, so that a slow reply does not lengthen a life. */
export function timesOf(
  body: TokenBody,
  { startedAt, now, chance }: { readonly startedAt: number; readonly now: number; readonly chance: number },
): { readonly endsAt: number; readonly askAt: number; readonly enoughMs: number } {
  const endsAt = startedAt + body.expires_in * 1_000;
  const from = Math.max(endsAt - Math.max(marginMsOf(body), 0), now);
  return {
    endsAt,
    askAt: Math.max(from + (endsAt - from) * between(timing.askAfterShare, chance), now + timing.leastPauseMs),
    enoughMs: Math.min(timing.usualLifeMs, (body.expires_in * 1_000) / 2),
  };
}

/** How long to wait after so many failures in a row (1: the first). */
export function pauseMs(
  failures: number,
  { retryable, retryAfterMs }: { readonly retryable: boolean; readonly retryAfterMs: number | undefined },
  chance: number,
): number {
  if (!retryable) return timing.refusalKeptMs;
  if (retryAfterMs !== undefined) return retryAfterMs + timing.retryAfterSpreadMs * chance;
  return Math.min(between(timing.backOffFirstMs, chance) * 2 ** (failures - 1), timing.backOffLongestMs);
}
