/**
 * Changes that subscribers are told of. A write that makes one notes it in the item; the next refresher tells it and
 * takes the note away. So it is told at least once, whatever dies in between, and normally exactly once.
 */

import type { Announcement } from './announcement.ts';
import { secretEndOf } from './client-secrets.ts';
import type { Connection, Grant, Seen, ToldEnd } from './connection.ts';
import type { GrantId } from './ids.ts';
import { limits } from './limits.ts';
import type { Profile } from './profile.ts';
import type { Sign } from './signs.ts';
import { type EpochMs, earliest, latest, plus } from './time.ts';
import { asSeen, sameGeneration, sameGrant, type Write } from './writes.ts';

/** What a write that makes a change adds to what it sets: the note, and a look of the planner for it. */
export const noted = (change: Announcement['change'], at: EpochMs) => ({ announcement: { change, at }, dueAt: at });

/** The same of settings: what was put anew, beside what subscribers have not been told of yet. */
export const pathsNoted = ({ changed }: Connection, paths: readonly string[], at: EpochMs) => ({
  changed: { at, paths: [...new Set([...(changed?.paths ?? []), ...paths])].sort() },
  dueAt: at,
});

/** When the planner should look: at `instant`, or at once and every minute while there is something to tell. */
export const dueBy = (item: Connection, instant: EpochMs): EpochMs => earliest(instant, ...notesOf(item));

/** When what was noted has happened, of which subscribers have not been told yet. */
export const notesOf = ({ announcement, changed, secondRefresher }: Connection): EpochMs[] =>
  [announcement?.at, changed?.at, secondRefresher?.untold && secondRefresher.suspectedAt].filter(
    (at) => at !== undefined,
  );

/**
 * Has the planner look for what was noted while a commit was under way, which has put that look off to its own time.
 * Undefined where the look is due already.
 */
export function lookForNotes(item: Connection): Write | undefined {
  const [first, ...more] = notesOf(item);
  if (first === undefined) return undefined;
  const dueAt = earliest(first, ...more);
  if (item.dueAt !== undefined && item.dueAt <= dueAt) return undefined;
  return {
    name: 'look_for_notes',
    when: [sameGrant(item), asSeen('dueAt', item.dueAt)],
    set: { dueAt },
    remove: [],
    mine: [sameGrant(item), { path: 'dueAt', equals: dueAt }],
  };
}

interface GrantEnd {
  readonly endsAt: EpochMs;
  readonly announceAt: EpochMs;
}

/**
 * When the provider ends the grant if nothing happens, whether by its age or because it was not used. Undefined if it
 * never does.
 */
export function grantEndOf(
  { grant, tokens, refreshToken }: Connection,
  { grantLifetimeMs, grantIdleMs }: Pick<Profile, 'grantLifetimeMs' | 'grantIdleMs'>,
): GrantEnd | undefined {
  if (refreshToken === undefined) return undefined;
  const ends = [
    ...(grantLifetimeMs === undefined ? [] : [{ from: grant.at, limitMs: grantLifetimeMs }]),
    ...(grantIdleMs === undefined ? [] : [{ from: tokens?.receivedAt ?? grant.at, limitMs: grantIdleMs }]),
    // What the provider's own replies told.
    ...(tokens?.grantEnd === undefined ? [] : [toldLimitOf(grant, tokens.grantEnd)]),
  ].map(({ from, limitMs }) => ({
    endsAt: plus(from, limitMs),
    announceAt: plus(from, limitMs - Math.min(limits.grantEndsAheadMs, limitMs * limits.grantEndsAheadShare)),
  }));
  return ends.sort((a, b) => a.endsAt - b.endsAt)[0];
}

/** A fixed end counts from when the grant was given, another from the reply that told it. */
function toldLimitOf({ at: grantedAt }: Grant, { at, toldAt, fixed }: ToldEnd) {
  const from = fixed ? grantedAt : toldAt;
  return { from, limitMs: at - from };
}

/** When subscribers should be told that the client's secret ends; undefined if they were, or if it is not known. */
function secretEndToTell(item: Connection): GrantEnd | undefined {
  const endsAt = secretEndOf(item);
  if (endsAt === undefined || endsAt === item.announcedSecretEnd) return undefined;
  return { endsAt, announceAt: plus(endsAt, -limits.secretEndsAheadMs) };
}

/**
 * When a refresher should look at a connection that needs no renewal, if ever: its refresh token, or its subscribers,
 * need attention. An end that should have been told long ago is to be told now: no look has been missed.
 */
export function restUntil(
  item: Connection,
  profile: Profile,
  keepAliveAt: EpochMs | undefined,
  now: EpochMs,
): EpochMs | undefined {
  const end = grantEndOf(item, profile);
  const ends = [end?.endsAt === item.announcedEnd ? undefined : end, secretEndToTell(item)];
  const tellings = ends.map((one) => one && latest(one.announceAt, now));
  const instants = [keepAliveAt, ...tellings, ...notesOf(item)].filter((instant) => instant !== undefined);
  return instants.length === 0 ? undefined : earliest(...instants);
}

/** What subscribers should be told now, if anything. */
export function announcementOf({ item, profile }: Seen, now: EpochMs): Announcement | undefined {
  const { connection, grant, announcement, deletion, state, config } = item;
  if (deletion !== undefined) return undefined;
  const whose = { connection, provider: config.provider };
  if (announcement !== undefined) return notedAnnouncementOf(item);
  if (item.changed !== undefined) {
    const { at, paths } = item.changed;
    return { id: idOf(grant.id, 'settings_changed', at), change: 'settings_changed', ...whose, at, changed: paths };
  }
  const suspicion = suspicionOf(item);
  if (suspicion !== undefined) return suspicion;
  if (state === 'reauthorization_required') return undefined;
  const end = grantEndOf(item, profile);
  if (end !== undefined && end.announceAt <= now && end.endsAt !== item.announcedEnd) {
    const change = 'reauthorization_due';
    return { id: idOf(grant.id, change, end.endsAt), change, ...whose, at: now, grantEndsAt: end.endsAt };
  }
  const secretEnd = secretEndToTell(item);
  if (secretEnd === undefined || secretEnd.announceAt > now) return undefined;
  const change = 'client_secret_ends_soon';
  return { id: idOf(grant.id, change, secretEnd.endsAt), change, ...whose, at: now, secretEndsAt: secretEnd.endsAt };
}

/** The change that a write has noted and that subscribers may not know of yet. */
export function notedAnnouncementOf(item: Connection): Announcement | undefined {
  const { connection, config, grant, cause, announcement } = item;
  if (announcement === undefined) return undefined;
  const { change, at } = announcement;
  const id = idOf(grant.id, change, at);
  return { id, change, connection, provider: config.provider, ...(cause && { cause }), at };
}

/** Another party that seems to renew the same grant, and of which subscribers may not know yet. */
function suspicionOf({ connection, config, grant, secondRefresher }: Connection): Announcement | undefined {
  if (secondRefresher?.untold === undefined || secondRefresher.suspectedAt === undefined) return undefined;
  const { suspectedAt: at, signs } = secondRefresher;
  const change = 'second_refresher_suspected';
  const signsSeen = Object.keys(signs) as Sign[];
  return { id: idOf(grant.id, change, at), change, connection, provider: config.provider, at, signs: signsSeen };
}

const idOf = (grantId: GrantId, change: Announcement['change'], at: EpochMs): string => `${grantId}.${change}.${at}`;

type Ends = Pick<Connection, 'announcedEnd' | 'announcedSecretEnd'>;

/** They were told. The planner's next look is again the one that the connection itself needs. */
export function announced({ item, profile }: Seen, announcement: Announcement): Write {
  const { change, at, grantEndsAt, secretEndsAt } = announcement;
  const told: Ends = {
    ...(grantEndsAt !== undefined && { announcedEnd: grantEndsAt }),
    ...(secretEndsAt !== undefined && { announcedSecretEnd: secretEndsAt }),
  };
  const dueAt = nextLook({ item: { ...item, ...told }, profile }, announcement);
  const looked: Pick<Write, 'set' | 'remove'> =
    dueAt === undefined ? { set: {}, remove: ['dueAt'] } : { set: { dueAt }, remove: [] };
  const asAnnounced = [sameGrant(item), sameGeneration(item), asSeen('dueAt', item.dueAt)];
  for (const path of ['announcedEnd', 'announcedSecretEnd'] as const)
    if (told[path] !== undefined)
      return {
        name: 'announced',
        when: asAnnounced,
        set: { ...looked.set, ...told },
        remove: looked.remove,
        mine: [sameGrant(item), { path, equals: told[path] }],
      };
  if (change === 'settings_changed')
    return {
      name: 'announced',
      when: [...asAnnounced, { path: 'changed.at', equals: at }],
      set: looked.set,
      remove: ['changed', ...looked.remove],
    };
  if (change === 'second_refresher_suspected')
    return {
      name: 'announced',
      when: [...asAnnounced, { path: 'secondRefresher.suspectedAt', equals: at }],
      set: looked.set,
      remove: ['secondRefresher.untold', ...looked.remove],
    };
  return {
    name: 'announced',
    when: [...asAnnounced, { path: 'announcement.change', equals: change }, { path: 'announcement.at', equals: at }],
    set: looked.set,
    remove: ['announcement', ...looked.remove],
    mine: [sameGrant(item), { absent: 'announcement' }],
  };
}

/** The connection without the note that was told. An end of a grant is told only when there is no other note. */
function withoutNote(
  { announcement, changed, secondRefresher, ...item }: Connection,
  told: Announcement['change'],
): Connection {
  const suspicion = told === 'second_refresher_suspected';
  return {
    ...item,
    ...(announcement && (suspicion || told === 'settings_changed') && { announcement }),
    ...(changed && told !== 'settings_changed' && { changed }),
    ...(secondRefresher && !suspicion && { secondRefresher }),
  };
}

function nextLook({ item, profile }: Seen, { change, at }: Announcement): EpochMs | undefined {
  // Another note comes next.
  const told = withoutNote(item, change);
  if (notesOf(told).length > 0) return at;
  const from = item.refreshAt ?? at;
  if (item.state === 'active') return latest(from, item.notBefore ?? from);
  return item.state === 'misconfigured' ? restUntil(told, profile, undefined, at) : undefined;
}
