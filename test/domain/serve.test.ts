import { describe, expect, test } from 'vitest';
import { applied } from '../../shared/domain/apply.ts';
import type { Connection, Lease, SealedTokenSet } from '../../shared/domain/connection.ts';
import { arm } from '../../shared/domain/schedule-writes.ts';
import { type Answer, answerToRejection, type Serving, serve } from '../../shared/domain/serve.ts';
import { type EpochMs, plus } from '../../shared/domain/time.ts';
import {
  at,
  attemptOf,
  attemptsWith,
  connectionOf,
  dueConnectionOf,
  failureOf,
  firstConnectionOf,
  generation,
  hour,
  minute,
  now,
  second,
  tokenSetOf,
  without,
} from './fixtures.ts';

const leasedUntil = (ms: number) => ({ owner: 'another', fence: 12, until: at(ms) });
/** The item's own token set is served. */
const served = (warning?: string) => ({ kind: 'serve', warning }) as const;
const expectAnswer = (item: Connection, minTtlMs: number, expected: Answer | ReturnType<typeof served>) =>
  expect(serve(item, minTtlMs, now).answer).toEqual(
    expected.kind === 'serve' ? { ...expected, tokens: item.tokens } : expected,
  );
/** The provider renews it only when it is due. */
const rigid = (more: Partial<SealedTokenSet> = {}) => tokenSetOf({ renewableAt: at(hour), ...more });
/** For a renewal that no client has asked for yet, or for one that cannot begin before an instant. */
const wait = (notBefore?: EpochMs): Answer =>
  notBefore === undefined
    ? { kind: 'wait', notBefore, until: at(5 * second), retryAt: at(second) }
    : {
        kind: 'wait',
        notBefore,
        until: notBefore <= at(2 * second) ? plus(notBefore, 5 * second) : now,
        retryAt: notBefore,
      };
/** A caller asks for more life than a token has left that lives for 600 s, of which the first half is over in `ms`. */
const halfOver = (ms: number, more: Partial<Connection> = {}, renewableAt = at(ms - 299 * second)): Connection =>
  connectionOf({
    tokens: tokenSetOf({
      requestedAt: at(ms - 300 * second),
      receivedAt: at(ms - 299 * second),
      renewableAt,
      expiresAt: at(ms + 300 * second),
    }),
    refreshAt: at(ms + 270 * second),
    dueAt: at(ms + 270 * second),
    ...more,
  });
const wished = 400 * second;
const short = { refreshAt: at(-minute), tokens: rigid({ expiresAt: at(5 * second) }) };

describe('the answer', () => {
  const rows: readonly (readonly [
    title: string,
    item: Connection,
    minTtlMs: number,
    expected: Answer | ReturnType<typeof served>,
  ])[] = [
    ['a fresh token', connectionOf(), 10_000, served()],
    ['life of exactly min_ttl', dueConnectionOf({ tokens: rigid({ expiresAt: at(10_000) }) }), 10_000, served()],
    ['life 1 ms below min_ttl', dueConnectionOf({ tokens: rigid({ expiresAt: at(9_999) }) }), 10_000, wait()],
    ['due and backing off, still long enough', dueConnectionOf({ notBefore: at(minute) }), 10_000, served()],
    ['no token set yet', firstConnectionOf(), 10_000, wait()],

    ['too short, renewal due', connectionOf(short), 10_000, wait()],
    ['too short, a renewal under way', connectionOf({ ...short, lease: leasedUntil(7_000) }), 10_000, wait()],
    ['too short, its lease over on the instant', connectionOf({ ...short, lease: leasedUntil(0) }), 10_000, wait()],
    ['too short, backing off', connectionOf({ ...short, notBefore: at(minute) }), 10_000, wait(at(minute))],
    ['too short, back-off over on the instant', connectionOf({ ...short, notBefore: now }), 10_000, wait()],
    [
      'too short, backing off for longer than a lease lasts',
      connectionOf({ ...short, notBefore: at(minute), lease: leasedUntil(7_000) }),
      10_000,
      wait(at(minute)),
    ],
    [
      'too short for the default, renewal due in a moment',
      connectionOf({ refreshAt: at(2_000), tokens: rigid({ expiresAt: at(9_999) }) }),
      10_000,
      wait(at(2_000)),
    ],
    [
      'the same, backing off beyond',
      connectionOf({ refreshAt: at(2_000), tokens: rigid({ expiresAt: at(9_999) }), notBefore: at(3_000) }),
      10_000,
      wait(at(3_000)),
    ],

    // It came 59 s ago and lives for 540 s more: a fresh one lives for 599 s.
    [
      'too short for a wish that a fresh token fulfils',
      connectionOf({ tokens: rigid() }),
      599_000,
      wait(at(510 * second)),
    ],
    ['too short for a wish, 1 ms before half its life is over', halfOver(1), wished, wait(at(1))],
    ['too short for a wish, half its life over: it is renewed ahead of its time', halfOver(0), wished, wait()],
    [
      'the same, but the provider renews it in a minute at the earliest',
      halfOver(0, {}, at(minute)),
      wished,
      wait(at(minute)),
    ],
    ['the same, backing off', halfOver(0, { notBefore: at(minute) }), wished, wait(at(minute))],
    [
      'too short for a wish, and the provider renews it only when it is due',
      halfOver(0, {}, at(hour)),
      wished,
      wait(at(270 * second)),
    ],
    ['too short for a wish of 1 ms more', connectionOf(), 599_001, { kind: 'unsatisfiable', lifeMs: 540_000 }],
    [
      'expired, and the next one fulfils the wish, though not yet',
      connectionOf({ tokens: rigid({ expiresAt: at(-3_000) }), refreshAt: at(6_000) }),
      30_000,
      wait(at(6_000)),
    ],
    [
      'too short for a wish, renewal due on the instant',
      connectionOf({ refreshAt: now, tokens: rigid({ expiresAt: at(30_000) }) }),
      60_000,
      wait(),
    ],
    [
      'too short for a wish, renewal due and backing off',
      connectionOf({ ...short, notBefore: at(minute) }),
      64_000,
      wait(at(minute)),
    ],
    [
      'the same for a wish beyond any life',
      connectionOf({ ...short, notBefore: at(minute) }),
      64_001,
      { kind: 'unsatisfiable', lifeMs: 5_000 },
    ],
    ['a wish beyond any life, renewal due: the next one may live longer', connectionOf(short), 3_600_000, wait()],
    [
      'no token set yet, backing off: nobody knows how long one lives',
      firstConnectionOf({ notBefore: at(minute) }),
      3_600_000,
      wait(at(minute)),
    ],

    [
      'misconfigured, token valid',
      connectionOf({ state: 'misconfigured' }),
      10_000,
      served('misconfigured: this token is valid until it expires and will not be renewed'),
    ],
    [
      'misconfigured, token too short',
      connectionOf({ state: 'misconfigured', tokens: rigid({ expiresAt: at(9_999) }) }),
      10_000,
      { kind: 'refuse', code: 'misconfigured' },
    ],
    [
      'reauthorization required, life of exactly min_ttl',
      connectionOf({
        state: 'reauthorization_required',
        failure: failureOf({ class: 'dead_grant' }),
        tokens: rigid({ expiresAt: at(10_000) }),
      }),
      10_000,
      served('reauthorization_required: this token is valid until it expires and will not be renewed'),
    ],
    [
      'reauthorization required, token too short',
      connectionOf({ state: 'reauthorization_required', tokens: rigid({ expiresAt: at(9_999) }) }),
      10_000,
      { kind: 'refuse', code: 'reauthorization_required' },
    ],
    [
      'never authorized',
      firstConnectionOf({ state: 'reauthorization_required' }),
      10_000,
      { kind: 'refuse', code: 'reauthorization_required' },
    ],
  ];
  test.each(rows)('%s', (_title, item, minTtlMs, expected) => {
    expectAnswer(item, minTtlMs, expected);
  });

  test.each([
    ['one', failureOf({ count: 1 }), 'the last renewal failed (http_503); this token is valid until it expires'],
    ['several', failureOf({ count: 3 }), 'the last 3 renewals failed (http_503); this token is valid until it expires'],
    [
      'one that was too early is none: the token stays in force',
      failureOf({ class: 'too_early', code: 'access_denied' }),
      undefined,
    ],
  ])('a renewal that failed warns of itself and refuses nothing: %s', (_title, failure, warning) => {
    expectAnswer(dueConnectionOf({ failure }), 10_000, served(warning));
  });
});

describe('where a renewal ends the token before', () => {
  const tokens = tokenSetOf({ endsAtRenewal: true });
  const attempts = attemptsWith(attemptOf(12, { startedAt: at(-second) }));
  const mayHaveEnded = 'a renewal may have ended this token: report it if the provider refuses it';
  const ending = (more: Partial<Connection> = {}) => serve(connectionOf({ tokens, ...more }), 10_000, now);

  test('it is served as ever until the renewal is due, and never remembered', () => {
    expect(ending()).toMatchObject({ answer: { kind: 'serve', warning: undefined }, memorable: false });
    expect(ending().answer).not.toHaveProperty('betterUntil');
    expect(serve(connectionOf(), 10_000, now).memorable).toBe(true);
  });
  test('when it is due, the client had better wait for the next, for as long as any', () => {
    const due = ending({ refreshAt: now });
    expect(due).toMatchObject({ ask: true, answer: { kind: 'serve', betterUntil: at(5 * second) } });
    expect(ending({ refreshAt: now, notBefore: at(minute) }).answer).not.toHaveProperty('betterUntil');
  });
  test('the same while a renewal is under way, and the token comes with a warning', () => {
    const { answer } = ending({ refreshAt: at(-second), lease: leasedUntil(7_000) as Lease, attempts });
    expect(answer).toMatchObject({ kind: 'serve', warning: mayHaveEnded, betterUntil: at(4 * second) });
  });
  test('a renewal whose outcome is unknown may have ended it; no client waits for the next try', () => {
    const { answer } = ending({ attempts, refreshAt: now, notBefore: at(minute) });
    expect(answer).toMatchObject({ kind: 'serve', warning: mayHaveEnded });
    expect(answer).not.toHaveProperty('betterUntil');
  });
  test('so may a rival of the one that brought it', () => {
    expect(ending({ tokens: { ...tokens, contested: true } }).answer).toMatchObject({ warning: mayHaveEnded });
    expect(serve(connectionOf({ tokens: tokenSetOf({ contested: true }) }), 10_000, now).answer).toMatchObject({
      warning: undefined,
    });
  });
  test('a failure is not said to have left it alone', () => {
    const failure = failureOf({ class: 'transient', code: 'http_503', count: 1 });
    expect(ending({ failure }).answer).toMatchObject({
      warning: 'the last renewal failed (http_503); this token is valid until it expires, unless that has ended it',
    });
  });
});

describe('a paused connection', () => {
  const paused = { paused: { at: at(-minute) } };

  test('serves what its token has left, and says that it will not be renewed', () => {
    const { answer } = serve(dueConnectionOf(paused), 10_000, now);
    expect(answer).toMatchObject({ kind: 'serve', warning: expect.stringContaining('paused') });
  });

  test.each<[string, Connection]>([
    ['expired', dueConnectionOf({ ...paused, tokens: tokenSetOf({ expiresAt: now }) })],
    ['reported', connectionOf({ ...paused, rejected: { generation, times: 1 } })],
  ])('has none to give once it is %s, and asks for none', (_, item) => {
    expect(serve(item, 10_000, now)).toMatchObject({ answer: { kind: 'paused' }, ask: false, arm: false });
    expect(answerToRejection(item, now)).toEqual({ kind: 'paused' });
  });
});

describe('the marks', () => {
  const idle: Partial<Serving> = { ask: false, touch: false, arm: false };
  const rows: readonly (readonly [title: string, item: Connection, expected: Partial<Serving>])[] = [
    ['fresh and used lately: none', connectionOf(), { ...idle, memorable: true }],

    // Asking for a refresh: once, when it is due and can be had.
    ['1 ms before it is due', connectionOf({ refreshAt: at(1) }), { ask: false }],
    ['due on the instant', connectionOf({ refreshAt: now, dueAt: now }), { ...idle, ask: true, memorable: false }],
    ['no token set yet', firstConnectionOf(), { ask: true }],
    ['asked for 5 s ago less 1 ms', dueConnectionOf({ askedAt: at(-4_999) }), { ask: false, memorable: false }],
    ['asked for 5 s ago', dueConnectionOf({ askedAt: at(-5_000) }), { ask: true }],
    ['due, backing off for 1 ms more', dueConnectionOf({ notBefore: at(1) }), { ask: false, memorable: false }],
    ['due, back-off over on the instant', dueConnectionOf({ notBefore: now }), { ask: true }],
    ['due, leased for 1 ms more', dueConnectionOf({ lease: leasedUntil(1) }), { ask: false, memorable: false }],
    ['due, lease over on the instant', dueConnectionOf({ lease: leasedUntil(0) }), { ask: true }],

    // Noting the use: often enough for "within the hour", seldom enough to cost nothing.
    ['used 5 min ago less 1 ms', connectionOf({ lastUsed: at(1 - 5 * minute) }), { touch: false, memorable: true }],
    ['used 5 min ago', connectionOf({ lastUsed: at(-5 * minute) }), { ...idle, touch: true, memorable: false }],
    ['never used', without(connectionOf(), 'lastUsed'), { touch: true }],

    ['at rest', without(connectionOf(), 'dueAt'), { ...idle, arm: true, memorable: false }],
    ['at rest without a token set', without(firstConnectionOf(), 'dueAt'), { ask: true, arm: true }],

    // While it is paused, only its use is.
    ['paused and due', dueConnectionOf({ paused: { at: now } }), { ...idle, memorable: true }],
    [
      'paused, at rest, and not used lately',
      without(connectionOf({ paused: { at: now }, lastUsed: at(-hour) }), 'dueAt'),
      { ...idle, touch: true },
    ],

    // Where no refresher may renew, nothing is marked.
    [
      'not active, token valid',
      without(dueConnectionOf({ state: 'misconfigured' }), 'dueAt', 'lastUsed'),
      { ...idle, memorable: true },
    ],
    [
      'not active, token expired',
      without(
        connectionOf({ ...short, state: 'reauthorization_required', tokens: rigid({ expiresAt: now }) }),
        'dueAt',
        'lastUsed',
      ),
      { ...idle, memorable: false },
    ],
    [
      'not due, life too short',
      connectionOf({ refreshAt: at(1), tokens: rigid({ expiresAt: at(9_999) }), dueAt: at(1) }),
      { ...idle, memorable: false },
    ],
  ];
  test.each(rows)('%s', (_title, item, expected) => {
    expect(serve(item, 10_000, now)).toMatchObject(expected);
  });
});

describe('a token that lives too short for a caller is renewed ahead of its time', () => {
  const rows: readonly (readonly [title: string, item: Connection, expected: Partial<Serving>])[] = [
    ['not 1 ms before half its life is over', halfOver(1), { hasten: false, ask: false }],
    ['when half its life is over', halfOver(0), { hasten: true, ask: true, memorable: false }],
    ['not 1 ms before the provider allows it', halfOver(0, {}, at(1)), { hasten: false, ask: false }],
    ['not while it backs off', halfOver(0, { notBefore: at(1) }), { ask: false }],
    ['not by a second caller within 5 s', halfOver(0, { askedAt: at(-4_999) }), { ask: false }],
    ['not if it is due in any case', halfOver(0, { refreshAt: now }), { hasten: false, ask: true }],
    ['not where nobody can renew it', halfOver(0, { state: 'misconfigured' }), { hasten: false, ask: false }],
  ];
  test.each(rows)('%s', (_title, item, expected) => {
    expect(serve(item, wished, now)).toMatchObject(expected);
  });

  test('not for a caller who asks for as much life as it has', () => {
    expect(serve(halfOver(0), 300 * second, now)).toMatchObject({
      answer: served(),
      hasten: false,
      ask: false,
      memorable: true,
    });
  });
});

describe('arming: whatever is not in the due index, or too late in it, is put there', () => {
  const backingOff = (dueAt: EpochMs) => dueConnectionOf({ notBefore: at(minute), dueAt });
  const rows: readonly (readonly [title: string, item: Connection, dueAt: EpochMs | undefined])[] = [
    ['at rest: for when it is due', without(connectionOf(), 'dueAt'), at(510 * second)],
    ['in the index for when it is due', connectionOf({ dueAt: at(510 * second) }), undefined],
    [
      'in the index for 1 ms later, as for a keep-alive',
      connectionOf({ dueAt: at(510 * second + 1) }),
      at(510 * second),
    ],
    ['at rest and overdue: for now', without(dueConnectionOf(), 'dueAt'), now],
    ['overdue, in the index for now', dueConnectionOf({ dueAt: now }), undefined],
    ['overdue, in the index for 1 ms later', dueConnectionOf({ dueAt: at(1) }), now],
    [
      'overdue since its back-off ended, in the index for that end',
      dueConnectionOf({ notBefore: at(-1), dueAt: at(-1) }),
      undefined,
    ],
    ['at rest and backing off: for the end of that', without(backingOff(now), 'dueAt'), at(minute)],
    ['in the index for the end of the back-off', backingOff(at(minute)), undefined],
    ['in the index for 1 ms later', backingOff(at(minute + 1)), at(minute)],
    [
      'at rest, back-off over before it is due',
      without(connectionOf({ notBefore: at(minute) }), 'dueAt'),
      at(510 * second),
    ],
    ['at rest without a token set: for now', without(firstConnectionOf(), 'dueAt'), now],
  ];
  test.each(rows)('%s', (_title, item, dueAt) => {
    expect(serve(item, 10_000, now).arm).toBe(dueAt !== undefined);
    // What is asked for is what can be written.
    expect(applied(arm(item, now), item)?.dueAt).toBe(dueAt);
  });
});
