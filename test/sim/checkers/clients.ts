/** What must hold of what clients are told (S4, L1, L2). */

import { inDoubt, mayHaveBeenSent, openAttempts } from '../../../shared/domain/attempts.ts';
import type { Connection } from '../../../shared/domain/connection.ts';
import { limits } from '../../../shared/domain/limits.ts';
import type { EpochMs } from '../../../shared/domain/time.ts';
import { trueExpiryOf } from '../provider.ts';
import { type Checker, endedElsewhere, type Watched } from './checker.ts';

export const servedTokensLive = ({ world, violate }: Watched): Checker => {
  /** By access token: when the request began that the table first had it from. */
  const committed = new Map<string, number>();
  // Where the same token comes again and the reply that first brought it was lost, its end is not known.
  const endIsUnknown = (token: string): boolean => {
    const first = world.provider.ledger.find(({ brought }) => brought === token);
    return (
      world.options.nature.sameToken === true &&
      first !== undefined &&
      (committed.get(token) ?? 0) - first.sentAt > 2 * limits.skewMs
    );
  };
  const watching: Checker = {
    onWrite(_, { tokens }) {
      const [token] = /access-\d+@[\d.]+/.exec(tokens?.sealed ?? '') ?? [];
      if (token !== undefined && tokens !== undefined && !committed.has(token))
        committed.set(token, tokens.requestedAt);
    },
    onAnswer(answer, minTtlMs) {
      if (answer.kind !== 'token' || endIsUnknown(answer.accessToken.reveal())) return;
      const lifeMs = trueExpiryOf(answer.accessToken.reveal()) - answer.now;
      if (lifeMs < minTtlMs - 2 * limits.skewMs)
        violate('S4', `a token with ${lifeMs} ms left was served to a caller who asked for ${minTtlMs}`);
      // What the world's own clock says, when the answer is given.
      if (
        trueExpiryOf(answer.accessToken.reveal()) <= world.time.now() &&
        world.time.now() - answer.now < limits.minTtlMs.least
      )
        violate('S4', 'an expired token was served');
    },
  };
  return watching;
};

/** A client whose request could read the table gets the token that is in it, whatever the last renewal came to. */
export const validTokensAreServed = ({ world, violate }: Watched): Checker => ({
  onAnswer(answer, minTtlMs) {
    if (answer.kind !== 'unavailable' && answer.kind !== 'refused') return;
    const { item } = answer;
    const now = answer.kind === 'unavailable' ? answer.now : undefined;
    // What the table has counts, should the client have been answered from less.
    const { current } = world;
    const asStored = current?.generation === item?.generation && current?.grant.id === item?.grant.id;
    const expiresAt = (asStored ? current : item)?.tokens?.expiresAt;
    if (expiresAt !== undefined && now !== undefined && expiresAt - now >= minTtlMs)
      violate('S4', `a valid token with ${expiresAt - now} ms left was refused`);
  },
});

/**
 * Where a renewal ends the access token of before, a client that asks from then on gets the next one; the old one only
 * while its successor is not committed, and with a warning.
 */
export const endedTokensAreWarnedOf = ({ world, rates, violate }: Watched): Checker => {
  const committedAt = new Map<number, number>();
  return {
    onWrite(_, { generation }) {
      if (!committedAt.has(generation)) committedAt.set(generation, world.time.now());
    },
    onRemove() {
      committedAt.clear();
    },
    onAnswer(answer, _minTtlMs, askedAt) {
      // What a frozen environment read before is old when it thaws.
      if (answer.kind !== 'token' || world.options.profile.renewalEndsPrevious !== true || rates.pause > 0) return;
      const { generation } = answer.item;
      const ended = world.provider.endedAccess.get(answer.accessToken.reveal()) ?? Number.POSITIVE_INFINITY;
      if (ended <= askedAt && answer.warning === undefined)
        violate('S4', `generation ${generation} was served, which a renewal had ended ${askedAt - ended} ms before`);
      const newer = committedAt.get(generation + 1) ?? Number.POSITIVE_INFINITY;
      if (newer <= askedAt)
        violate('S4', `generation ${generation} was served ${askedAt - newer} ms after the next was committed`);
    },
  };
};

/** Such a renewal is not made before it is due: it takes the token away from clients that still use it. */
export const renewalsThatEndAreLate = ({ world, rates, violate }: Watched): Checker => ({
  onCall({ refreshToken: sent }) {
    const { current } = world;
    if (world.options.profile.renewalEndsPrevious !== true || current?.tokens === undefined || rates.pause > 0) return;
    // What was under way when a login replaced the grant ends nothing of the new one.
    if (!world.provider.sameGrant(sent, world.refreshTokenAt(current.refreshToken) ?? '')) return;
    const { rejected, generation, tokens, failure } = current;
    const asked = rejected?.generation === generation || inDoubt(current).length > 1 || failure !== undefined;
    const early = tokens.expiresAt - world.options.profile.marginMs - 2 * limits.skewMs - world.time.now();
    if (!asked && early > 0) violate('S8', `a renewal ended a token ${early} ms before it was due`);
  },
});

/** A renewal that is due has begun, and has looked for earlier attempts, by then. */
const settlesWithinMs = 100_000;

export const everythingConverges = ({ world, violate }: Watched): Checker => ({
  onEnd(item, answer) {
    if (item === undefined) {
      // Whether it was right to remove it is told in deletions.ts.
      if (answer.kind !== 'not_found') violate('L1', `the connection is gone, but a client gets "${answer.kind}"`);
      return;
    }
    if (item.deletion !== undefined) violate('L1', 'the connection was deleted, and is still there');
    // Where the same token comes again until its end, there is no other to have in its last seconds.
    const lastOfItsKind =
      world.options.nature.sameToken && Math.abs((item.tokens?.expiresAt ?? 0) - world.time.now()) < 30_000;
    const rests = item.paused !== undefined;
    // What a paused connection's token has left is served.
    if (item.state === 'active' && answer.kind !== 'token' && !(rests ? answer.kind === 'paused' : lastOfItsKind))
      violate('L1', `the connection is active, but a client gets "${answer.kind}"`);
    if (item.state === 'misconfigured')
      violate('L1', 'nobody changed the settings, and yet the connection is misconfigured');
    // Where an older holder's late success has overtaken the refresh token, the connection waits for the next renewal,
    // which looks for what that holder stored.
    const renewedSince = (item.refreshAt ?? 0) + settlesWithinMs < world.time.now();
    const open = renewedSince ? mayHaveBeenSent(item) : inDoubt(item);
    // What was in doubt before a pause is settled after it.
    if (item.state === 'active' && !rests && open.length > 0) violate('L1', 'an attempt is still open');
    if (rests && item.dueAt !== undefined && item.dueAt <= world.time.now() - 2 * limits.planIntervalMs)
      violate('L1', 'the planner goes on looking at a paused connection');
    const held = world.refreshTokenAt(item.refreshToken);
    // A person may have ended the grant by another login whose code brought the broker nothing: the broker cannot know
    // before the next renewal. Nor can it settle before what a pause has left in doubt, or find what a late success of
    // an older holder has overtaken.
    const unsettled = rests && openAttempts(item).length > 0;
    if (
      item.state === 'active' &&
      !unsettled &&
      (held === undefined || (!world.provider.alive(held) && !endedElsewhere(world, held)))
    )
      violate('S3', 'the connection is active, but its refresh token is dead');
  },
});

/**
 * With no faults but killed refreshers, and a provider that lets a token be sent again, no client ever goes without;
 * unless no refresher has begun the renewal, because the planner missed every minute in which it would have seen it
 * come.
 */
export const takenOverInTime = ({ world, rates, violate }: Watched): Checker => {
  const onlyCrashes = Object.entries(rates).every(
    ([name, rate]) =>
      rate === 0 || name === 'crash' || name === 'pauseMostMs' || name === 'skewMs' || name === 'planner',
  );
  // Where the same token comes again, no renewal before its end brings more life; and an accident is an outage.
  const leavesRoom =
    !world.options.nature.sameToken &&
    world.options.accident === undefined &&
    world.options.profile.ambiguousRetry === 'at_once' &&
    world.options.profile.minTokenAgeMs === 0 &&
    world.options.profile.renewal === 'always';
  let served = false;
  return {
    onWrite(_, { tokens }) {
      // A new grant has to be renewed for the first time before a client can be served.
      if (tokens === undefined) served = false;
    },
    onAnswer(answer) {
      if (answer.kind === 'token') served = true;
      const { generation, refreshAt = 0 as EpochMs, tokens, attempts = {} }: Partial<Connection> = world.current ?? {};
      const foreseen = world.plannedAt.some((at) => at >= refreshAt - limits.planHorizonMs && at <= refreshAt);
      // The margin leaves room for a renewal. If a client's request began it later than this, the client may have to
      // wait for it.
      const lastCallAt = (tokens?.expiresAt ?? 0) - limits.leaseMs - limits.oneRefreshMs;
      const begun = Object.values(attempts).some(
        (attempt) => attempt.generation === generation && attempt.startedAt <= lastCallAt,
      );
      // A pause has kept the planner from looking, and refreshers from taking over.
      const rested = world.pause.until > refreshAt - limits.planHorizonMs;
      const known = !rested && (foreseen || begun);
      const ended = endedElsewhere(world, world.refreshTokenAt(world.current?.refreshToken));
      if (
        served &&
        known &&
        !ended &&
        onlyCrashes &&
        rates.crash <= 0.004 &&
        leavesRoom &&
        answer.kind === 'unavailable'
      )
        violate('L2', 'a client went without a token');
    },
  };
};
