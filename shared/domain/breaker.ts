/**
 * A circuit breaker for each provider application, that is, for each token endpoint and client: while the provider answers nobody,
 * one connection at a time finds out whether it is back, however many wait. Pure; the store only compares versions.
 */

import type { ConnectionName } from './connection-name.ts';
import { limits } from './limits.ts';
import type { Outcome } from './outcome.ts';
import { type EpochMs, earliest, latest, plus } from './time.ts';
import { between } from './timing.ts';

/** What is known of one application. An application that always answered has none. */
export interface Breaker {
  readonly application: string;
  /** +1 for each change: a write that has seen another version is refused. */
  readonly version: number;
  /** Connections whose last call was not answered, and when that was. An answer to anybody clears it. */
  readonly unanswered: Readonly<Record<string, EpochMs>>;
  /** Absent while the breaker is closed. */
  readonly open?: {
    /** No call before this instant; then one, the probe. */
    readonly until: EpochMs;
    /** How many probes in a row were not answered. */
    readonly probes: number;
    /** Who made the last probe. */
    readonly prober?: ConnectionName;
    /** The probe is on its way; should its maker die, `until` is when somebody else may try. */
    readonly probing: boolean;
  };
}

export type Passage =
  | { readonly kind: 'closed' }
  /** Look again at `until`. */
  | { readonly kind: 'open'; readonly until: EpochMs }
  /** Whoever writes `probe` over what was seen may call. */
  | { readonly kind: 'half_open'; readonly probe: Breaker };

/** Whether this connection may call now. `chance` in [0, 1) spreads those who wait. */
export function passage(
  breaker: Breaker | undefined,
  connection: ConnectionName,
  now: EpochMs,
  chance: number,
): Passage {
  if (breaker?.open === undefined) return { kind: 'closed' };
  const { open } = breaker;
  // Others first: a connection that only itself gets no answer must not keep all others waiting.
  const until = open.prober === connection ? plus(open.until, limits.probeTurnMs) : open.until;
  if (now < until)
    return {
      kind: 'open',
      until: open.probing ? earliest(until, plus(now, between(limits.probeWaitMs, chance))) : until,
    };
  const probing = { ...open, until: plus(now, limits.refreshTimeoutMs), prober: connection, probing: true };
  return { kind: 'half_open', probe: { ...breaker, version: breaker.version + 1, open: probing } };
}

/** Whether the provider answered: with a token set, or with an error that is about this request. A 429 and a 5xx are not. */
export function isAnswer(outcome: Outcome): boolean {
  if (outcome.kind === 'success') return true;
  const { class: meaning, status } = outcome;
  if (meaning !== 'transient' && meaning !== 'in_doubt') return true;
  return status !== undefined && status !== 429 && status < 500;
}

/** Whether it says nothing of the provider, which was not called: what the connection authenticates with cannot be used. */
export const saysNothingOfProvider = (outcome: Outcome): boolean =>
  outcome.kind === 'failure' && outcome.class === 'misconfigured' && outcome.status === undefined;

/** What a call came to, as far as the provider's health goes. */
export interface CallResult {
  readonly application: string;
  readonly connection: ConnectionName;
  readonly answered: boolean;
  /** When the provider says to come back. */
  readonly retryAt?: EpochMs;
}

/** Whether there is anything that an answer would clear. */
export const hasNothingToClear = (breaker: Breaker | undefined): boolean =>
  breaker === undefined || (breaker.open === undefined && Object.keys(breaker.unanswered).length === 0);

/** The breaker after a call, or undefined if it stays as it is. Opens when so many connections in a row were not answered. */
export function afterCall(
  breaker: Breaker | undefined,
  result: CallResult,
  now: EpochMs,
  chance: number,
): Breaker | undefined {
  const { application, connection, answered } = result;
  const version = (breaker?.version ?? 0) + 1;
  if (answered) return hasNothingToClear(breaker) ? undefined : { application, version, unanswered: {} };
  const open = breaker?.open;
  // A call that began before the breaker opened says nothing new.
  if (open !== undefined && open.prober !== connection) return undefined;
  const recent = Object.entries(breaker?.unanswered ?? {}).filter(
    ([name, at]) => name !== connection && at > plus(now, -limits.backOffMaxMs),
  );
  const latestFirst = [[connection, now] as const, ...recent.sort(([, a], [, b]) => b - a)];
  const unanswered = Object.fromEntries(latestFirst.slice(0, limits.breakerConnections));
  if (open === undefined && Object.keys(unanswered).length < limits.breakerConnections)
    return { application, version, unanswered };
  const probes = open === undefined ? 0 : open.probes + 1;
  const delayMs = Math.min(limits.probeFirstMs * 2 ** probes, limits.probeMaxMs);
  const until = latest(
    plus(now, between({ from: delayMs, to: delayMs * 1.25 }, chance)),
    earliest(result.retryAt ?? now, plus(now, limits.backOffMaxMs)),
  );
  return {
    application,
    version,
    unanswered,
    open: { until, probes, probing: false, ...(open?.prober && { prober: open.prober }) },
  };
}
