/** When a connection is looked at next. */

import { pathsNoted } from './announcements.ts';
import type { Connection } from './connection.ts';
import { limits } from './limits.ts';
import { type EpochMs, latest, plus } from './time.ts';
import { dueFrom } from './timing.ts';
import { asSeen, type Clause, exists, sameGeneration, sameSettings, type Write } from './writes.ts';

/** No message is promised for an instant between the end of the skew and `soonEnough`. */
const noPromiseInTime = (now: EpochMs, soonEnough: EpochMs): Clause => ({
  any: [
    { absent: 'wakeAt' },
    { path: 'wakeAt', atMost: plus(now, limits.skewMs) },
    { path: 'wakeAt', above: soonEnough },
  ],
});

/**
 * Promises a message at `wakeAt`, unless one is promised that comes about as soon (`soonEnough`):
 *
 *   now          now + skewMs          wakeAt     soonEnough
 *    │ does not count │  counts: send none │  counts  │  too late: send one, and promise that
 *    └────────────────┴────────────────────┴──────────┴─────────────────────────► the promise that there is
 *
 * A promise that is due within `skewMs` does not count: its message may have woken this very refresher, whose clock may
 * run behind.
 */
export const promiseWake = (wakeAt: EpochMs, soonEnough: EpochMs, now: EpochMs): Write => ({
  name: 'promise_wake',
  when: [exists, noPromiseInTime(now, soonEnough)],
  set: { wakeAt },
  remove: [],
});

const pausedAsSeen = ({ paused }: Connection): Clause =>
  paused === undefined ? { absent: 'paused' } : { present: 'paused' };

/**
 * Lets a connection rest, if no client has asked, nothing was committed, put, paused or resumed, and no write has had
 * the planner look at it since it was seen: what is noted then is told by that look, should its message be lost.
 */
export const rest = (item: Connection, dueAt: EpochMs | undefined): Write => ({
  name: 'rest',
  when: [
    exists,
    sameGeneration(item),
    sameSettings(item),
    asSeen('lastUsed', item.lastUsed),
    pausedAsSeen(item),
    // The instant alone does not do: what came between may have put it back where it was.
    asSeen('dueAt', item.dueAt),
  ],
  set: dueAt === undefined ? {} : { dueAt },
  remove: dueAt === undefined ? ['dueAt'] : [],
});

/** Puts a resting connection back into the due index, if no commit did so meanwhile. */
export function arm(item: Connection, now: EpochMs): Write {
  const dueAt = latest(now, dueFrom(item, now), item.notBefore ?? now);
  return {
    name: 'arm',
    when: [sameGeneration(item), { any: [{ absent: 'dueAt' }, { path: 'dueAt', above: dueAt }] }],
    set: { dueAt },
    remove: [],
  };
}

const asPausedOrNot = (item: Connection): readonly Clause[] => [
  exists,
  { absent: 'deletion' },
  asSeen('changed.at', item.changed?.at),
  pausedAsSeen(item),
];

/** No renewal begins from now on. One that is under way ends, and its token set is committed. */
export const pause = (item: Connection, by: string | undefined, now: EpochMs): Write => ({
  name: 'pause',
  when: asPausedOrNot(item),
  set: { paused: { at: now, ...(by !== undefined && { by }) }, ...pathsNoted(item, ['paused'], now) },
  remove: [],
});

/**
 * A refresher looks at once, and decides on what it finds. What it backed off from before the pause may be over, also a
 * refusal that was the same so often that it was hardly asked for any more. A wait that is the provider's word is not:
 * it said when to come back, or that the token is too young.
 */
export const resume = (item: Connection, now: EpochMs): Write => ({
  name: 'resume',
  when: asPausedOrNot(item),
  set: pathsNoted(item, ['paused'], now),
  remove: [
    'paused',
    ...(item.failure?.class === 'too_early' || item.failure?.told ? [] : (['notBefore'] as const)),
    // A connection that is not active keeps the words that say why.
    ...(item.failure?.alike === undefined || item.failure.class !== 'transient' ? [] : (['failure'] as const)),
  ],
});
