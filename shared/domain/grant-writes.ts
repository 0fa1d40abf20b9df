/** What a PUT or a login brings, as conditional writes: settings, and perhaps a grant. */
import { noted, pathsNoted } from './announcements.ts';
import {
  type Connection,
  type ConnectionConfig,
  type Grant,
  inSecret,
  outlivesGrant,
  type PlaceInSecret,
  type State,
  versionIdOf,
} from './connection.ts';
import type { ConnectionName } from './connection-name.ts';
import type { Cause } from './failure.ts';
import { type Fence, type Generation, type GrantId, nextFence, type Slot } from './ids.ts';
import { type EpochMs, latest } from './time.ts';
import { dueFrom } from './timing.ts';
import { type Clause, type Path, sameFence, sameGeneration, sameGrant, sameSettings, type Write } from './writes.ts';

/** A grant that begins: with a refresh token in its place, if it has one. */
export interface NewGrant {
  readonly id: GrantId;
  readonly place: PlaceInSecret | undefined;
  /** Of the refresh token, if it was imported. */
  readonly importDigest?: string;
  readonly values?: Grant['values'];
}

const grantAs = ({ id, importDigest, values }: NewGrant, at: EpochMs): Grant => ({
  id,
  at,
  ...(importDigest !== undefined && { importDigest }),
  ...(values !== undefined && { values }),
});

/**
 * Where the refresh token goes that a grant begins with. Attempts store theirs under their fencing tokens, which begin
 * at 1.
 */
export const firstPlace = (id: GrantId): PlaceInSecret => inSecret(0 as Slot, versionIdOf(id, 0 as Fence));

/** A connection's first item. */
export function create(
  connection: ConnectionName,
  config: ConnectionConfig,
  dueShard: string,
  now: EpochMs,
  state: State,
  grant: NewGrant,
): Connection {
  return {
    connection,
    config,
    createdAt: now,
    configuredAt: now,
    state,
    ...(state === 'reauthorization_required' ? { cause: 'not_authorized_yet' as const } : {}),
    grant: grantAs(grant, now),
    generation: 0 as Generation,
    fence: 1 as Fence,
    committedFence: 1 as Fence,
    attempts: {},
    calls: { day: 0, count: 0, failing: {}, codes: {} },
    dueShard,
    // An import and a login store their refresh token in slot 0.
    slots: 1,
    ...(grant.place && { refreshToken: grant.place }),
    // A refresher that looks then finds a connection that no client uses yet, and lets it rest until it must be kept
    // alive.
    ...(state === 'active' ? noted('authorized', now) : {}),
  };
}

/** Nothing was acquired, committed or put since the item was read. */
const asRead = (item: Connection): readonly Clause[] => [
  sameGrant(item),
  sameFence(item),
  sameGeneration(item),
  sameSettings(item),
];

/** What of the settings is another, by its place in the body of a PUT. Secrets are only said to be replaced. */
function pathsChanged(before: ConnectionConfig, after: ConnectionConfig): string[] {
  const settings = [...new Set([...Object.keys(before.settings), ...Object.keys(after.settings)])].sort();
  const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);
  const pairs: readonly (readonly [path: string, one: unknown, other: unknown])[] = [
    ['provider', before.provider, after.provider],
    ...settings.map((name) => [`settings.${name}`, before.settings[name], after.settings[name]] as const),
    ['client.client_id', before.clientId, after.clientId],
    ['secrets', before.credentials?.versionId, after.credentials?.versionId],
    ['client.client_secret_expires_at', before.credentials?.endsAt, after.credentials?.endsAt],
    ['renewal', before.renewal, after.renewal],
    ['margin_seconds', before.marginSeconds, after.marginSeconds],
    ['account', before.account, after.account],
    ['callback', before.callback, after.callback],
    ['allow_grant_conflict', before.allowGrantConflict, after.allowGrantConflict],
  ];
  return pairs.flatMap(([path, one, other]) => (isSame(one, other) ? [] : [path]));
}

/** What a write of other settings adds to what it sets: a note for subscribers, and a look of the planner for it. */
function changeNoted(item: Connection, config: ConnectionConfig, at: EpochMs): Write['set'] {
  const paths = pathsChanged(item.config, config);
  return paths.length === 0 ? {} : pathsNoted(item, paths, at);
}

/** New settings, the grant kept. A connection that was misconfigured is tried again. */
export const replaceConfig = (item: Connection, config: ConnectionConfig, now: EpochMs): Write => ({
  name: 'replace_config',
  when: asRead(item),
  set: {
    config,
    configuredAt: now,
    ...(item.state === 'reauthorization_required' ? {} : { dueAt: latest(dueFrom(item, now), now) }),
    ...changeNoted(item, config, now),
    ...(item.state === 'misconfigured' ? { state: 'active' satisfies State, ...noted('recovered', now) } : {}),
  },
  remove: [
    // Of two client secrets, both are tried again.
    ...(item.clientSecret?.otherRefusedAt === undefined ? [] : (['clientSecret'] as const)),
    // A client that asks now asks for what the new settings bring.
    ...(item.state === 'reauthorization_required'
      ? []
      : (['cause', 'failure', 'notBefore', 'askedAt', 'askedSince', 'withheld'] as const)),
  ],
});

/** All of the old grant that this write does not set anew. */
function removedBeside(set: Write['set']): Path[] {
  const attributes = Object.keys(outlivesGrant) as (keyof Connection)[];
  return attributes.filter((name) => !outlivesGrant[name] && !(name in set));
}

/**
 * A new grant (an authorization or an import). The fence is raised and counts as committed, and everything of the old
 * grant goes: otherwise an orphan of the old grant would be adopted over the new one. `more` is what the grant brings
 * beside a refresh token.
 */
export function replaceGrant(
  item: Connection,
  config: ConnectionConfig,
  now: EpochMs,
  grant: NewGrant,
  more: Write['set'] = {},
): Write {
  const fence = nextFence(item.fence);
  const set: Write['set'] = {
    config,
    configuredAt: now,
    ...changeNoted(item, config, now),
    state: 'active' satisfies State,
    grant: grantAs(grant, now),
    fence,
    committedFence: fence,
    attempts: {},
    ...noted('authorized', now),
    ...(grant.place && { refreshToken: grant.place }),
    ...more,
  };
  return {
    name: 'replace_grant',
    when: asRead(item),
    set,
    remove: removedBeside(set),
    mine: [{ path: 'grant.id', equals: grant.id }],
  };
}

/**
 * Settings under which nothing of a dead grant may be used, such as those of another client. All of it goes, so that
 * nothing is left that could be sent to that client or served as its token; and the grant id is another one, so that no
 * late answer to the old one's calls is committed, and no link made before leads back. The connection waits for its
 * first authorization. Subscribers know that it waits, so no note of that is left.
 */
export function abandonGrant(item: Connection, config: ConnectionConfig, now: EpochMs, id: GrantId): Write {
  const replaced = replaceGrant(
    item,
    config,
    now,
    { id, place: undefined },
    { state: 'reauthorization_required' satisfies State, cause: 'not_authorized_yet' satisfies Cause },
  );
  const { announcement: _note, dueAt: _look, ...set } = replaced.set;
  return { ...replaced, name: 'abandon_grant', set: { ...set, ...changeNoted(item, config, now) } };
}
