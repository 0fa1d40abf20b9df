/** The conditional writes of deleting a connection. It ends in steps: marked, its grant revoked, its secrets removed, then the item. */
import type { Connection, EpochMs } from './types.ts';
import type { Write } from './writes.ts';

/** From now on nothing is served and nothing renewed. What is under way may still commit: the newest refresh token is the one to revoke. */
export const markDeleted = (now: EpochMs): Write => ({
  name: 'mark_deleted',
  when: [{ absent: 'deletion' }],
  set: { deletion: { since: now, notBefore: now } satisfies Connection['deletion'], dueAt: now },
  remove: ['authorization'],
});

/** The provider could not be told: the planner comes back to it. */
export const postponeDeletion = (until: EpochMs): Write => ({
  name: 'postpone_deletion',
  when: [{ present: 'deletion' }],
  set: { 'deletion.notBefore': until, dueAt: until },
  remove: [],
});
