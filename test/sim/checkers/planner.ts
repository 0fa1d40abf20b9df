/** What must hold of the due index, by which the planner finds what no message tells of (L1, L3). */
import { notesOf } from '../../../shared/domain/announcements.ts';
import type { Connection } from '../../../shared/domain/connection.ts';
import { limits } from '../../../shared/domain/limits.ts';
import type { Checker, Watched } from './checker.ts';

/** Whatever message is lost: what is to be told, deleted, or renewed without a client asking, stays in the index. */
export const neededLooksArePlanned = ({ world, violate }: Watched): Checker => {
  const isRenewed = ({ state, paused }: Connection): boolean =>
    world.options.profile.renewal === 'always' && state === 'active' && paused === undefined;
  return {
    onWrite(name, item) {
      if (item.dueAt !== undefined) return;
      if (item.deletion !== undefined) violate('L1', `${name} left a deletion that the planner does not see`);
      else if (notesOf(item).length > 0) violate('L3', `${name} left a note that the planner does not see`);
      else if (isRenewed(item)) violate('L1', `${name} left a connection that the planner does not see`);
    },
  };
};

/**
 * What rests is looked at when there is something to do: a look for long ago is counted as one that was missed. A note
 * may be old; a refresher that has not heard that it was taken away leaves its instant.
 */
export const restsAreNotOverdue = ({ world, violate }: Watched): Checker => {
  const noted = new Set<number>();
  return {
    onWrite(name, item) {
      for (const at of notesOf(item)) noted.add(at);
      if (name !== 'rest' || item.dueAt === undefined || noted.has(item.dueAt)) return;
      const lateMs = world.time.now() - item.dueAt;
      if (lateMs > limits.overdueAfterMs) violate('L1', `${name} made a look due ${lateMs} ms ago`);
    },
  };
};
