/**
 * What goes wrong in one run: each class of fault is on or off, and as frequent as the seed says. Rates are far above
 * real life.
 */
import { clientSecretNames } from '../../shared/domain/client-secrets.ts';
import type { StoredCredentials } from '../../shared/domain/connection.ts';
import { limits } from '../../shared/domain/limits.ts';
import { type EpochMs, hourMs, plus } from '../../shared/domain/time.ts';
import type { Boundary, Fault } from './environment.ts';
import type { Way } from './provider.ts';
import { drawnApart, type Random } from './random.ts';

/** Rates by class; 0 is off. */
export interface FaultRates {
  readonly crash: number;
  readonly pause: number;
  readonly pauseMostMs: number;
  readonly table: number;
  readonly secrets: number;
  readonly queue: number;
  readonly keys: number;
  readonly events: number;
  readonly provider: number;
  readonly slow: number;
  readonly planner: number;
  readonly duplicates: number;
  /** Replies to what changes something that are lost, and the client of the store sends it again by itself. */
  readonly resent: number;
  readonly outages: number;
  readonly skewMs: number;
  readonly staleSecretsMs: number;
}

/** `resent` comes from a stream of its own. */
export function drawRates(random: Random, seed: number): FaultRates {
  const own = drawnApart('resendRate', seed);
  const rate = (most: number): number => (random.chance(0.5) ? 0 : most * random.pick([0.2, 0.5, 1]));
  return {
    crash: rate(0.02),
    pause: rate(0.01),
    pauseMostMs: random.pick([10_000, 40_000, 120_000, 300_000]),
    table: rate(0.05),
    secrets: rate(0.2),
    queue: rate(0.2),
    keys: rate(0.2),
    events: rate(0.4),
    provider: rate(0.4),
    slow: rate(0.4),
    planner: rate(0.6),
    duplicates: rate(0.5),
    resent: own.chance(0.5) ? 0 : own.pick([0.05, 0.2]),
    outages: rate(1),
    skewMs: random.pick([0, 500, 1_000]),
    staleSecretsMs: random.pick([0, 0, 2_000]),
  };
}

/** A pause no longer than this keeps S1 (lease − heartbeat − the time a beat takes). */
export const boundedPauseMs = 10_000;

const stores = ['table', 'secrets', 'queue', 'keys', 'events'] as const;
type Store = (typeof stores)[number];
const storeOf = ({ operation }: Boundary): Store | undefined =>
  stores.find((store) => operation.startsWith(`${store}.`));

/** A stretch of time in which a store does not answer. */
interface Outage {
  readonly store: Store;
  readonly from: number;
  readonly until: number;
}

export function drawOutages(random: Random, rates: FaultRates, from: number, until: number): Outage[] {
  if (rates.outages === 0) return [];
  return Array.from({ length: random.below(5) }, () => {
    const begin = random.between(from, until);
    return { store: random.pick(stores), from: begin, until: begin + random.pick([5_000, 25_000, 100_000, 300_000]) };
  });
}

export function drawFault(
  random: Random,
  rates: FaultRates,
  outages: readonly Outage[],
  now: number,
  boundary: Boundary,
): Fault | undefined {
  const store = storeOf(boundary);
  if (
    boundary.phase === 'before' &&
    outages.some((outage) => outage.store === store && outage.from <= now && now < outage.until)
  )
    return { kind: 'fail' };
  if (random.chance(rates.crash)) return { kind: 'crash' };
  if (random.chance(rates.pause)) return { kind: 'pause', ms: random.between(100, rates.pauseMostMs) };
  if (store !== undefined && random.chance(rates[store])) {
    // A hang is as good as a failure to a client with a time-out; only `persist` has a budget of its own to lose.
    return boundary.operation === 'secrets.persist' && random.chance(0.3) ? { kind: 'hang' } : { kind: 'fail' };
  }
  return undefined;
}

/** A client finds its connection broken at once, or waits for a reply as long as it does. */
export function drawResend(random: Random, { resent }: FaultRates, { operation, phase }: Boundary): Fault | undefined {
  const changes = operation.includes('.') && !/\.(?:read|list|look_up|ready|request)/.test(operation);
  if (phase !== 'after' || !changes || !random.chance(resent)) return undefined;
  return { kind: 'resend', ms: random.pick([20, limits.storeRequestMs]) };
}

/** How long an accident at the provider lasts: shorter than refusals are withheld. */
const accidentMs = 150_000;

/**
 * When the provider refuses every grant of the application, though none is dead: in one run of five, once. From a
 * stream of its own.
 */
export function drawAccident(seed: number, from: number, until: number): Accident | undefined {
  const random = drawnApart('accident', seed);
  if (!random.chance(0.2)) return undefined;
  const begin = random.between(from, until);
  return { from: begin, until: begin + accidentMs };
}

export interface Accident {
  readonly from: number;
  readonly until: number;
}

/** A client's secret is replaced at the provider, while the connection has both; from when on which is good. */
export interface Rotation {
  readonly newFrom: number;
  readonly oldUntil: number;
  /** As they were put, in order. */
  readonly secrets: readonly ['old', 'new'] | readonly ['new', 'old'];
}

/** In one run of five, once; both are good for two minutes at least. From a stream of its own. */
export function drawRotation(seed: number, from: number, until: number): Rotation | undefined {
  const random = drawnApart('rotation', seed);
  if (!random.chance(0.2)) return undefined;
  const newFrom = random.between(from, until);
  const oldUntil = newFrom + random.between(120_000, 600_000);
  return { newFrom, oldUntil, secrets: random.chance(0.5) ? ['old', 'new'] : ['new', 'old'] };
}

/** When the two secrets end, as an operator told it, in one run of five: told ahead within the run, or long over. */
export function drawSecretEnds(seed: number, from: EpochMs, until: number): StoredCredentials['endsAt'] {
  const random = drawnApart('secretEnds', seed);
  if (!random.chance(0.2)) return undefined;
  const end = (): EpochMs =>
    random.chance(0.2) ? plus(from, -hourMs) : plus(from, random.below(until - from) + limits.secretEndsAheadMs);
  return { [clientSecretNames.first]: end(), [clientSecretNames.second]: end() };
}

/** More than twice as many as this connection is granted token sets within the window. */
const neighbourCount = 40;

/** When the accident refused which of the neighbours' grants; undefined once that is long ago. */
export function refusedNeighbours(accident: Accident | undefined, now: EpochMs): Record<string, EpochMs> | undefined {
  if (accident === undefined || now < accident.from || now >= accident.until + limits.refusalWindowMs) return undefined;
  const at = Math.min(now, accident.until) as EpochMs;
  return Object.fromEntries(Array.from({ length: neighbourCount }, (_, i) => [`neighbour-${i}`, at]));
}

/** What every caller is told meanwhile. */
export const accidentally = {
  status: 400,
  body: '{"error":"invalid_grant","error_description":"Token has been revoked."}',
  after: false,
} as const;

const html = '<html><body>Access denied</body></html>';

export function drawWay(random: Random, rates: FaultRates): Way {
  const slow = random.chance(rates.slow);
  const way = { toMs: 10 + random.below(slow ? 30_000 : 300), fromMs: 10 + random.below(slow ? 35_000 : 300) };
  if (!random.chance(rates.provider)) return way;
  const after = random.chance(0.5);
  return random.pick<() => Way>([
    () => ({ ...way, lost: 'request' }),
    () => ({ ...way, lost: 'reply' }),
    () => ({ ...way, instead: { status: 503, body: html, after } }),
    () => ({
      ...way,
      instead: { status: 500, body: '{"fault":{"faultstring":"Failed to execute the ExtractVariables"}}', after },
    }),
    () => ({ ...way, instead: { status: 502, body: '', after: true } }),
    () => ({ ...way, instead: { status: 429, body: '', after: false } }),
    () => ({ ...way, instead: { status: 429, body: '', headers: { 'retry-after': '90' }, after: false } }),
    () => ({ ...way, instead: { status: 200, body: '{"error":"server_error"}', after: false } }),
    () => ({ ...way, instead: { status: 403, body: html, headers: { 'content-type': 'text/html' }, after: false } }),
    () => ({
      ...way,
      instead: {
        status: 503,
        body: (newest) => JSON.stringify({ error: 'temporarily_unavailable', refresh_token: newest }),
        after: true,
      },
    }),
  ])();
}
