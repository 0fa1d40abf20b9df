/** What subscribers are told, when, and how a note of it is kept until they are. */

import { describe, expect, test } from 'vitest';
import type { Announcement } from '../../shared/domain/announcement.ts';
import { announced, announcementOf, dueBy, grantEndOf, restUntil } from '../../shared/domain/announcements.ts';
import { commitFailure, commitSuccess } from '../../shared/domain/commit-writes.ts';
import type { Connection } from '../../shared/domain/connection.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import { decide } from '../../shared/domain/decide.ts';
import { abandonGrant, create, replaceConfig, replaceGrant } from '../../shared/domain/grant-writes.ts';
import type { Fence, GrantId } from '../../shared/domain/ids.ts';
import type { Profile } from '../../shared/domain/profile.ts';
import type { Event } from '../../shared/domain/steps.ts';
import { holding } from '../holding.ts';
import { inSecret } from '../plain.ts';
import { decided } from './decisions.ts';
import {
  at,
  attemptOf,
  attemptsWith,
  circumstances,
  commitOf,
  connectionOf,
  day,
  dueConnectionOf,
  failureOf,
  firstConnectionOf,
  heldOf,
  hour,
  itemAfter,
  minute,
  myFence,
  now,
  profileOf,
  second,
  tokenSetOf,
  without,
} from './fixtures.ts';

const year = 365 * day;
const told = (item: Connection, profile: Profile = profileOf(), instant = now) =>
  announcementOf({ item, profile }, instant);
const change = (item: Connection) => item.announcement?.change;
const verdict = failureOf({ class: 'dead_grant', code: 'invalid_grant', fence: myFence, at: now });

describe('a write that changes the state notes it, and has the planner look', () => {
  const { item } = heldOf().seen;
  const failing = (state: Connection['state']) =>
    itemAfter(
      commitFailure(holding(item, myFence, profileOf()), {
        failure: verdict,
        notBefore: state === 'active' ? at(minute) : undefined,
        state,
        suspect: false,
      }),
      item,
    );
  const succeeding = (before: Connection) =>
    itemAfter(commitSuccess(holding(before, myFence, profileOf()), commitOf())[0] ?? fail(), before);
  const fail = () => {
    throw new Error('no write');
  };

  const dead = connectionOf({ state: 'reauthorization_required', cause: 'invalid_grant' });
  test.each<[string, Connection, Announcement['change'] | undefined]>([
    [
      'created with a grant',
      create('new' as ConnectionName, item.config, '0', now, 'active', { id: 'g' as GrantId, place: inSecret(0, 'v') }),
      'authorized',
    ],
    [
      'created without one',
      create('new' as ConnectionName, item.config, '0', now, 'reauthorization_required', {
        id: 'g' as GrantId,
        place: undefined,
      }),
      undefined,
    ],
    [
      'a new grant',
      itemAfter(replaceGrant(item, item.config, now, { id: 'g' as GrantId, place: inSecret(0, 'v') }), item),
      'authorized',
    ],
    ['a dead grant abandoned', itemAfter(abandonGrant(dead, item.config, now, 'g' as GrantId), dead), undefined],
    ['new settings', itemAfter(replaceConfig(connectionOf(), item.config, now), connectionOf()), undefined],
    [
      'new settings for wrong ones',
      itemAfter(replaceConfig(connectionOf({ state: 'misconfigured' }), item.config, now), connectionOf()),
      'recovered',
    ],
    ['a dead grant', failing('reauthorization_required'), 'reauthorization_required'],
    ['a wrong client', failing('misconfigured'), 'misconfigured'],
    ['a failure that leaves it active', failing('active'), undefined],
    ['a success', succeeding(item), undefined],
    ['a late success after a verdict', succeeding({ ...item, state: 'reauthorization_required' }), 'recovered'],
  ])('%s', (_, after, expected) => {
    expect(change(after)).toBe(expected);
    if (expected !== undefined) expect(after.dueAt).toBe(after.announcement?.at);
  });

  test('a note that nobody was told of keeps the planner looking through a success, a failure and a rest', () => {
    const noted = { ...item, announcement: { change: 'authorized' as const, at: at(-minute) } };
    expect(succeeding(noted).dueAt).toBe(at(-minute));
    expect(
      itemAfter(
        commitFailure(holding(noted, myFence, profileOf()), {
          failure: verdict,
          notBefore: at(minute),
          state: 'active',
          suspect: false,
        }),
        noted,
      ).dueAt,
    ).toBe(at(-minute));
    expect(restUntil(noted, profileOf(), at(day), now)).toBe(at(-minute));
    expect(dueBy(item, at(minute))).toBe(at(minute));
  });
});

describe('what is told', () => {
  const noted = connectionOf({
    announcement: { change: 'reauthorization_required', at: at(-second) },
    state: 'reauthorization_required',
    cause: 'invalid_grant',
  });
  test('the change as noted, with an id that a repetition shares', () => {
    expect(told(noted)).toEqual({
      id: `${noted.grant.id}.reauthorization_required.${at(-second)}`,
      change: 'reauthorization_required',
      connection: noted.connection,
      provider: noted.config.provider,
      cause: 'invalid_grant',
      at: at(-second),
    });
    expect(told(noted, profileOf(), at(day))).toEqual(told(noted));
  });
  test('nothing, where nothing is noted', () => expect(told(connectionOf())).toBeUndefined());
  test('nothing of what is being deleted', () =>
    expect(told({ ...noted, deletion: { since: now, notBefore: now } })).toBeUndefined());
});

describe('the end of a grant', () => {
  const fiveYears = profileOf({ grantLifetimeMs: 5 * year });
  const thirtyIdleDays = profileOf({ grantIdleMs: 30 * day });
  const granted = (ms: number, more: Partial<Connection> = {}) =>
    connectionOf({ grant: { id: 'g', at: at(ms) }, ...more });

  test('is its age limit, or its idle limit since the last token set came, whichever is sooner', () => {
    expect(grantEndOf(granted(-year), fiveYears)?.endsAt).toBe(at(4 * year));
    expect(grantEndOf(granted(-year, { tokens: tokenSetOf({ receivedAt: at(-day) }) }), thirtyIdleDays)?.endsAt).toBe(
      at(29 * day),
    );
    expect(grantEndOf(without(granted(-day), 'tokens'), thirtyIdleDays)?.endsAt).toBe(at(29 * day));
    expect(
      grantEndOf(granted(-year, { tokens: tokenSetOf({ receivedAt: at(-day) }) }), {
        ...fiveYears,
        ...thirtyIdleDays,
        grantLifetimeMs: year + day,
      })?.endsAt,
    ).toBe(at(day));
  });
  test('does not come where there is no limit, or no refresh token', () => {
    expect(grantEndOf(granted(-year), profileOf())).toBeUndefined();
    expect(grantEndOf(without(granted(-year), 'refreshToken'), fiveYears)).toBeUndefined();
  });
  test('is told two weeks ahead, once', () => {
    const item = granted(14 * day - 5 * year);
    expect(told(granted(14 * day - 5 * year + 1), fiveYears)).toBeUndefined();
    expect(told(item, fiveYears)).toMatchObject({ change: 'reauthorization_due', grantEndsAt: at(14 * day), at: now });
    expect(told({ ...item, announcedEnd: at(14 * day) }, fiveYears)).toBeUndefined();
  });
  test('or a quarter of the limit ahead, where that is less', () => {
    expect(
      told(connectionOf({ tokens: tokenSetOf({ receivedAt: at(-22.5 * day + 1) }) }), thirtyIdleDays),
    ).toBeUndefined();
    expect(told(connectionOf({ tokens: tokenSetOf({ receivedAt: at(-22.5 * day) }) }), thirtyIdleDays)).toMatchObject({
      grantEndsAt: at(7.5 * day),
    });
  });
  test('is told of a misconfigured connection too, but not where somebody has to authorize again anyway', () => {
    const idle = { tokens: tokenSetOf({ receivedAt: at(-25 * day) }) };
    expect(told(connectionOf({ ...idle, state: 'misconfigured' }), thirtyIdleDays)?.change).toBe('reauthorization_due');
    expect(told(connectionOf({ ...idle, state: 'reauthorization_required' }), thirtyIdleDays)).toBeUndefined();
  });
  test('wakes a connection that rests', () => {
    const item = connectionOf({ tokens: tokenSetOf({ receivedAt: now }) });
    expect(restUntil(item, thirtyIdleDays, undefined, now)).toBe(at(22.5 * day));
    expect(restUntil(item, thirtyIdleDays, at(day), now)).toBe(at(day));
    expect(restUntil({ ...item, announcedEnd: at(30 * day) }, thirtyIdleDays, undefined, now)).toBeUndefined();
  });
  test('wakes it at once where it was to be told long ago, as no look has been missed', () => {
    const item = connectionOf({ tokens: tokenSetOf({ receivedAt: at(-29 * day) }) });
    expect(restUntil(item, thirtyIdleDays, undefined, now)).toBe(now);
  });
});

describe('the end of a client secret', () => {
  const ending = (end: number, more: Partial<Connection> = {}): Connection => {
    const item = connectionOf(more);
    const credentials = { versionId: 'v', names: ['client_secret'], endsAt: { client_secret: at(end) } };
    return { ...item, config: { ...item.config, credentials } };
  };
  test('is told thirty days ahead, once for each date, whatever the grant', () => {
    expect(told(ending(30 * day + 1))).toBeUndefined();
    const soon = ending(30 * day);
    expect(told(soon)).toMatchObject({ change: 'client_secret_ends_soon', secretEndsAt: at(30 * day), at: now });
    expect(told({ ...soon, announcedSecretEnd: at(30 * day) })).toBeUndefined();
    expect(told({ ...soon, announcedSecretEnd: at(day) })?.change).toBe('client_secret_ends_soon');
    expect(told(without(soon, 'refreshToken'))?.change).toBe('client_secret_ends_soon');
  });
  test('is told when it is over as well, and of a misconfigured connection, but not of a dead grant', () => {
    expect(told(ending(-year))?.secretEndsAt).toBe(at(-year));
    expect(told(ending(0, { state: 'misconfigured' }))?.change).toBe('client_secret_ends_soon');
    expect(told(ending(0, { state: 'reauthorization_required' }))).toBeUndefined();
  });
  test('comes after the end of the grant, and both are told', () => {
    const idle = profileOf({ grantIdleMs: 30 * day });
    const item = ending(day, { tokens: tokenSetOf({ receivedAt: at(-25 * day) }), state: 'misconfigured' });
    const first = told(item, idle) ?? expect.fail('nothing to tell');
    expect(first.change).toBe('reauthorization_due');
    const between = itemAfter(announced({ item, profile: idle }, first), item);
    expect(between.dueAt).toBe(now);
    const second = told(between, idle) ?? expect.fail('nothing more to tell');
    expect(second.change).toBe('client_secret_ends_soon');
    const after = itemAfter(announced({ item: between, profile: idle }, second), between);
    expect(after).toMatchObject({ announcedEnd: at(5 * day), announcedSecretEnd: at(day) });
    expect(after).not.toHaveProperty('dueAt');
    expect(told(after, idle)).toBeUndefined();
  });
  test('wakes a connection that rests', () => {
    expect(restUntil(ending(40 * day), profileOf(), undefined, now)).toBe(at(10 * day));
    expect(restUntil(ending(5 * day), profileOf(), undefined, now)).toBe(now);
    expect(
      restUntil(ending(40 * day, { announcedSecretEnd: at(40 * day) }), profileOf(), undefined, now),
    ).toBeUndefined();
  });
});

describe('afterwards', () => {
  const noted = dueConnectionOf({ announcement: { change: 'recovered', at: now }, dueAt: now });
  const seen = (item: Connection, profile = profileOf()) => ({ item, profile });
  const announcement = (item: Connection, profile?: Profile) => told(item, profile) ?? expect.fail('nothing to tell');
  const left = (item: Connection, profile?: Profile) =>
    itemAfter(announced(seen(item, profile), announcement(item, profile)), item);

  test('the note is gone, and the planner looks when the connection needs it', () => {
    expect(left(noted)).not.toHaveProperty('announcement');
    expect(left(noted).dueAt).toBe(noted.refreshAt);
    expect(left({ ...noted, notBefore: at(minute) }).dueAt).toBe(at(minute));
  });
  test('it never looks at a grant that is dead', () => {
    expect(left({ ...noted, state: 'reauthorization_required' })).not.toHaveProperty('dueAt');
  });
  test('and at one with wrong settings when its refresh token is about to lapse', () => {
    const idle = profileOf({ grantIdleMs: 30 * day });
    const first = left({ ...noted, state: 'misconfigured', tokens: tokenSetOf({ receivedAt: now }) }, idle);
    expect(first.dueAt).toBe(at(22.5 * day));
    const second = left({ ...first, tokens: tokenSetOf({ receivedAt: at(-25 * day) }) }, idle);
    expect(second).toMatchObject({ announcedEnd: at(5 * day) });
    expect(second).not.toHaveProperty('dueAt');
  });
  test('a change that came meanwhile keeps its note', () => {
    const newer: Connection = { ...noted, announcement: { change: 'misconfigured', at: at(1) } };
    expect(announced(seen(noted), announcement(noted)).when).toContainEqual({ path: 'announcement.at', equals: now });
    expect(() => itemAfter(announced(seen(noted), announcement(noted)), newer)).toThrow('refused');
  });
});

describe('when it is told', () => {
  const noted = dueConnectionOf({ announcement: { change: 'recovered', at: now } });
  const held = heldOf(noted);
  const read = (item: Connection): Event => ({ kind: 'read', seen: { item, profile: profileOf() } });

  test('before anything else is done, by whoever comes by', () =>
    expect(decided(read(noted), 'announce').announcement.change).toBe('recovered'));
  test('right after the write that made the change', () => {
    decided({ kind: 'success_committed', adopted: false, seen: held.seen }, 'announce');
    decided({ kind: 'failure_committed', notBefore: undefined, seen: held.seen }, 'announce');
  });
  test('a failure that is tried again waits first', () =>
    decided({ kind: 'failure_committed', notBefore: at(minute), seen: held.seen }, 'wait'));
  test('then it goes on as if it had just looked; also if nobody could be told', () => {
    decided({ kind: 'announced', seen: { item: noted, profile: profileOf() } }, 'acquire');
    expect(decide({ kind: 'announced', seen: undefined }, circumstances())).toEqual({
      do: 'stop',
      reason: 'connection_not_found',
    });
  });
  test('after the first token of a grant, unless that fails or its holder dies', () => {
    const begun = { ...firstConnectionOf({ lastUsed: now }), announcement: { change: 'authorized' as const, at: now } };
    const holding = {
      ...begun,
      lease: { owner: 'other', fence: 12 as Fence, until: at(minute) },
      attempts: attemptsWith(attemptOf(12)),
    };
    decided(read(begun), 'acquire');
    decided(read(holding), 'wait');
    decided(read({ ...holding, lease: { ...holding.lease, until: now } }), 'announce');
    decided(read({ ...begun, notBefore: at(minute) }), 'announce');
    decided(read({ ...begun, failure: failureOf() }), 'announce');
    decided(read({ ...begun, state: 'reauthorization_required' }), 'announce');
    decided(read({ ...begun, lastUsed: at(-2 * hour) }), 'announce');
  });
  test('an attempt of somebody else does not keep it back', () => {
    const busy = {
      ...noted,
      lease: { owner: 'other', fence: 12 as Fence, until: at(minute) },
      attempts: attemptsWith(attemptOf(12)),
    };
    decided(read(busy), 'announce');
  });
});
