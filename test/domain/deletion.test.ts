import { describe, expect, test } from 'vitest';
import { grantEnded, isPatient } from '../../shared/domain/deletion-writes.ts';
import { limits } from '../../shared/domain/limits.ts';
import { type Connection, plus } from '../../shared/domain/types.ts';
import { newConnection, now } from '../contract/adapters/worlds.ts';

const deletion = { since: now, notBefore: now };
const ended = { kind: 'revoked', versionId: 'v' } as const;
const place = { versionId: 'v', slot: 0 };
const without = ({ refreshToken: _, ...item }: Connection): Connection => item;

describe('the grant was ended', () => {
  test('if that was noted of the refresh token that there is', () => {
    expect(grantEnded(newConnection({ deletion: { ...deletion, ended }, refreshToken: place }))).toEqual(ended);
    expect(grantEnded(newConnection({ deletion: { ...deletion, ended }, refreshToken: { ...place, versionId: 'newer' } }))).toBeUndefined();
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
