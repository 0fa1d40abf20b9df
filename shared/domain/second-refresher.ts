/**
 * Signs that another party renews the same grant, as far as the broker itself can see them. They are noted with commits
 * that happen anyway, and change no decision.
 *
 * A sign counts only where no call of ours can explain it: no earlier attempt is open, the refresh token was sent once,
 * no code of a login is under way, and nothing has failed since the last success. A crash of ours after the provider
 * rotated leaves an open attempt, and so is no sign.
 */
import { openAttempts } from './attempts.ts';
import type { Connection } from './connection.ts';
import type { Failure } from './failure.ts';
import type { Held } from './held.ts';
import { limits } from './limits.ts';
import { type SecondRefresher, type Sign, weights } from './signs.ts';
import { type EpochMs, plus } from './time.ts';

/** Whether nothing that the broker has done explains what the provider says of the refresh token that was sent. */
function isUnexplained({ seen, attempt }: Held, item: Connection): boolean {
  const { authorization, calls, tokens, failure } = item;
  const codeUnderWay = authorization?.redeemer !== undefined && authorization.outcome?.kind !== 'connected';
  return (
    tokens?.contested === false &&
    failure === undefined &&
    openAttempts(seen.item, attempt.fence).length === 0 &&
    openAttempts(item, attempt.fence).length === 0 &&
    !codeUnderWay &&
    Object.keys(calls.codes).length === 0
  );
}

/** The sign in a refusal for which the grant is called dead; `item` is the connection as it was read since. */
export function signOfRefusal(held: Held, item: Connection, { cause, at }: Failure): Sign | undefined {
  if (!isUnexplained(held, item)) return undefined;
  if (cause === 'refresh_token_reused') return 'refresh_token_reused';
  const { tokens } = item;
  const soon = tokens !== undefined && at < plus(tokens.receivedAt, limits.refusedSoonMs);
  return soon && cause !== 'refresh_token_expired' ? 'refused_soon' : undefined;
}

/** The sign in an answer that it is too early. */
export function signOfTooEarly(held: Held): Sign | undefined {
  const { item, profile } = held.seen;
  const { minTokenAgeMs } = profile;
  const oldEnough = item.tokens !== undefined && held.attempt.startedAt >= plus(item.tokens.receivedAt, minTokenAgeMs);
  return minTokenAgeMs > 0 && oldEnough && isUnexplained(held, item) ? 'renewed_elsewhere' : undefined;
}

/** The sign in what clients reported of the access token that is being replaced. */
export function signOfRejections(held: Held): Sign | undefined {
  const { item, profile } = held.seen;
  const { rejected, generation, refreshAt } = item;
  const early = refreshAt !== undefined && held.attempt.startedAt < refreshAt;
  const again = rejected?.generation === generation && rejected.times >= limits.rejectionsForAHint;
  return profile.renewalEndsPrevious === true && early && again && isUnexplained(held, item)
    ? 'tokens_rejected'
    : undefined;
}

/** What a commit adds to what it sets for a sign, if there is one. Signs that are long ago are dropped. */
export function noticed(
  { secondRefresher: before }: Connection,
  sign: Sign | undefined,
  now: EpochMs,
): Pick<Connection, 'secondRefresher'> {
  if (sign === undefined) return {};
  const fresh = before && freshOf(before, now);
  const signs = { ...fresh?.signs, [sign]: { at: now, times: (fresh?.signs[sign]?.times ?? 0) + 1 } };
  if (weights[sign] === 'hint' || fresh?.suspectedAt !== undefined) return { secondRefresher: { ...fresh, signs } };
  return { secondRefresher: { signs, suspectedAt: now, untold: true } };
}

/** What still counts of it, by now; undefined if nothing does. */
export function freshOf({ signs, ...suspicion }: SecondRefresher, now: EpochMs): SecondRefresher | undefined {
  const entries = Object.entries(signs).filter(([, { at }]) => plus(at, limits.signsLastMs) > now);
  if (entries.length === 0) return undefined;
  const fresh: SecondRefresher['signs'] = Object.fromEntries(entries);
  const suspected = (Object.keys(fresh) as Sign[]).some((sign) => weights[sign] === 'certain');
  return suspected ? { ...suspicion, signs: fresh } : { signs: fresh };
}
