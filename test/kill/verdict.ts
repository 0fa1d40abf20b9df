/** Measures what was observed, and holds it against what was promised. Pure. */
import { type Answer, minTtlSeconds } from './clients.ts';
import { holderGoneMs, type Observed } from './experiment.ts';

export interface Measured {
  /** `kept`, or the state and its cause. */
  readonly grant: string;
  /** Answers that no client should ever see, each as a phrase. */
  readonly clientErrors: readonly string[];
  readonly unavailable: number;
  /** Longest time between two tokens served; undefined if they ended with the grant. */
  readonly longestGapMs: number | undefined;
  /** From the blow until a client got a newer token. */
  readonly newTokenMs: number | undefined;
  readonly calls: { readonly ok: number; readonly errors: number };
}

/** What a dead holder's term may be exceeded by: look-up, waking, a cold start on a busy machine. */
const slackMs = 15_000;

export function measure({ trial, struckAt, answers, calls, end }: Observed): Measured {
  const kept = end.state === 'active';
  const served = answers
    .flatMap(({ at, token }) => (token ? [{ at, generation: token.generation }] : []))
    .sort((a, b) => a.at - b.at);
  const newer = served.find(({ generation }) => generation > 1);
  const gaps = served.slice(1).map(({ at }, index) => at - (served[index]?.at ?? at));
  const refusedAt = calls.find(({ status }) => status !== 200)?.at ?? Number.POSITIVE_INFINITY;
  const mayBeRefused = (answer: Answer) =>
    trial.promised === 'lost_in_doubt' && answer.cause === 'refresh_in_doubt' && answer.at > refusedAt;
  return {
    grant: kept ? 'kept' : `${end.state}, ${end.cause}`,
    clientErrors: answers.flatMap((answer) => errorIn(answer, mayBeRefused) ?? []),
    unavailable: answers.filter(({ status }) => status === 503).length,
    longestGapMs: kept ? Math.max(...gaps) : undefined,
    newTokenMs: newer && newer.at - struckAt,
    calls: {
      ok: calls.filter(({ status }) => status === 200).length,
      errors: calls.filter(({ status }) => status !== 200).length,
    },
  };
}

function errorIn(answer: Answer, mayBeRefused: (answer: Answer) => boolean): string | undefined {
  const { status, token, retryAfter, at, cause } = answer;
  if (token !== undefined) {
    if (token.expiresAt <= at) return 'expired token';
    return token.expiresIn < minTtlSeconds ? 'token with less life than asked for' : undefined;
  }
  if (status === 503)
    return retryAfter !== undefined && Number(retryAfter) >= 1 ? undefined : '503 without Retry-After';
  if (status === 409 && mayBeRefused(answer)) return undefined;
  return status === 0 ? 'no answer' : `${status}${cause === undefined ? '' : ` ${cause}`}`;
}

/** Returns every promise that was broken, as a sentence. */
export function broken(observed: Observed, measured: Measured): string[] {
  const { trial, struckAt, oldExpiresAt, end } = observed;
  const { grant, clientErrors, unavailable, newTokenMs = Number.POSITIVE_INFINITY, calls } = measured;
  const lost = trial.promised === 'lost_in_doubt';
  const [ok, errors] = [end.generation + trial.unused, lost ? 1 : 0];
  const rules: readonly (readonly [holds: boolean, promise: string])[] = [
    [
      grant === (lost ? 'reauthorization_required, refresh_in_doubt' : 'kept'),
      lost ? 'the loss is called ours' : 'the grant is kept',
    ],
    [clientErrors.length === 0, `no client sees an error (${[...new Set(clientErrors)].join(', ')})`],
    [unavailable === 0 || trial.promised !== 'in_time', 'no client is turned away'],
    [
      lost || trial.promised === 'after_holder' || struckAt + newTokenMs <= oldExpiresAt,
      'the new token is served before the old one expires',
    ],
    [
      trial.promised !== 'after_holder' || newTokenMs <= holderGoneMs + slackMs,
      'the new token is served when no holder can answer any more',
    ],
    [
      calls.ok === ok && calls.errors === errors,
      `the provider sees ${ok} good calls and ${errors} errors (it saw ${calls.ok} and ${calls.errors})`,
    ],
  ];
  return rules.filter(([holds]) => !holds).map(([, promise]) => `not kept: ${promise}`);
}
