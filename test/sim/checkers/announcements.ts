/** What must hold of what subscribers are told (L3). */
import type { Announcement } from '../../../shared/domain/announcement.ts';
import type { Connection, StoredCredentials } from '../../../shared/domain/connection.ts';
import { limits } from '../../../shared/domain/limits.ts';
import type { Checker, Watched } from './checker.ts';

/**
 * A write that changes the state notes it; and once the faults stop, the newest note has been told, and nothing but
 * notes has.
 */
export const changesAreAnnounced = ({ world, violate }: Watched): Checker => {
  const notes = new Set<string>();
  /**
   * Of the connection that there is: what a deleted one noted last need not be told, since no refresher tells of a
   * connection that is being deleted.
   */
  let newest: string | undefined;
  /** The same of settings. One that came while another was untold is told with it. */
  let newestOfSettings: string | undefined;
  let last: Connection | undefined;
  let deleted: string | undefined;
  const nameOf = ({ change, at }: Pick<Announcement, 'change' | 'at'>) => `${change} at ${at}`;
  return {
    onWrite(name, item) {
      if (item.deletion !== undefined) deleted = nameOf({ change: 'deleted', at: item.deletion.since });
      if (deleted !== undefined) notes.add(deleted);
      const note = item.announcement;
      const isNew = note !== undefined && note !== last?.announcement && !notes.has(nameOf(note));
      if (isNew) {
        newest = nameOf(note);
        notes.add(newest);
      }
      if (item.changed !== undefined) {
        newestOfSettings = nameOf({ change: 'settings_changed', at: item.changed.at });
        notes.add(newestOfSettings);
      }
      // One that is put without a grant waits for its first login; that is no change.
      const begins = name === 'create' && item.cause === 'not_authorized_yet';
      if (item.state !== last?.state && !isNew && !begins)
        violate('L3', `${name} changed the state to ${item.state} and noted nothing to tell`);
      last = item;
    },
    onRemove() {
      if (deleted !== undefined && !world.announcements.map(nameOf).includes(deleted))
        violate('L3', `${deleted} was not told`);
      deleted = undefined;
      last = undefined;
      newest = undefined;
      newestOfSettings = undefined;
    },
    onEnd(item) {
      if (item?.announcement !== undefined) violate('L3', `${nameOf(item.announcement)} was never told`);
      if (item?.changed !== undefined) violate('L3', `settings_changed at ${item.changed.at} was never told`);
      const dues = world.announcements.filter(({ change }) => change === 'reauthorization_due');
      const early = dues.find(({ at, grantEndsAt = at }) => grantEndsAt - at > (world.options.nature.lapseMs ?? 0) / 3);
      if (early !== undefined) violate('L3', `the end of the grant was told ${early.at}, long before it is to come`);
      const withheld = world.announcements.filter(({ change }) => change === 'refusals_withheld');
      if (withheld.length > 0 && world.options.accident === undefined)
        violate('L3', 'refusals were told to be withheld, though the provider has had no accident');
      // Those of suspicions are watched in second-refreshers.ts.
      const others = world.announcements.filter(({ change }) => change === 'second_refresher_suspected');
      const ends = world.announcements.filter(({ change }) => change === 'client_secret_ends_soon');
      const mistold = endsMistold(ends, world.options.config.credentials?.endsAt);
      if (mistold !== undefined) violate('L3', mistold);
      const seldom = [...dues, ...withheld, ...others, ...ends];
      const told = world.announcements.filter((one) => !seldom.includes(one)).map(nameOf);
      for (const one of [newest, newestOfSettings])
        if (one !== undefined && !told.includes(one)) violate('L3', `${one} was noted, and forgotten untold`);
      const invented = told.find((one) => !notes.has(one));
      if (invented !== undefined) violate('L3', `${invented} was told, and never happened`);
    },
  };
};

/**
 * A refresher that dies in between has another one tell it again; but it is not told with each look. That it is told at
 * all is for a race to see.
 */
const tellingsOfOneEnd = 10;

/** What is wrong with what was told of ends of the client's secrets, in words. */
function endsMistold(tellings: readonly Announcement[], endsAt: StoredCredentials['endsAt'] = {}): string | undefined {
  for (const { at, secretEndsAt = at } of tellings) {
    if (!Object.values(endsAt).includes(secretEndsAt)) return `an end of a client's secret was told that was never put`;
    if (at < secretEndsAt - limits.secretEndsAheadMs) return `the end of a client's secret was told ${at}, too early`;
    const times = tellings.filter((one) => one.secretEndsAt === secretEndsAt).length;
    if (times > tellingsOfOneEnd) return `one end of a client's secret was told ${times} times`;
  }
  return undefined;
}
