import { describe, expect, test } from 'vitest';
import { type Assessment, assess, isUnused, leaseAlive } from '../../shared/domain/assess.ts';
import {
  holdersAnswerUntil,
  inDoubt,
  mayHaveBeenSent,
  openAttempts,
  withoutMine,
} from '../../shared/domain/attempts.ts';
import type { Connection } from '../../shared/domain/connection.ts';
import type { Fence } from '../../shared/domain/ids.ts';
import type { Profile } from '../../shared/domain/profile.ts';
import type { EpochMs } from '../../shared/domain/time.ts';
import {
  at,
  attemptOf,
  attemptsWith,
  callsWith,
  committedFence,
  connectionOf,
  day,
  dueConnectionOf,
  firstConnectionOf,
  generation,
  hour,
  minute,
  now,
  profileOf,
  second,
  tokenSetOf,
  without,
} from './fixtures.ts';

type Row = readonly [title: string, item: Connection, expected: Assessment, profile?: Partial<Profile>];

const refresh = (reason: Extract<Assessment, { kind: 'refresh' }>['reason']): Assessment => ({
  kind: 'refresh',
  reason,
});
const wait = (until: EpochMs, reason: Extract<Assessment, { kind: 'wait' }>['reason']): Assessment => ({
  kind: 'wait',
  until,
  reason,
});
const rest = (dueAt?: EpochMs): Assessment => ({ kind: 'rest', dueAt });
const leasedUntil = (ms: number) => ({ owner: 'another', fence: 12, until: at(ms) });
const open = attemptsWith(attemptOf(11));
const idle = { lastUsed: at(-hour) };

const rows: readonly Row[] = [
  // When it is due.
  ['fresh: not due', connectionOf(), wait(at(510 * second), 'not_due')],
  ['1 ms before it is due', connectionOf({ refreshAt: at(1) }), wait(at(1), 'not_due')],
  ['on the instant it is due', connectionOf({ refreshAt: now }), refresh('due')],
  ['long expired', connectionOf({ refreshAt: at(-day), tokens: tokenSetOf({ expiresAt: at(-day) }) }), refresh('due')],
  ['no token set yet', firstConnectionOf(), refresh('first')],
  [
    'the key of the due index says nothing: early',
    connectionOf({ dueAt: at(-minute) }),
    wait(at(510 * second), 'not_due'),
  ],
  ['the key of the due index says nothing: late', dueConnectionOf({ dueAt: at(hour) }), refresh('due')],
  ['the key of the due index says nothing: absent', without(dueConnectionOf(), 'dueAt'), refresh('due')],

  // Whether a client needs it.
  ['due, last used an hour ago less 1 ms', dueConnectionOf({ lastUsed: at(1 - hour) }), refresh('due')],
  ['due, last used an hour ago', dueConnectionOf(idle), rest()],
  ['due, never used', without(dueConnectionOf(), 'lastUsed'), rest()],
  ['no token set yet, never used', without(firstConnectionOf(), 'lastUsed'), rest()],
  ['idle, 1 ms before it is due', connectionOf({ ...idle, refreshAt: at(1) }), wait(at(1), 'not_due')],
  ['idle, but renewed always', dueConnectionOf(idle), refresh('due'), { renewal: 'always' }],
  ['idle while backing off: rests', dueConnectionOf({ ...idle, notBefore: at(minute) }), rest()],

  // While an operator has it paused.
  ['due, paused', dueConnectionOf({ paused: { at: at(-minute) } }), rest()],
  [
    'paused, and in doubt, reported, kept alive',
    dueConnectionOf({
      paused: { at: at(-minute) },
      attempts: attemptsWith(attemptOf(9)),
      rejected: { generation, times: 1 },
    }),
    rest(),
    { keepAliveMs: 1 },
  ],
  [
    'paused, something to tell',
    dueConnectionOf({ paused: { at: now }, changed: { at: at(-1), paths: ['paused'] } }),
    rest(at(-1)),
  ],
  [
    'paused, and being deleted',
    dueConnectionOf({ paused: { at: now }, deletion: { since: now, notBefore: now } }),
    { kind: 'stop', reason: 'deleted' },
  ],

  // Before the refresh token lapses from idleness (20 days after the token set came).
  [
    'idle, keep-alive ahead: rests until then',
    dueConnectionOf({ ...idle, tokens: tokenSetOf({ receivedAt: at(1 - 20 * day) }) }),
    rest(at(1)),
    { keepAliveMs: 20 * day },
  ],
  [
    'idle, keep-alive on the instant',
    dueConnectionOf({ ...idle, tokens: tokenSetOf({ receivedAt: at(-20 * day) }) }),
    refresh('keep_alive'),
    { keepAliveMs: 20 * day },
  ],
  [
    'idle, never renewed: counts from creation',
    without(firstConnectionOf({ createdAt: at(-20 * day) }), 'lastUsed'),
    refresh('keep_alive'),
    { keepAliveMs: 20 * day },
  ],
  [
    'keep-alive while backing off',
    dueConnectionOf({ ...idle, tokens: tokenSetOf({ receivedAt: at(-21 * day) }), notBefore: at(1) }),
    wait(at(1), 'backing_off'),
    { keepAliveMs: 20 * day },
  ],

  // What clients reported.
  [
    'this generation was rejected',
    connectionOf({ rejected: { generation: generation, times: 1 } }),
    refresh('rejected'),
  ],
  [
    'this generation was rejected, and nobody has asked lately',
    connectionOf({ ...idle, rejected: { generation: generation, times: 1 } }),
    refresh('rejected'),
  ],
  [
    'an earlier generation was rejected',
    connectionOf({ rejected: { generation: generation - 1, times: 1 } }),
    wait(at(510 * second), 'not_due'),
  ],
  [
    'rejected before there was a token set: no age to wait for',
    firstConnectionOf({ rejected: { generation: 0, times: 1 }, tokens: tokenSetOf({ renewableAt: at(minute) }) }),
    refresh('first'),
  ],
  [
    'the same, and nobody has asked lately',
    firstConnectionOf({ ...idle, rejected: { generation: 0, times: 1 } }),
    rest(),
  ],
  [
    'rejected 1 ms before its least age',
    connectionOf({ rejected: { generation: generation, times: 1 }, tokens: tokenSetOf({ renewableAt: at(1) }) }),
    wait(at(1), 'not_due'),
  ],
  [
    'rejected at its least age',
    connectionOf({ rejected: { generation: generation, times: 1 }, tokens: tokenSetOf({ renewableAt: now }) }),
    refresh('rejected'),
  ],

  // What is in doubt.
  [
    'an attempt on this generation is open: at once, though not due',
    connectionOf({ attempts: open }),
    refresh('in_doubt'),
  ],
  [
    'an attempt that its holder saw end leaves the same doubt',
    connectionOf({ attempts: attemptsWith(attemptOf(11, { ended: true })) }),
    refresh('in_doubt'),
  ],
  ['doubt beats resting', dueConnectionOf({ ...idle, attempts: open }), refresh('in_doubt')],
  [
    'doubt beats keep-alive',
    dueConnectionOf({ ...idle, tokens: tokenSetOf({ receivedAt: at(-20 * day) }), attempts: open }),
    refresh('in_doubt'),
    { keepAliveMs: 20 * day },
  ],
  [
    'doubt beats a rejection',
    connectionOf({ rejected: { generation: generation, times: 1 }, attempts: open }),
    refresh('in_doubt'),
    { minTokenAgeMs: 574 * second },
  ],
  [
    'an attempt that was not sent leaves no doubt',
    connectionOf({ attempts: attemptsWith(attemptOf(11, { sent: false })) }),
    wait(at(510 * second), 'not_due'),
  ],
  [
    'an attempt on a former generation leaves no doubt',
    connectionOf({ attempts: attemptsWith(attemptOf(11, { generation: generation - 1 })) }),
    wait(at(510 * second), 'not_due'),
  ],

  // Whose turn it is.
  ['due, leased for 1 ms more', dueConnectionOf({ lease: leasedUntil(1) }), wait(at(1), 'leased')],
  ['due, lease over on the instant', dueConnectionOf({ lease: leasedUntil(0) }), refresh('due')],
  [
    'in doubt, leased: its holder is at work',
    connectionOf({ lease: leasedUntil(5_000), attempts: open }),
    wait(at(5_000), 'leased'),
  ],
  ['not due, leased: not due', connectionOf({ lease: leasedUntil(5_000) }), wait(at(510 * second), 'not_due')],
  ['due, backing off for 1 ms more', dueConnectionOf({ notBefore: at(1) }), wait(at(1), 'backing_off')],
  ['due, back-off over on the instant', dueConnectionOf({ notBefore: now }), refresh('due')],
  ['in doubt, backing off', connectionOf({ notBefore: at(1), attempts: open }), wait(at(1), 'backing_off')],
  [
    'leased and backing off: first the lease',
    dueConnectionOf({ lease: leasedUntil(5_000), notBefore: at(minute) }),
    wait(at(5_000), 'leased'),
  ],

  // States that only an operator, a person who logs in, or DELETE can end.
  [
    'reauthorization required',
    dueConnectionOf({ state: 'reauthorization_required' }),
    { kind: 'stop', reason: 'reauthorization_required' },
  ],
  ['misconfigured', dueConnectionOf({ state: 'misconfigured' }), { kind: 'stop', reason: 'misconfigured' }],
  [
    'not active beats doubt',
    connectionOf({ state: 'reauthorization_required', attempts: open }),
    { kind: 'stop', reason: 'reauthorization_required' },
  ],
];

describe('assess', () => {
  for (const [title, item, expected, profile] of rows) {
    test(title, () => expect(assess({ item, profile: profileOf(profile) }, now)).toEqual(expected));
  }
});

describe('leaseAlive', () => {
  test.each([
    ['none', connectionOf(), false],
    ['1 ms to go', connectionOf({ lease: leasedUntil(1) }), true],
    ['over on the instant', connectionOf({ lease: leasedUntil(0) }), false],
  ])('%s', (_title, item, alive) => {
    expect(leaseAlive(item, now)).toBe(alive);
  });
});

describe('unused', () => {
  test.each([
    ['asked for an hour ago less 1 ms', connectionOf({ lastUsed: at(1 - hour) }), {}, false],
    ['asked for an hour ago', connectionOf({ lastUsed: at(-hour) }), {}, true],
    ['never asked for', without(connectionOf(), 'lastUsed'), {}, true],
    ['never asked for, renewed always', without(connectionOf(), 'lastUsed'), { renewal: 'always' }, false],
  ] as const)('%s', (_title, item, profile, expected) => {
    expect(isUnused(item, profileOf(profile), now)).toBe(expected);
  });
});

describe('attempts that may have been sent', () => {
  const item = connectionOf({
    attempts: attemptsWith(
      attemptOf(13),
      attemptOf(9, { generation: generation - 1 }),
      attemptOf(committedFence - 1, { generation: generation - 1 }),
      attemptOf(12, { sent: false }),
      attemptOf(11, { ended: true }),
      attemptOf(100),
    ),
  });
  const fences = (attempts: readonly { readonly fence: number }[]) => attempts.map((attempt) => attempt.fence);

  test('openAttempts: also those that a committed success has overtaken', () =>
    expect(fences(openAttempts(item, 13 as Fence))).toEqual([committedFence - 1, 9, 11, 100]));
  test('mayHaveBeenSent: all but those, in the order they were made', () =>
    expect(fences(mayHaveBeenSent(item))).toEqual([9, 11, 13, 100]));
  test('mayHaveBeenSent: mine excepted', () =>
    expect(fences(mayHaveBeenSent(item, 13 as Fence))).toEqual([9, 11, 100]));
  test('inDoubt: those with the current refresh token', () => expect(fences(inDoubt(item))).toEqual([11, 13, 100]));
  test('inDoubt: mine excepted', () => expect(fences(inDoubt(item, 13 as Fence))).toEqual([11, 100]));
});

describe('holdersAnswerUntil: 84 s after the latest start among those that have not ended', () => {
  test.each([
    ['no attempt', [], undefined],
    ['one, begun 84 s ago less 1 ms', [attemptOf(11, { startedAt: at(1 - 84 * second) })], at(1)],
    ['one, begun 84 s ago', [attemptOf(11, { startedAt: at(-84 * second) })], undefined],
    ['one that has ended', [attemptOf(11, { startedAt: now, ended: true })], undefined],
    [
      'the latest of several',
      [attemptOf(11, { startedAt: at(-9_000) }), attemptOf(12, { startedAt: at(-4_000) })],
      at(80 * second),
    ],
    [
      'the latest of several, by the clock and not by the fence',
      [attemptOf(11, { startedAt: at(-4_000) }), attemptOf(12, { startedAt: at(-9_000) })],
      at(80 * second),
    ],
    [
      'the latest that has not ended',
      [attemptOf(11, { startedAt: at(-9_000) }), attemptOf(12, { startedAt: at(-4_000), ended: true })],
      at(75 * second),
    ],
  ])('%s', (_title, attempts, until) => {
    expect(holdersAnswerUntil(attempts, now)).toBe(until);
  });
});

describe('withoutMine: the connection as if we had not acquired', () => {
  const theirs = attemptOf(11);

  test('takes away my lease, my attempt and my call, and nothing else', () => {
    const item = connectionOf({
      lease: leasedUntil(1),
      attempts: attemptsWith(theirs, attemptOf(12)),
      calls: callsWith({ failing: { 11: at(-minute), 12: now }, count: 7 }),
    });
    const calls = callsWith({ failing: { 11: at(-minute) }, count: 6 });
    const before = { ...item, attempts: attemptsWith(theirs), calls };
    expect(withoutMine(item, 12 as Fence)).toStrictEqual(without(before, 'lease'));
  });
  test('leaves a lease that is another’s', () => {
    const item = connectionOf({
      lease: leasedUntil(1),
      attempts: attemptsWith(theirs, attemptOf(13)),
      calls: callsWith({ failing: { 13: now }, count: 1 }),
    });
    expect(withoutMine(item, 13 as Fence)).toStrictEqual({
      ...item,
      attempts: attemptsWith(theirs),
      calls: callsWith(),
    });
  });
});
