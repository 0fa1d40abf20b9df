import { describe, expect, test } from 'vitest';
import type { Connection } from '../../shared/domain/connection.ts';
import { grantEnded, isPatient } from '../../shared/domain/deletion-writes.ts';
import type { Generation } from '../../shared/domain/ids.ts';
import { limits } from '../../shared/domain/limits.ts';
import { plus } from '../../shared/domain/time.ts';
import { newConnection, now, profile } from '../contract/worlds.ts';
import { taking } from '../holding.ts';
import { inSecret } from '../plain.ts';
import { itemAfter } from './fixtures.ts';

const deletion = { since: now, notBefore: now };
const ended = { kind: 'revoked', versionId: 'v' } as const;
const place = inSecret(0, 'v');
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
  const acquired = (item: Connection, slots: number) =>
    taking({ item, profile: { ...profile, slots } }, 'me', now, plus(now, 18_000));

  test('are noted with the intent to use them, and never fewer than before', () => {
    const item = newConnection({ slots: 3 });
    expect(acquired(item, 4).set.slots).toBe(4);
    expect(acquired(item, 2).set.slots).toBe(3);
  });

  test.each([
    ['always the same', [2, 2, 2, 2, 2, 2]],
    ['fewer and fewer', [40, 32, 8, 2, 1, 1]],
    ['more and more', [1, 1, 2, 2, 8, 40]],
    ['up and down', [2, 40, 1, 3, 1, 40, 2]],
  ])('include each that was, with settings that want %s', (_how, counts) => {
    let item = newConnection();
    const used = new Set([0]);
    expect(item.slots).toBeGreaterThan(Math.max(...used));
    for (const slots of counts) {
      const write = acquired(item, slots);
      const { lease: _, ...after } = itemAfter(write, item);
      used.add(write.attempt.slot);
      expect(after.slots).toBeGreaterThan(Math.max(...used));
      item = { ...after, generation: (item.generation + 1) as Generation };
    }
  });
});
