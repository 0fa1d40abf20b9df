/**
 * The canary: an authorization server of the deployment's own. One connection renews from it for good while a schedule
 * disturbs it, and it counts what it saw, so that an operator finds the broker's promise kept, or broken, in the
 * operator's own account.
 *
 * It is strict: refresh tokens rotate, and one that comes after its successor was used ends the grant (RFC 9700
 * §4.14.2). Until then a used one is still good, as `until_successor_used` says of a provider. That is what lets a
 * reply be lost here: where a used refresh token is dead at once, a lost reply ends the grant, whatever the client
 * does. Pure.
 */
import { createHash } from 'node:crypto';
import { limits } from '../domain/limits.ts';
import type { EpochMs } from '../domain/time.ts';

/** What a call of the canary's client was. Each call is counted once; calls of strangers are not counted. */
const verdicts = [
  /** A renewal in the second half of a token's life, or the one that makes up for a reply that was lost on purpose. */
  'on_time',
  /** A renewal in the first half of a token's life. */
  'early',
  /** A used refresh token came again, though its reply had been sent. Its successor was not used yet, so it is good. */
  'repeated',
  /** A refresh token that was replaced unused, or never issued; or no refresh at all. */
  'refused',
  /** A used refresh token came again after its successor was used: this ends the grant. */
  'reused',
  /** A call after the end of the grant. */
  'ended',
  /** Answered 503, and nothing was done. */
  'down',
  /** The refresh token was rotated, and the reply lost. */
  'lost',
] as const;
type Verdict = (typeof verdicts)[number];

/** What the schedule has the next calls meet, in turn. */
const faults = [
  { kind: 'lost', calls: 1 },
  // One fewer than those after which a connection counts as failing, and an operator is woken.
  { kind: 'down', calls: limits.failingAfterFailures - 1 },
  { kind: 'slow', calls: 1 },
] as const;
type FaultKind = (typeof faults)[number]['kind'];

/** All that it knows. Of secrets and tokens it has the digests alone. */
export interface Canary {
  /** +1 for each change: a write that has seen another version is refused. */
  readonly version: number;
  readonly clientId: string;
  readonly secretDigest: string;
  readonly since: EpochMs;
  /** How long an access token lives. */
  readonly lifetimeMs: number;
  /** How many refresh tokens of this grant were used. A refresh token begins with it. */
  readonly step: number;
  /** The newest refresh token. */
  readonly current: string;
  /** The one that brought it. */
  readonly predecessor?: string;
  /** The reply that brought the newest refresh token was lost on purpose. */
  readonly replyLost?: true;
  /** Absent until the first renewal. */
  readonly renewedAt?: EpochMs;
  readonly endedAt?: EpochMs;
  readonly counts: Readonly<Record<Verdict, number>>;
  /** How many faults the schedule has chosen. */
  readonly drawn: number;
  /** The fault that the next calls meet. */
  readonly fault?: { readonly kind: FaultKind; readonly calls: number };
  /** The fault that calls have met; it counts as survived with the next renewal. */
  readonly met?: FaultKind;
  readonly survived: Readonly<Record<FaultKind, number>>;
}

/** What an operator is told. Times are milliseconds since 1970. */
export type CanaryReport = Pick<
  Canary,
  'since' | 'lifetimeMs' | 'renewedAt' | 'endedAt' | 'counts' | 'survived' | 'fault' | 'met'
>;

const digestOf = (secret: string): string => createHash('sha256').update(secret).digest('base64url');
const none = <Name extends string>(names: readonly Name[]) =>
  Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
const refreshTokenOf = (step: number, random: string): string => `${step}.${random}`;

/** Texts that were never used before, and that cannot be guessed. */
export interface Fresh {
  readonly client: string;
  readonly secret: string;
  readonly refresh: string;
  readonly access: string;
}

/** Returns a new grant in the place of the one before, with what its client needs. */
export function beginGrant(
  before: Canary | undefined,
  { now, lifetimeMs, fresh }: { readonly now: EpochMs; readonly lifetimeMs: number; readonly fresh: Fresh },
): { readonly state: Canary; readonly refreshToken: string } {
  const refreshToken = refreshTokenOf(0, fresh.refresh);
  return {
    state: {
      version: (before?.version ?? 0) + 1,
      clientId: fresh.client,
      secretDigest: digestOf(fresh.secret),
      since: now,
      lifetimeMs,
      step: 0,
      current: digestOf(refreshToken),
      counts: none(verdicts),
      drawn: 0,
      survived: none(faults.map(({ kind }) => kind)),
    },
    refreshToken,
  };
}

/** Returns the state in which the next calls meet the next fault; undefined while there is one already. */
export function disturb(state: Canary): Canary | undefined {
  if (state.fault !== undefined || state.met !== undefined || state.endedAt !== undefined) return undefined;
  const fault = faults[state.drawn % faults.length];
  return fault && { ...state, version: state.version + 1, drawn: state.drawn + 1, fault };
}

/** The parameters of a token request (RFC 6749 §6), with `client_secret_post`. Empty where one is missing. */
export interface CanaryRequest {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly grantType: string;
  readonly refreshToken: string;
}

export interface CanaryAnswer {
  /** Absent if nothing changes. */
  readonly state?: Canary;
  readonly status: number;
  readonly body: Readonly<Record<string, string | number>>;
  /** The reply is to be sent late. */
  readonly late?: true;
}

/** Returns the answer to a token request, and the state that has to be stored before it is sent. */
export function answerTo(
  state: Canary | undefined,
  request: CanaryRequest,
  { now, fresh }: { readonly now: EpochMs; readonly fresh: Fresh },
): CanaryAnswer {
  if (state === undefined || !isClient(state, request)) return { status: 401, body: { error: 'invalid_client' } };
  const { kind } = state.fault ?? {};
  if (kind === 'down') return { state: counted(spent(state), 'down'), status: 503, body: {} };
  const verdict = verdictOn(state, request, now);
  switch (verdict) {
    case 'on_time': {
      const next = rotated(state, request, now, fresh);
      if (kind === 'lost')
        return { state: counted(spent({ ...next.state, replyLost: true }), 'lost'), status: 502, body: {} };
      const renewed = survivedIn(next.state);
      if (kind === 'slow') return { ...next, state: counted(spent(renewed), verdict), late: true };
      return { ...next, state: counted(renewed, verdict) };
    }
    case 'early':
    case 'repeated': {
      const next = rotated(state, request, now, fresh);
      return { ...next, state: counted(next.state, verdict) };
    }
    case 'reused':
      return { ...invalidGrant, state: counted({ ...state, endedAt: now }, verdict) };
    case 'refused':
    case 'ended':
      return { ...invalidGrant, state: counted(state, verdict) };
  }
}

const invalidGrant = { status: 400, body: { error: 'invalid_grant' } } as const;

const isClient = (state: Canary, { clientId, clientSecret }: CanaryRequest): boolean =>
  clientId === state.clientId && digestOf(clientSecret) === state.secretDigest;

function verdictOn(
  state: Canary,
  { grantType, refreshToken }: CanaryRequest,
  now: EpochMs,
): Exclude<Verdict, 'down' | 'lost'> {
  if (state.endedAt !== undefined) return 'ended';
  if (grantType !== 'refresh_token') return 'refused';
  switch (digestOf(refreshToken)) {
    case state.current:
      return state.renewedAt !== undefined && now - state.renewedAt < state.lifetimeMs / 2 ? 'early' : 'on_time';
    case state.predecessor:
      return state.replyLost ? 'on_time' : 'repeated';
    default:
      // That of the step before may be one that was replaced unused. Older ones can only have been used.
      return Number.parseInt(refreshToken, 10) < state.step - 1 ? 'reused' : 'refused';
  }
}

/** A new refresh token takes the place of the one that was sent, or of the one that it had brought before. */
function rotated(
  { replyLost: _, ...state }: Canary,
  { refreshToken }: CanaryRequest,
  now: EpochMs,
  fresh: Fresh,
): CanaryAnswer & { readonly state: Canary } {
  const sent = digestOf(refreshToken);
  const step = sent === state.current ? state.step + 1 : state.step;
  const next = refreshTokenOf(step, fresh.refresh);
  return {
    state: { ...state, step, current: digestOf(next), predecessor: sent, renewedAt: now },
    status: 200,
    body: {
      access_token: fresh.access,
      token_type: 'Bearer',
      expires_in: state.lifetimeMs / 1_000,
      refresh_token: next,
    },
  };
}

const counted = (state: Canary, verdict: Verdict): Canary => ({
  ...state,
  version: state.version + 1,
  counts: { ...state.counts, [verdict]: state.counts[verdict] + 1 },
});

/** One call has met the fault. */
function spent({ fault, ...state }: Canary): Canary {
  if (fault === undefined) return state;
  const calls = fault.calls - 1;
  return calls > 0 ? { ...state, fault: { ...fault, calls } } : { ...state, met: fault.kind };
}

/** A renewal shows that what calls have met did no harm. */
function survivedIn({ met, ...state }: Canary): Canary {
  if (met === undefined) return state;
  return { ...state, survived: { ...state.survived, [met]: state.survived[met] + 1 } };
}

export function reportOf(state: Canary): CanaryReport {
  const { since, lifetimeMs, renewedAt, endedAt, counts, survived, fault, met } = state;
  return {
    since,
    lifetimeMs,
    counts,
    survived,
    ...(renewedAt !== undefined && { renewedAt }),
    ...(endedAt !== undefined && { endedAt }),
    ...(fault && { fault }),
    ...(met && { met }),
  };
}
