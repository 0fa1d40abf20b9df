/** What clients leave behind: that they asked, want a renewal, or saw a token refused. */

import type { Connection, Rejected } from './connection.ts';
import { limits } from './limits.ts';
import { type EpochMs, latest, plus } from './time.ts';
import { rejectionDueAtOf } from './timing.ts';
import { askedSinceOf } from './waiting.ts';
import { exists, sameGeneration, stillActive, type Write } from './writes.ts';

/** A client asked. Unconditional, but it must not bring back a deleted connection. */
export const touch = (now: EpochMs): Write => ({ name: 'touch', when: [exists], set: { lastUsed: now }, remove: [] });

/** "The provider refused this token": noted once for a generation, however many clients report it. */
export function reject(item: Connection, now: EpochMs): Write {
  const rejected: Rejected = { generation: item.generation, times: (item.rejected?.times ?? 0) + 1 };
  return {
    name: 'reject',
    when: [
      sameGeneration(item),
      stillActive,
      { any: [{ absent: 'rejected' }, { path: 'rejected.generation', below: item.generation }] },
    ],
    set: {
      rejected,
      lastUsed: now,
      dueAt: latest(rejectionDueAtOf({ ...item, rejected }) ?? now, item.notBefore ?? now),
    },
    remove: [],
  };
}

/**
 * The mark "a refresh has been asked for", which many callers try to set and one succeeds; with `hasten`, it is due
 * from now on. It keeps since when clients have asked in vain, by which they know that a renewal is late.
 */
export const ask = (item: Connection, now: EpochMs, hasten = false): Write => ({
  name: 'ask',
  when: [
    sameGeneration(item),
    ...(hasten ? [stillActive] : []),
    { any: [{ absent: 'askedAt' }, { path: 'askedAt', atMost: plus(now, -limits.askedMs) }] },
  ],
  set: { askedAt: now, askedSince: askedSinceOf(item, now) ?? now, ...(hasten ? { refreshAt: now, dueAt: now } : {}) },
  remove: [],
});
