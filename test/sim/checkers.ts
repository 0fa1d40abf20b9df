/**
 * What must hold, each invariant watched by an object of its own (docs/invariants.md). A checker is told what happens as it
 * happens, from the outside: it knows the provider's truth and the table's, and nothing of what any process believes.
 */
import type { TokenAnswer } from '../../shared/application/get-token.ts';
import { limits } from '../../shared/domain/limits.ts';
import type { Connection } from '../../shared/domain/types.ts';
import type { Environment } from './environment.ts';
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
  /** A function ran into its time limit, and no pause was to blame. */
  readonly onHardStop?: (environment: Environment) => void;
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

/**
 * Where a replay can hurt, nobody sends a token whose successor can be found: whoever holds that successor has ended, and
 * a second is enough to look. Holds under every fault.
 */
const successorsAreLookedFor = ({ world, violate }: Watched): Checker => ({
  onCall({ refreshToken }) {
    if (world.options.profile.ambiguousRetry === 'at_once') return;
    const newest = world.provider.newest(refreshToken);
    if (newest === undefined || newest === refreshToken) return;
    if (world.refreshTokenAt(world.current?.refreshToken) === newest) violate('S2', `${refreshToken} was sent, but the table has its successor ${newest}`);
    else if (world.readableFor(newest, 1_000)) violate('S2', `${refreshToken} was sent again, but its successor ${newest} is kept`);
  },
});

const numbersGrow = ({ violate }: Watched): Checker => {
  let last: Connection | undefined;
  return {
    onWrite(name, item) {
      checkNumbers(violate, name, last ?? item, item);
      last = item;
    },
  };
};

function checkNumbers(violate: Watched['violate'], name: string, before: Connection, after: Connection): void {
  for (const number of ['generation', 'committedFence', 'fence'] as const) {
    if (after[number] < before[number]) violate('S3', `${name} took ${number} from ${before[number]} to ${after[number]}`);
  }
  if (after.accessToken !== undefined && after.accessToken !== before.accessToken && after.generation !== before.generation + 1)
    violate('S3', `${name} brought another token set, but took the generation from ${before.generation} to ${after.generation}`);
  const attempt = after.failure === before.failure ? undefined : before.attempts[after.failure?.fence ?? ''];
  if (attempt !== undefined && attempt.generation !== after.generation)
    violate('S3', `${name} notes a failure with generation ${attempt.generation} over generation ${after.generation}`);
}

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

/** Whoever could read the table gets the token that is in it, whatever the last renewal came to. */
const validTokensAreServed = ({ violate }: Watched): Checker => ({
  onAnswer(answer, minTtlMs) {
    if (answer.kind !== 'unavailable' && answer.kind !== 'refused') return;
    const { item } = answer;
    const now = answer.kind === 'unavailable' ? answer.now : undefined;
    if (item?.expiresAt !== undefined && now !== undefined && item.expiresAt - now >= minTtlMs)
      violate('S4', `a valid token with ${item.expiresAt - now} ms left was refused`);
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

/**
 * A grant may be lost only where nobody could have kept it: the reply never came, or later than we promise to wait, or its
 * holder was killed, or reached no store until its time was over.
 */
const lossesHaveAnExcuse = ({ world, violate }: Watched): Checker => {
  let state: Connection['state'] = 'active';
  return {
    onWrite(name, item) {
      const died = item.state === 'reauthorization_required' && state !== 'reauthorization_required';
      ({ state } = item);
      const newest = died ? world.provider.newest(world.refreshTokenAt(item.refreshToken) ?? '') : undefined;
      if (newest === undefined || world.kept(newest)) return;
      const call = world.provider.ledger.find(({ issued }) => issued === newest);
      if (call?.tellsAt === undefined || call.tellsAt - call.sentAt > world.options.profile.callTimeoutMs) return;
      const holder = world.environments[call.environment];
      if (holder === undefined || holder.dead || holder.ended === 'commit_abandoned') return;
      violate('S5', `${name}: the grant is given up, but environment ${holder.id} ${holder.ended === undefined ? 'has' : 'had'} ${newest}`);
    },
  };
};

/** An answer can always be kept: only a pause brings a function to its time limit. */
const nobodyRunsOutOfTime = ({ violate }: Watched): Checker => ({
  onHardStop: ({ id }) => violate('S3', `environment ${id} ran into its time limit, with whatever it had in memory`),
});

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
  successorsAreLookedFor,
  numbersGrow,
  servedTokensLive,
  validTokensAreServed,
  verdictsAreTrue,
  lossesHaveAnExcuse,
  nobodyRunsOutOfTime,
  deadGrantsCostNothing,
  everythingConverges,
  takenOverInTime,
] as const;
