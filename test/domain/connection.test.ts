import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Connection, outlivesGrant, slotFor, usedSlots } from '../../shared/domain/connection.ts';
import { abandonGrant, replaceGrant } from '../../shared/domain/grant-writes.ts';
import type { Fence, Generation, GrantId } from '../../shared/domain/ids.ts';
import { firstPlace, inSecret } from '../plain.ts';
import {
  at,
  attemptOf,
  attemptsWith,
  connectionOf,
  failureOf,
  firstConnectionOf,
  itemAfter,
  now,
  profileOf,
  second,
} from './fixtures.ts';

/** Every attribute that there can be, each with a value of its own. */
const full: Required<Connection> = {
  ...(connectionOf() as Required<Connection>),
  state: 'reauthorization_required',
  cause: 'invalid_grant',
  lease: { owner: 'me', fence: 8 as Fence, until: at(second) },
  attempts: attemptsWith(attemptOf(8)),
  spare: inSecret(1, 'spare'),
  notBefore: at(1),
  failure: failureOf(),
  suspect: failureOf(),
  withheld: failureOf(),
  clientSecret: { versionId: 'both', inUse: 'second' },
  wakeAt: at(2),
  askedAt: at(3),
  rejected: { generation: 5 as Generation, times: 1 },
  announcement: { change: 'reauthorization_required', at: at(4) },
  changed: { at: at(4), paths: ['renewal'] },
  announcedEnd: at(5),
  announcedSecretEnd: at(5),
  authorization: { id: 'link', grantId: connectionOf().grant.id, configuredAt: at(1), expiresAt: at(2) },
  paused: { at: at(5) },
  deletion: { since: at(6), notBefore: at(7) },
};

describe('an attribute', () => {
  const section = readFileSync(new URL('../../docs/storage.md', import.meta.url), 'utf8').split(/^## /m)[1] ?? '';
  const rows = [...section.matchAll(/^\| `(\w+)` \| \w+ \| (stays|goes) \|/gm)];

  test('is in the table of docs/storage.md, with what becomes of it when a new grant comes', () => {
    expect(Object.fromEntries(rows.map(([, name, fate]) => [name, fate === 'stays']))).toEqual(outlivesGrant);
    expect(rows).toHaveLength(section.match(/^\| `/gm)?.length ?? 0);
  });

  const id = '11111111-0000-4000-8000';
  const survivors = Object.entries(outlivesGrant).flatMap(([name, stays]) => (stays ? [name] : []));

  test('of the old grant is not there any more once a new one has come', () => {
    const after = itemAfter(replaceGrant(full, full.config, now, { id: id as GrantId, place: firstPlace(id) }), full);
    expect(Object.keys(after).sort()).toEqual([...survivors, 'attempts', 'grant', 'refreshToken'].sort());
    expect(after).toMatchObject({ attempts: {}, grant: { id, at: now }, refreshToken: firstPlace(id) });
  });

  test('of a grant that is abandoned is not there any more, but for why the connection waits', () => {
    const after = itemAfter(abandonGrant(full, full.config, now, id as GrantId), full);
    expect(Object.keys(after).sort()).toEqual([...survivors, 'attempts', 'cause', 'grant'].sort());
    expect(after).toMatchObject({ attempts: {}, grant: { id, at: now }, cause: 'not_authorized_yet' });
    expect(after.announcement).toEqual(full.announcement);
  });
});

describe('the slots that may hold a secret', () => {
  test('are those of the import and of each token set that came or may have come, however their number changed', () => {
    const written = new Set([0]);
    let slots = 1;
    for (const [i, now] of [40, 40, 3, 40, 40].entries()) {
      const item = firstConnectionOf({ generation: i, slots });
      written.add(slotFor(item, profileOf({ slots: now })));
      slots = Math.max(slots, now);
      expect(usedSlots({ ...item, slots })).toBe(Math.min(slots, i + 2));
      expect(Math.max(...written)).toBeLessThan(usedSlots({ ...item, slots }));
    }
  });

  test('are all of them once they have come round', () => {
    expect(usedSlots(connectionOf({ generation: 38, slots: 40 }))).toBe(40);
    expect(usedSlots(connectionOf({ generation: 37, slots: 40 }))).toBe(39);
    expect(usedSlots(connectionOf({ generation: 4_000, slots: 40 }))).toBe(40);
  });
});
