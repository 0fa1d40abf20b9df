/** Which signs of another party count, which a call of ours explains, and how they are kept. */

import { describe, expect, test } from 'vitest';
import { announced, announcementOf, dueBy } from '../../shared/domain/announcements.ts';
import { commitFailure, commitSuccess } from '../../shared/domain/commit-writes.ts';
import type { Connection } from '../../shared/domain/connection.ts';
import { replaceGrant } from '../../shared/domain/grant-writes.ts';
import type { GrantId } from '../../shared/domain/ids.ts';
import {
  freshOf,
  noticed,
  signOfRefusal,
  signOfRejections,
  signOfTooEarly,
} from '../../shared/domain/second-refresher.ts';
import type { SecondRefresher, Sign } from '../../shared/domain/signs.ts';
import { holding } from '../holding.ts';
import { inSecret, type Plain } from '../plain.ts';
import {
  at,
  attemptOf,
  attemptsWith,
  callsWith,
  commitOf,
  connectionOf,
  day,
  dueConnectionOf,
  failureOf,
  generation,
  heldOf,
  hour,
  itemAfter,
  minute,
  myFence,
  now,
  profileOf,
  second,
  tokenSetOf,
} from './fixtures.ts';

const reused = failureOf({ class: 'dead_grant', code: 'invalid_grant', cause: 'refresh_token_reused', at: now });
const renewedAnHourAgo = { tokens: tokenSetOf({ receivedAt: at(-hour), expiresAt: at(29 * second) }) };
const login = { id: 'login', grantId: 'a', configuredAt: at(-day), expiresAt: at(minute) };

/** What a call of ours explains, or may explain. */
const explained: readonly (readonly [title: string, more: Partial<Plain<Connection>>])[] = [
  ['an earlier attempt is open', { attempts: attemptsWith(attemptOf(11)) }],
  ['an earlier attempt ended without an answer', { attempts: attemptsWith(attemptOf(11, { ended: true })) }],
  ['a success has overtaken an attempt', { attempts: attemptsWith(attemptOf(7, { generation: generation - 1 })) }],
  ['what brought this token set may have been sent twice', { tokens: tokenSetOf({ contested: true }) }],
  ['the call before failed', { failure: failureOf() }],
  ['a code is being redeemed', { authorization: { ...login, redeemer: 'callback' } }],
  ['a code was redeemed, and no answer came', { calls: callsWith({ codes: { login: at(-minute) } }) }],
  [
    'a code was redeemed, and what it brought was dropped',
    { authorization: { ...login, redeemer: 'callback', outcome: { kind: 'changed_meanwhile' } } },
  ],
];

describe('the provider says that the refresh token was used', () => {
  const signOf = (item: Connection) => signOfRefusal(heldOf(item), item, reused);
  test('by another party, where every call of ours is accounted for', () =>
    expect(signOf(dueConnectionOf(renewedAnHourAgo))).toBe('refresh_token_reused'));
  test('also after a login that has connected', () => {
    const connected = { ...login, redeemer: 'callback', outcome: { kind: 'connected' } } as const;
    expect(signOf(dueConnectionOf({ authorization: connected }))).toBe('refresh_token_reused');
  });
  test.each(explained)('not where %s', (_title, more) => expect(signOf(dueConnectionOf(more))).toBeUndefined());
  test('not where that was written down since the lease was taken', () => {
    const now = dueConnectionOf({ authorization: { ...login, redeemer: 'callback' } } as never);
    expect(signOfRefusal(heldOf(), now, reused)).toBeUndefined();
  });
  test('not of a grant that has brought no token set yet: it was imported so', () => {
    const { tokens: _tokens, ...first } = dueConnectionOf();
    expect(signOf(first)).toBeUndefined();
  });
});

describe('a refusal that says nothing of use', () => {
  const signAfter = (ms: number, cause?: 'invalid_grant' | 'refresh_token_expired') => {
    const item = dueConnectionOf({ tokens: tokenSetOf({ receivedAt: at(-ms) }) });
    return signOfRefusal(heldOf(item), item, failureOf({ class: 'dead_grant', at: now, ...(cause && { cause }) }));
  };
  test('is a hint within two minutes after a success', () => {
    expect(signAfter(2 * minute - 1, 'invalid_grant')).toBe('refused_soon');
    expect(signAfter(2 * minute, 'invalid_grant')).toBeUndefined();
    expect(signAfter(second)).toBe('refused_soon');
  });
  test('is none of a token that has expired', () => expect(signAfter(second, 'refresh_token_expired')).toBeUndefined());
});

describe('the provider says that it is too early', () => {
  const exact = profileOf({ minTokenAgeMs: 574 * second });
  const aged = (seconds: number) => dueConnectionOf({ tokens: tokenSetOf({ receivedAt: at(-seconds * second) }) });
  test('though the token set is old enough: it has issued one since', () => {
    expect(signOfTooEarly(heldOf(aged(574), exact))).toBe('renewed_elsewhere');
    expect(signOfTooEarly(heldOf(aged(573), exact))).toBeUndefined();
  });
  test('and no least age is known of it: that is what it means', () =>
    expect(signOfTooEarly(heldOf(aged(574)))).toBeUndefined());
  test.each(explained)('not where %s', (_title, more) => {
    const tokens = tokenSetOf({ ...more.tokens, receivedAt: at(-600 * second) });
    expect(signOfTooEarly(heldOf(dueConnectionOf({ ...more, tokens }), exact))).toBeUndefined();
  });
});

describe('clients report new tokens as refused', () => {
  const ending = profileOf({ renewalEndsPrevious: true });
  const rejected = (times: number, more: Partial<Plain<Connection>> = {}) =>
    heldOf(connectionOf({ rejected: { generation, times }, ...more }), ending);
  test('three in a row, where a renewal ends the token before', () => {
    expect(signOfRejections(rejected(3))).toBe('tokens_rejected');
    expect(signOfRejections(rejected(2))).toBeUndefined();
    expect(signOfRejections(heldOf(connectionOf({ rejected: { generation, times: 3 } } as never)))).toBeUndefined();
  });
  test('and this renewal is made for it', () => {
    expect(signOfRejections(rejected(3, { refreshAt: now }))).toBeUndefined();
    expect(signOfRejections(rejected(3, { rejected: { generation: generation - 1, times: 3 } }))).toBeUndefined();
  });
  test.each(explained)('not where %s', (_title, more) => expect(signOfRejections(rejected(3, more))).toBeUndefined());
});

describe('a sign that is written down', () => {
  const noticedAfter = (before: SecondRefresher | undefined, sign: Sign, instant = now) =>
    noticed(connectionOf(before && { secondRefresher: before }), sign, instant).secondRefresher;
  test('begins a suspicion if it is certain, and none if it is a hint', () => {
    expect(noticedAfter(undefined, 'renewed_elsewhere')).toEqual({
      signs: { renewed_elsewhere: { at: now, times: 1 } },
      suspectedAt: now,
      untold: true,
    });
    expect(noticedAfter(undefined, 'refused_soon')).toEqual({ signs: { refused_soon: { at: now, times: 1 } } });
  });
  test('is counted, and the suspicion stays as old as it is', () => {
    const suspected: SecondRefresher = {
      signs: { renewed_elsewhere: { at: at(-day), times: 4 } },
      suspectedAt: at(-day),
    };
    expect(noticedAfter(suspected, 'renewed_elsewhere')).toEqual({
      signs: { renewed_elsewhere: { at: now, times: 5 } },
      suspectedAt: at(-day),
    });
  });
  test('counts for a week; what comes later is a suspicion of its own', () => {
    const old: SecondRefresher = {
      signs: { renewed_elsewhere: { at: at(-7 * day), times: 4 } },
      suspectedAt: at(-7 * day),
    };
    expect(freshOf(old, now)).toBeUndefined();
    expect(freshOf(old, at(-1))).toEqual(old);
    expect(noticedAfter(old, 'renewed_elsewhere')?.suspectedAt).toBe(now);
  });
  test('leaves hints where the certain ones are long ago', () => {
    const both: SecondRefresher = {
      signs: { renewed_elsewhere: { at: at(-8 * day), times: 1 }, refused_soon: { at: at(-day), times: 1 } },
      suspectedAt: at(-8 * day),
    };
    expect(freshOf(both, now)).toEqual({ signs: { refused_soon: { at: at(-day), times: 1 } } });
  });

  const { item } = heldOf(dueConnectionOf(renewedAnHourAgo)).seen;
  const held = holding(item, myFence, profileOf());
  const early = failureOf({ class: 'too_early', at: now, fence: myFence });
  const failed = itemAfter(
    commitFailure(held, {
      failure: early,
      notBefore: at(minute),
      state: 'active',
      suspect: false,
      sign: 'renewed_elsewhere',
    }),
    item,
  );
  test('comes with the failure, which is tried again as without it, and has the planner look for the news', () => {
    expect(failed.secondRefresher?.suspectedAt).toBe(now);
    expect(failed.notBefore).toBe(at(minute));
    expect(failed.dueAt).toBe(now);
    expect(dueBy(failed, at(hour))).toBe(now);
  });
  test('is told once, and then the planner looks when the connection needs it', () => {
    const seen = { item: failed, profile: profileOf() };
    const announcement = announcementOf(seen, now);
    expect(announcement).toMatchObject({ change: 'second_refresher_suspected', at: now, signs: ['renewed_elsewhere'] });
    if (announcement === undefined) return;
    const told = itemAfter(announced(seen, announcement), failed);
    expect(told.secondRefresher?.untold).toBeUndefined();
    expect(told.secondRefresher?.suspectedAt).toBe(now);
    expect(told.dueAt).toBe(at(minute));
    expect(announcementOf({ ...seen, item: told }, now)).toBeUndefined();
  });
  test('comes with the success that a report has asked for', () => {
    const rejecting = heldOf(
      connectionOf({ rejected: { generation, times: 3 } } as never),
      profileOf({ renewalEndsPrevious: true }),
    );
    const [write] = commitSuccess(rejecting, commitOf());
    expect(write?.set.secondRefresher).toEqual({ signs: { tokens_rejected: { at: now, times: 1 } } });
  });
  test('goes with the grant', () => {
    const write = replaceGrant(failed, failed.config, now, { id: 'b' as GrantId, place: inSecret(0, 'version') });
    expect(itemAfter(write, failed).secondRefresher).toBeUndefined();
  });
});
