import { limits } from './limits.ts';
import { rejectionDueAtOf } from './timing.ts';
import { type Connection, type EpochMs, latest, plus } from './types.ts';
import { asSeen, exists, sameGeneration, stillActive, type Write } from './writes.ts';

/**
 * Promises a message at `wakeAt`, unless one is promised that comes about as soon (`soonEnough`). A promise that is due by somebody's clock is
 * none: whoever asks may be the one whom its message has woken, with a clock that is behind the promiser's.
 */
export const promiseWake = (wakeAt: EpochMs, soonEnough: EpochMs, now: EpochMs): Write => ({
  name: 'promise_wake',
  when: [exists, { any: [{ absent: 'wakeAt' }, { path: 'wakeAt', atMost: plus(now, limits.skewMs) }, { path: 'wakeAt', above: soonEnough }] }],
  set: { wakeAt },
  remove: [],
  // Another waiter may have hit the same millisecond: then two messages are sent, which harms less than none.
  mine: [{ path: 'wakeAt', equals: wakeAt }],
});

/** Lets an idle connection rest, if nobody has asked and nothing was committed since it was seen. */
export const rest = (item: Connection, dueAt: EpochMs | undefined): Write => ({
  name: 'rest',
  when: [exists, sameGeneration(item), asSeen('lastUsed', item.lastUsed)],
  set: dueAt === undefined ? {} : { dueAt },
  remove: dueAt === undefined ? ['dueAt'] : [],
});

/** A client asked. Unconditional, but it must not bring back a deleted connection. */
export const touch = (now: EpochMs): Write => ({ name: 'touch', when: [exists], set: { lastUsed: now }, remove: [] });

/** Puts a resting connection back into the due index, if no commit did so meanwhile. */
export function arm(item: Connection, now: EpochMs): Write {
  const dueAt = latest(now, item.refreshAt ?? now, item.notBefore ?? now);
  return {
    name: 'arm',
    when: [sameGeneration(item), { any: [{ absent: 'dueAt' }, { path: 'dueAt', above: dueAt }] }],
    set: { dueAt },
    remove: [],
  };
}

/** "The provider refused this token": noted once for a generation, however many clients report it. */
export function reject(item: Connection, now: EpochMs): Write {
  const rejected: Connection = { ...item, rejectedGeneration: item.generation, rejections: (item.rejections ?? 0) + 1 };
  return {
    name: 'reject',
    when: [sameGeneration(item), stillActive, { any: [{ absent: 'rejectedGeneration' }, { path: 'rejectedGeneration', below: item.generation }] }],
    set: {
      rejectedGeneration: item.generation,
      rejections: (item.rejections ?? 0) + 1,
      lastUsed: now,
      dueAt: latest(rejectionDueAtOf(rejected) ?? now, item.notBefore ?? now),
    },
    remove: [],
  };
}

/** The mark "a refresh has been asked for", which many callers try to set and one succeeds; with `hasten`, it is due from now on. */
export const ask = (item: Connection, now: EpochMs, hasten = false): Write => ({
  name: 'ask',
  when: [sameGeneration(item), ...(hasten ? [stillActive] : []), { any: [{ absent: 'askedAt' }, { path: 'askedAt', atMost: plus(now, -limits.askedMs) }] }],
  set: { askedAt: now, ...(hasten ? { refreshAt: now, dueAt: now } : {}) },
  remove: [],
});
