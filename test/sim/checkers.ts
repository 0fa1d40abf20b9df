/**
 * What must hold, each invariant watched by an object of its own (docs/invariants.md). A checker is told what happens as it
 * happens, from the outside: it knows the provider's truth and the table's, and nothing of what any process believes.
 */
import type { TokenAnswer } from '../../shared/application/get-token.ts';
import { limits } from '../../shared/domain/limits.ts';
import type { Connection } from '../../shared/domain/types.ts';
import { boundedPauseMs, type FaultRates } from './faults.ts';
import { type Call, trueExpiryOf } from './provider.ts';
import type { World } from './world.ts';

export interface Watched {
  readonly world: World;
  readonly rates: FaultRates;
  readonly violate: (invariant: string, what: string) => void;
}

export interface Checker {
  readonly onWrite?: (name: string, item: Connection) => void;
  readonly onCall?: (call: Call) => void;
  readonly onAnswer?: (answer: TokenAnswer, minTtlMs: number) => void;
  /** After the faults have stopped and everything had time to converge. */
  readonly onEnd?: (item: Connection, answer: TokenAnswer) => void;
}

/** Pauses and clocks stay inside the bounds that S1 and S2 are promised for, and every holder can reach the table. */
const bounded = ({ pause, pauseMostMs, table, outages }: FaultRates): boolean => (pause === 0 || pauseMostMs <= boundedPauseMs) && table === 0 && outages === 0;

const oneCallInFlight = ({ world, rates, violate }: Watched): Checker => ({
  onCall(call) {
    if (!bounded(rates)) return;
    const { provider } = world;
    // Of the same grant: a person who authorizes again does not wait for the old one.
    const family = provider.newest(call.refreshToken);
    const other = provider.ledger.find((earlier) => earlier !== call && earlier.endedAt === undefined && provider.newest(earlier.refreshToken) === family);
    if (other !== undefined) violate('S1', `environments ${other.environment} and ${call.environment} both have a request in flight`);
  },
});

const consumedTokensStayUnsent = ({ world, rates, violate }: Watched): Checker => ({
  onCall(call) {
    if (!bounded(rates) || rates.pause > 0) return;
    const current = world.refreshTokenAt(world.current?.refreshToken);
    if (current !== call.refreshToken) violate('S2', `${call.refreshToken} was sent, but the table has ${current}`);
  },
});

const numbersGrow = ({ violate }: Watched): Checker => {
  let last = { generation: -1, committedFence: -1, fence: -1 };
  return {
    onWrite(name, { generation, committedFence, fence }) {
      if (generation < last.generation) violate('S3', `${name} took the generation from ${last.generation} to ${generation}`);
      if (committedFence < last.committedFence) violate('S3', `${name} took the committed fence from ${last.committedFence} to ${committedFence}`);
      if (fence < last.fence) violate('S3', `${name} took the fence from ${last.fence} to ${fence}`);
      last = { generation, committedFence, fence };
    },
  };
};

const servedTokensLive = ({ world, violate }: Watched): Checker => ({
  onAnswer(answer, minTtlMs) {
    if (answer.kind !== 'token') return;
    const lifeMs = trueExpiryOf(answer.accessToken.reveal()) - answer.now;
    if (lifeMs < minTtlMs - 2 * limits.skewMs) violate('S4', `a token with ${lifeMs} ms left was served to a caller who asked for ${minTtlMs}`);
    // What the world's own clock says, when the answer is given.
    if (trueExpiryOf(answer.accessToken.reveal()) <= world.time.now() && world.time.now() - answer.now < limits.minTtlMs.least)
      violate('S4', 'an expired token was served');
  },
});

/**
 * A verdict is right only if the newest refresh token that the provider issued is nowhere to be found, and only ever ours to
 * answer for: this provider never kills a grant of its own accord.
 */
const verdictsAreTrue = ({ world, violate }: Watched): Checker => {
  let state: Connection['state'] = 'active';
  return {
    onWrite(name, item) {
      const died = item.state === 'reauthorization_required' && state !== 'reauthorization_required';
      ({ state } = item);
      if (!died) return;
      if (item.cause !== 'refresh_in_doubt') violate('S6', `${name}: a loss of ours is labelled ${item.cause}`);
      const held = world.refreshTokenAt(item.refreshToken);
      if (held !== undefined && world.provider.alive(held))
        violate('S5', `${name}: the grant is called dead, but the provider takes the token that the table has`);
      const newest = world.provider.newest(held ?? '');
      if (newest !== undefined && world.provider.alive(newest) && world.kept(newest))
        violate('S3', `${name}: the newest refresh token ${newest} is kept, but the grant was given up`);
    },
  };
};

const deadGrantsCostNothing = ({ world, rates, violate }: Watched): Checker => {
  let callsInHour: number[] = [];
  return {
    onCall() {
      const now = world.time.now();
      callsInHour = [...callsInHour.filter((at) => at > now - 3_600_000), now];
      const lives = Math.ceil(3_600_000 / world.options.nature.lifetimeMs) + 1;
      // Failures at most double the wait each time, from 5 s to 15 min: about 12 in an hour, again after each success.
      if (callsInHour.length > lives * 14) violate('S8', `${callsInHour.length} calls in an hour`);
      if (bounded(rates) && rates.pause === 0 && world.current?.state !== 'active')
        violate('S8', `a request was sent though the connection is ${world.current?.state}`);
    },
  };
};

const everythingConverges = ({ world, violate }: Watched): Checker => ({
  onEnd(item, answer) {
    if (item.state === 'active' && answer.kind !== 'token') violate('L1', `the connection is active, but a client gets "${answer.kind}"`);
    if (item.state === 'misconfigured') violate('L1', 'nobody changed the settings, and yet the connection is misconfigured');
    if (item.state === 'active' && Object.keys(item.attempts).length > 0) violate('L1', 'an attempt is still open');
    const held = world.refreshTokenAt(item.refreshToken);
    if (item.state === 'active' && (held === undefined || !world.provider.alive(held)))
      violate('S3', 'the connection is active, but its refresh token is dead');
  },
});

/** With nothing but killed refreshers, and a provider that lets a token be sent again, no client ever goes without. */
const takenOverInTime = ({ world, rates, violate }: Watched): Checker => {
  const onlyCrashes = Object.entries(rates).every(
    ([name, rate]) => rate === 0 || name === 'crash' || name === 'pauseMostMs' || name === 'skewMs' || name === 'planner',
  );
  const leavesRoom = world.options.profile.ambiguousRetry === 'at_once' && world.options.profile.minTokenAgeMs === 0;
  let served = false;
  return {
    onAnswer(answer) {
      if (answer.kind === 'token') served = true;
      if (served && onlyCrashes && rates.crash <= 0.004 && leavesRoom && answer.kind === 'unavailable') violate('L2', 'a client went without a token');
    },
  };
};

export const checkers = [
  oneCallInFlight,
  consumedTokensStayUnsent,
  numbersGrow,
  servedTokensLive,
  verdictsAreTrue,
  deadGrantsCostNothing,
  everythingConverges,
  takenOverInTime,
] as const;
