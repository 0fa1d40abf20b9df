/** What somebody puts in by hand, as conditional writes: settings, and perhaps a grant. */
import { noted } from './announcements.ts';
import type { Connection, ConnectionConfig, Place, State } from './connection.ts';
import type { ConnectionName } from './connection-name.ts';
import type { Cause } from './failure.ts';
import { type EpochMs, latest } from './time.ts';
import { type Clause, sameFence, sameGeneration, sameGrant, sameSettings, type Write } from './writes.ts';

/** What somebody puts in by hand: settings, and perhaps a grant. */
export interface Grant {
  readonly grantId: string;
  readonly place: Place | undefined;
  /** Of the refresh token, if it was imported. */
  readonly importDigest?: string;
}

/** Attempts have fencing tokens from 1; a refresh token that comes without one is stored under this. */
export const importFence = 0;

/** A connection's first item. */
export function create(
  connection: ConnectionName,
  config: ConnectionConfig,
  dueShard: string,
  now: EpochMs,
  state: State,
  grant: Grant,
): Connection {
  return {
    connection,
    config,
    createdAt: now,
    configuredAt: now,
    state,
    ...(state === 'reauthorization_required' ? { cause: 'not_authorized_yet' as const } : {}),
    grantId: grant.grantId,
    grantedAt: now,
    generation: 0,
    fence: 1,
    committedFence: 1,
    attempts: {},
    errors: {},
    calls: 0,
    callsOn: 0,
    dueShard,
    // An import and a login store their refresh token in slot 0.
    slots: 1,
    ...(grant.place === undefined ? {} : { refreshToken: grant.place }),
    ...(grant.importDigest === undefined ? {} : { importDigest: grant.importDigest }),
    // Whoever looks then finds that nobody has asked yet, and lets it rest until it must be kept alive.
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

/** New settings, the grant kept. A connection that was misconfigured is tried again. */
export const replaceConfig = (item: Connection, config: ConnectionConfig, now: EpochMs): Write => ({
  name: 'replace_config',
  when: asRead(item),
  set: {
    config,
    configuredAt: now,
    ...(item.state === 'reauthorization_required' ? {} : { dueAt: latest(item.refreshAt ?? now, now) }),
    ...(item.state === 'misconfigured' ? { state: 'active' satisfies State, ...noted('recovered', now) } : {}),
  },
  // Whoever asks now asks for what the new settings bring.
  remove: item.state === 'reauthorization_required' ? [] : ['cause', 'failure', 'notBefore', 'askedAt', 'withheld'],
  // Nothing in it is random, so a lost reply reads as a conflict: the client puts the same settings again.
});

/**
 * A new grant (an authorization or an import). The fence is raised and counts as committed, and everything of the old
 * grant goes: otherwise an orphan of the old grant would be adopted over the new one.
 */
export const replaceGrant = (item: Connection, config: ConnectionConfig, now: EpochMs, grant: Grant): Write => ({
  name: 'replace_grant',
  when: asRead(item),
  set: {
    config,
    configuredAt: now,
    state: 'active' satisfies State,
    grantId: grant.grantId,
    grantedAt: now,
    fence: item.fence + 1,
    committedFence: item.fence + 1,
    attempts: {},
    contested: false,
    ...noted('authorized', now),
    ...(grant.place === undefined ? {} : { refreshToken: grant.place }),
    ...(grant.importDigest === undefined ? {} : { importDigest: grant.importDigest }),
  },
  remove: [
    ...(grant.place === undefined ? (['refreshToken'] as const) : []),
    ...(grant.importDigest === undefined ? (['importDigest'] as const) : []),
    'cause',
    'lease',
    'accessToken',
    'tokenType',
    'scope',
    'requestedAt',
    'receivedAt',
    'expiresAt',
    'refreshAt',
    'renewableAt',
    'rejections',
    'notBefore',
    'failure',
    'suspect',
    'withheld',
    'spare',
    'wakeAt',
    'accessTokenFence',
    'announcedEnd',
    'rejectedGeneration',
    'askedAt',
  ],
  mine: [{ path: 'grantId', equals: grant.grantId }],
});

/**
 * Settings under which nothing of a dead grant may be used: another client, say. All of it goes, so that nothing is left to be sent to
 * that client or served as its token; and the grant id is another, so that no late answer to the old one's calls is committed, and no link
 * made before leads back. The connection waits for its first authorization: that is no news to subscribers, who know that it waits.
 */
export function abandonGrant(item: Connection, config: ConnectionConfig, now: EpochMs, grantId: string): Write {
  const replaced = replaceGrant(item, config, now, { grantId, place: undefined });
  const { announcement: _note, dueAt: _look, ...set } = replaced.set;
  return {
    ...replaced,
    name: 'abandon_grant',
    set: { ...set, state: 'reauthorization_required' satisfies State, cause: 'not_authorized_yet' satisfies Cause },
    remove: replaced.remove.filter((path) => path !== 'cause'),
  };
}
