/**
 * Deleting a connection, as conditional writes. It ends in steps: marked, its grant ended at the provider, its secrets
 * deleted, then its item. One refresher at a time is at work on it: the one that took it last, until its time is over
 * or it gives the deletion back. Each step is written down, so that the next one goes on where a crash left it.
 *
 *   mark ─ take ─┬─ (not ended yet) revoke ─┬─ note ─┬─ delete the secrets ─ remove the item, if it is as it was found
 *                │                          └─ (provider is down) postpone
 *                └─ (ended) ────────────────────────┘
 */

import type { Connection, Deletion, GrantEnded } from './connection.ts';
import { limits } from './limits.ts';
import { type EpochMs, latest, plus } from './time.ts';
import { asSeen, type Clause, sameGrant, sameSettings, type Write } from './writes.ts';

/**
 * From now on nothing is served and nothing renewed. What is under way may still commit: the newest refresh token is
 * the one to revoke.
 */
export const markDeleted = (now: EpochMs): Write => ({
  name: 'mark_deleted',
  when: [{ absent: 'deletion' }],
  set: { deletion: { since: now, notBefore: now } satisfies Connection['deletion'], dueAt: now },
  remove: ['authorization'],
});

/** Puts a deletion that a commit has put off back to its own time: its message may be lost, and the planner sees it. */
export const resumeDeletion = ({ notBefore }: Deletion, now: EpochMs): Write => ({
  name: 'resume_deletion',
  when: [asSeen('deletion.notBefore', notBefore)],
  set: { dueAt: latest(now, notBefore) },
  remove: [],
});

const isOwnedBy = (owner: string): Clause => ({ path: 'deletion.owner', equals: owner });
const sameRefreshToken = (item: Connection): Clause => asSeen('refreshToken.versionId', item.refreshToken?.versionId);

/** Takes the deletion until `until`, by when the function that takes it has ended: then the planner sends another. */
export function takeDeletion(owner: string, now: EpochMs): Write & { readonly until: EpochMs } {
  const until = plus(now, limits.deletionLeaseMs);
  return {
    name: 'take_deletion',
    when: [{ path: 'deletion.notBefore', atMost: now }],
    set: { 'deletion.owner': owner, 'deletion.notBefore': until, dueAt: until },
    remove: [],
    mine: [isOwnedBy(owner)],
    until,
  };
}

/**
 * How the grant that the connection has now was ended, if it was: a PUT that was under way may have brought another one
 * since.
 */
export const grantEnded = ({ deletion, refreshToken }: Connection): GrantEnded | undefined =>
  deletion?.ended?.versionId === refreshToken?.versionId ? deletion?.ended : undefined;

/** Whether a provider that cannot be told is tried again. */
export const isPatient = ({ since }: Pick<Deletion, 'since'>, now: EpochMs): boolean =>
  now < plus(since, limits.revocationMs);

/** From here on there is only removing left. Refused if the deletion or the refresh token is another one by now. */
export const noteGrantEnded = (
  item: Connection,
  owner: string,
  { kind, code }: Pick<GrantEnded, 'kind' | 'code'>,
): Write => ({
  name: 'note_grant_ended',
  when: [isOwnedBy(owner), sameGrant(item), sameRefreshToken(item)],
  set: {
    'deletion.ended': {
      kind,
      ...(code !== undefined && { code }),
      ...(item.refreshToken && { versionId: item.refreshToken.versionId }),
    } satisfies GrantEnded,
  },
  remove: [],
});

/** Gives the deletion back, for the planner to send another at `until`. */
export const postponeDeletion = (owner: string, until: EpochMs): Write => ({
  name: 'postpone_deletion',
  when: [isOwnedBy(owner)],
  set: { 'deletion.notBefore': until, dueAt: until },
  remove: ['deletion.owner'],
  mine: [{ absent: 'deletion.owner' }, { path: 'deletion.notBefore', equals: until }],
});

/**
 * What must hold of the item for it to be removed: that it is the very deletion that was taken, and that no PUT that
 * was under way has changed the grant or the settings since, and so perhaps brought secrets that are still there. A
 * connection that was put again is not being deleted.
 */
export const asTaken = (item: Connection, owner: string): readonly Clause[] => [
  isOwnedBy(owner),
  sameGrant(item),
  sameRefreshToken(item),
  sameSettings(item),
];
