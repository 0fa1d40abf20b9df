import { describe, expect, test } from 'vitest';
import { type Connection, slotFor } from '../../shared/domain/connection.ts';
import { grantEnded, isPatient, notingSlots, slotsUsed } from '../../shared/domain/deletion-writes.ts';
import { limits } from '../../shared/domain/limits.ts';
import type { Profile } from '../../shared/domain/profile.ts';
import { plus } from '../../shared/domain/time.ts';
import type { Write } from '../../shared/domain/writes.ts';
import { newConnection, now, profile } from '../contract/worlds.ts';

const deletion = { since: now, notBefore: now };
const ended = { kind: 'revoked', versionId: 'v' } as const;
const place = { versionId: 'v', slot: 0 };
const without = ({ refreshToken: _, ...item }: Connection): Connection => item;

describe('the grant was ended', () => {
  test('if that was noted of the refresh token that there is', () => {
    expect(grantEnded(newConnection({ deletion: { ...deletion, ended }, refreshToken: place }))).toEqual(ended);
    expect(
      grantEnded(newConnection({ deletion: { ...deletion, ended }, refreshToken: { ...place, versionId: 'newer' } })),
    ).toBeUndefined();
    expect(grantEnded(newConnection({ deletion, refreshToken: place }))).toBeUndefined();
  });

  test('also if there was no refresh token, and still is none', () => {
    const none = { kind: 'refused', code: 'no_refresh_token' } as const;
    expect(grantEnded(without(newConnection({ deletion: { ...deletion, ended: none } })))).toEqual(none);
    expect(grantEnded(newConnection({ deletion: { ...deletion, ended: none }, refreshToken: place }))).toBeUndefined();
    expect(grantEnded(without(newConnection({ deletion })))).toBeUndefined();
    expect(grantEnded(without(newConnection()))).toBeUndefined();
  });
});

test('a provider that cannot be told is tried for a day, and no longer', () => {
  expect(isPatient(deletion, plus(now, limits.revocationMs - 1))).toBe(true);
  expect(isPatient(deletion, plus(now, limits.revocationMs))).toBe(false);
});

describe('slots that a connection may have used', () => {
  const write: Write = { name: 'any', when: [], set: { wakeAt: now }, remove: [] };
  const noted = (item: Connection, slots: number) => notingSlots(write, { item, profile: { ...profile, slots } });
  const after = (item: Connection, slots: number): Connection => ({
    ...item,
    ...(noted(item, slots).set as Partial<Connection>),
  });

  test('are noted with the write that may use more of them, and with no other', () => {
    const item = newConnection({ slots: 3 });
    expect(noted(item, 4)).toEqual({ ...write, set: { wakeAt: now, slots: 4 } });
    expect(noted(item, 3)).toBe(write);
    expect(noted(item, 2)).toBe(write);
  });

  test('are at most one more than generations, where they were not noted from the start', () => {
    expect(slotsUsed(newConnection({ generation: 7 }))).toBe(9);
    expect(slotsUsed(newConnection({ generation: 7, slots: 2 }))).toBe(2);
    expect(noted(newConnection({ generation: 7 }), 2).set.slots).toBe(9);
    expect(noted(newConnection({ generation: 7 }), 32).set.slots).toBe(32);
  });

  test.each([
    ['always the same', [2, 2, 2, 2, 2, 2]],
    ['fewer and fewer', [40, 32, 8, 2, 1, 1]],
    ['more and more', [1, 1, 2, 2, 8, 40]],
    ['up and down', [2, 40, 1, 3, 1, 40, 2]],
  ])('include each that was, whether or not noted from the start, with settings that want %s', (_how, counts) => {
    for (let unnoted = 0; unnoted <= counts.length; unnoted += 1) {
      let item = newConnection();
      const used = new Set([item.refreshToken?.slot ?? 0]);
      counts.forEach((slots, i) => {
        const seen: Profile = { ...profile, slots };
        if (i >= unnoted) item = after(item, slots);
        used.add(slotFor(item, seen));
        item = { ...item, generation: item.generation + 1 };
        expect(slotsUsed(item)).toBeGreaterThan(Math.max(...used));
      });
    }
  });
});
