/**
 * What is known of the health of a provider application, that is, of a token endpoint and a client. While the provider
 * answers no connection, one connection at a time finds out whether it is back, however many wait (a circuit breaker).
 * Where it refuses many living grants within minutes, an accident at the provider or a wrongly rotated secret is
 * likelier than so many people's doing: further refusals are withheld until one connection has asked once more. Pure;
 * the store only compares versions.
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
  /** Connections whose last call was not answered, and when that was. An answer to any connection clears it. */
  readonly unanswered: Readonly<Record<string, EpochMs>>;
  /**
   * Living grants that the provider refused lately, and how many token sets it granted since the first of these
   * refusals.
   */
  readonly refused?: { readonly at: Readonly<Record<string, EpochMs>>; readonly granted: number };
  /** Absent while the breaker is closed. */
  readonly open?: Open;
  /** A probe was refused, too: until this instant refusals are believed. */
  readonly believedUntil?: EpochMs;
}

export const breakerReasons = ['unanswered', 'refused'] as const;

interface Open {
  readonly reason: (typeof breakerReasons)[number];
  /** No call before this instant; then one, the probe. */
  readonly until: EpochMs;
  /** How many probes in a row were not answered. */
  readonly probes: number;
  /** The connection that made the last probe. */
  readonly prober?: ConnectionName;
  /** The probe is on its way; should its maker die, another connection may try at `until`. */
  readonly probing: boolean;
  /** Subscribers have been told that refusals are withheld. */
  readonly told?: true;
}

export type Passage =
  | { readonly kind: 'closed' }
  /** Look again at `until`. */
  | { readonly kind: 'open'; readonly until: EpochMs }
  /** The connection that writes `probe` over what was seen may call. */
  | { readonly kind: 'half_open'; readonly probe: Breaker };

/** Whether this connection may call now. `chance` in [0, 1) spreads the connections that wait. */
export function passage(
  breaker: Breaker | undefined,
  connection: ConnectionName,
  now: EpochMs,
  chance: number,
): Passage {
  if (breaker?.open === undefined) return { kind: 'closed' };
  const { open } = breaker;
  // A connection that alone gets no answer must not keep all the rest waiting: after its probe, another one probes
  // first.
  const until = open.prober === connection ? plus(open.until, limits.probeTurnMs) : open.until;
  if (now < until)
    return {
      kind: 'open',
      until: open.probing ? earliest(until, plus(now, between(limits.probeWaitMs, chance))) : until,
    };
  const probing = { ...open, until: plus(now, limits.refreshTimeoutMs), prober: connection, probing: true };
  return { kind: 'half_open', probe: { ...breaker, version: breaker.version + 1, open: probing } };
}

/**
 * What a call tells of the application. `granted`: a token set came. `refused`: the grant or the client was refused.
 * `answered`: another error about this request. `unanswered`: no answer, a 429 or a 5xx. Undefined where the provider
 * was not called.
 */
type Sign = 'granted' | 'refused' | 'answered' | 'unanswered';

export function signOf(outcome: Outcome): Sign | undefined {
  if (outcome.kind === 'success') return 'granted';
  const { class: meaning, status } = outcome;
  if (meaning === 'misconfigured' || meaning === 'dead_grant') {
    // Without a status nothing was sent: what the connection authenticates with cannot be used.
    return status === undefined ? undefined : 'refused';
  }
  if (meaning !== 'transient' && meaning !== 'in_doubt') return 'answered';
  return status !== undefined && status !== 429 && status < 500 ? 'answered' : 'unanswered';
}

/** What a call came to, as far as the application's health goes. */
export interface CallResult {
  readonly application: string;
  readonly connection: ConnectionName;
  readonly sign: Sign;
  /** The grant has brought a token set before, so that its refusal is a surprise. */
  readonly living: boolean;
  /** When the provider says to come back. */
  readonly retryAt?: EpochMs;
}

/** Whether a sign leaves such a breaker as it is, so that it need not even be read again. */
export const isNoNews = (
  breaker: Breaker | undefined,
  { sign, living }: Pick<CallResult, 'sign' | 'living'>,
): boolean => sign !== 'unanswered' && !(sign === 'refused' && living) && isClear(breaker);

const isClear = (breaker: Breaker | undefined): boolean =>
  breaker === undefined ||
  (breaker.open === undefined &&
    breaker.refused === undefined &&
    breaker.believedUntil === undefined &&
    Object.keys(breaker.unanswered).length === 0);

/** The breaker after a call, or undefined if it stays as it is. */
export function afterCall(
  breaker: Breaker | undefined,
  result: CallResult,
  now: EpochMs,
  chance: number,
): Breaker | undefined {
  switch (result.sign) {
    case 'granted':
      return afterGrant(breaker, result, now);
    case 'refused':
      return result.living ? afterRefusal(breaker, result, now) : afterAnswer(breaker, result, now);
    case 'answered':
      return afterAnswer(breaker, result, now);
    case 'unanswered':
      return afterSilence(breaker, result, now, chance);
  }
}

/** A verdict on this refusal waits until the instant returned; undefined if the refusal is believed. */
export const withheldUntil = (breaker: Breaker | undefined, { sign, living }: CallResult): EpochMs | undefined =>
  sign === 'refused' && living && breaker?.open?.reason === 'refused' ? breaker.open.until : undefined;

/** Whether refusals that were withheld are believed by now. */
export const isBelieved = (breaker: Breaker | undefined, now: EpochMs): boolean =>
  breaker?.believedUntil !== undefined && breaker.believedUntil > now;

const next = (breaker: Breaker | undefined, application: string): Pick<Breaker, 'application' | 'version'> => ({
  application,
  version: (breaker?.version ?? 0) + 1,
});

const recently = (at: Readonly<Record<string, EpochMs>> | undefined, now: EpochMs, windowMs: number) =>
  Object.entries(at ?? {}).filter(([, instant]) => plus(instant, windowMs) > now);

/** A token set ends whatever was held back, and counts against the refusals where nothing is held back yet. */
function afterGrant(breaker: Breaker | undefined, { application }: CallResult, now: EpochMs): Breaker | undefined {
  if (breaker === undefined || isClear(breaker)) return undefined;
  const { refused } = breaker;
  const keeps = breaker.open === undefined && breaker.believedUntil === undefined && refused !== undefined;
  const at = keeps ? recently(refused.at, now, limits.refusalWindowMs) : [];
  return {
    ...next(breaker, application),
    unanswered: {},
    ...(at.length > 0 && { refused: { at: Object.fromEntries(at), granted: (refused?.granted ?? 0) + 1 } }),
  };
}

/** An error about one request shows that the provider is there. It does not show that refusals are to be believed. */
function afterAnswer(breaker: Breaker | undefined, result: CallResult, now: EpochMs): Breaker | undefined {
  const { open, refused, believedUntil, unanswered } = breaker ?? { unanswered: {} };
  if (open?.reason === 'refused') {
    if (open.prober !== result.connection) return undefined;
    const { prober: _, ...again } = open;
    return {
      ...next(breaker, result.application),
      unanswered: {},
      ...(refused && { refused }),
      open: { ...again, until: plus(now, limits.withholdMs), probing: false },
    };
  }
  if (open === undefined && Object.keys(unanswered).length === 0) return undefined;
  return {
    ...next(breaker, result.application),
    unanswered: {},
    ...(refused && { refused }),
    ...(believedUntil !== undefined && { believedUntil }),
  };
}

/**
 * The first few refusals of living grants are believed at once. One more, with less than half as many token sets
 * granted meanwhile, and refusals are withheld. Then the probe decides: if it is refused as well, refusals are believed
 * for a while.
 */
function afterRefusal(breaker: Breaker | undefined, result: CallResult, now: EpochMs): Breaker {
  const { application, connection } = result;
  const at = Object.fromEntries(
    [[connection, now] as const, ...recently(breaker?.refused?.at, now, limits.refusalWindowMs)]
      .filter(([name], i) => i === 0 || name !== connection)
      .slice(0, limits.refusalsNamed),
  );
  const granted = breaker?.refused?.granted ?? 0;
  const base = { ...next(breaker, application), unanswered: {}, refused: { at, granted } };
  const open = breaker?.open;
  if (open?.reason === 'refused') {
    if (open.prober !== connection || !open.probing) return { ...base, open };
    return { ...base, believedUntil: plus(now, limits.believeMs) };
  }
  if (isBelieved(breaker, now)) return { ...base, believedUntil: plus(now, limits.believeMs) };
  const refusals = Object.keys(at).length;
  if (refusals <= limits.refusalsBelieved || refusals <= 2 * granted) return base;
  return { ...base, open: { reason: 'refused', until: plus(now, limits.withholdMs), probes: 0, probing: false } };
}

/** Opens when so many connections in a row were not answered; a probe that was not answered waits longer each time. */
function afterSilence(
  breaker: Breaker | undefined,
  { application, connection, retryAt }: CallResult,
  now: EpochMs,
  chance: number,
): Breaker | undefined {
  const open = breaker?.open;
  // A call that began before the breaker opened says nothing new.
  if (open !== undefined && open.prober !== connection) return undefined;
  const recent = recently(breaker?.unanswered, now, limits.backOffMaxMs).filter(([name]) => name !== connection);
  const latestFirst = [[connection, now] as const, ...recent.sort(([, a], [, b]) => b - a)];
  const { refused, believedUntil } = breaker ?? {};
  const base = {
    ...next(breaker, application),
    unanswered: Object.fromEntries(latestFirst.slice(0, limits.breakerConnections)),
    ...(refused && { refused }),
    ...(believedUntil !== undefined && { believedUntil }),
  };
  if (open === undefined && Object.keys(base.unanswered).length < limits.breakerConnections) return base;
  const probes = open === undefined ? 0 : open.probes + 1;
  const delayMs = Math.min(limits.probeFirstMs * 2 ** probes, limits.probeMaxMs);
  const until = latest(
    plus(now, between({ from: delayMs, to: delayMs * limits.backOffStretch }, chance)),
    earliest(retryAt ?? now, plus(now, limits.backOffMaxMs)),
  );
  return {
    ...base,
    open: {
      reason: open?.reason ?? 'unanswered',
      until,
      probes,
      probing: false,
      ...(open?.prober && { prober: open.prober }),
      ...(open?.told && { told: open.told }),
    },
  };
}

/** The connections whose refusals made the broker doubt them, if subscribers have not been told yet. */
export const untoldRefusals = (breaker: Breaker | undefined): readonly ConnectionName[] | undefined =>
  breaker?.open?.reason === 'refused' && breaker.open.told === undefined
    ? (Object.keys(breaker.refused?.at ?? {}).sort() as ConnectionName[])
    : undefined;

/** The breaker once subscribers have been told. */
export const toldOf = (breaker: Breaker): Breaker => ({
  ...breaker,
  version: breaker.version + 1,
  ...(breaker.open && { open: { ...breaker.open, told: true } }),
});
