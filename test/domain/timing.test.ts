import { describe, expect, test } from 'vitest';
import { commitSuccess } from '../../shared/domain/commit-writes.ts';
import type { Connection } from '../../shared/domain/connection.ts';
import type { Failure } from '../../shared/domain/failure.ts';
import { plus } from '../../shared/domain/time.ts';
import {
  backOffUntil,
  between,
  countAfter,
  hastenedAtOf,
  keepAliveAtOf,
  lifeOf,
  refreshAtOf,
  retryAfterSeconds,
  safeAt,
  sameRefusalUntil,
  toldEndOf,
  tooEarlyUntil,
} from '../../shared/domain/timing.ts';
import {
  at,
  commitOf,
  connectionOf,
  day,
  failureOf,
  firstConnectionOf,
  heldOf,
  hour,
  minute,
  now,
  profileOf,
  second,
  tokenSetOf,
} from './fixtures.ts';

describe('refreshAtOf: from when a renewal is wanted, in seconds from the start of the request', () => {
  test.each([
    ['an hour’s token: the margin before expiry', { life: 3_600, answered: 1 }, 3_570],
    [
      'a slow answer: the margin still counts back from an expiry that runs from the request',
      { life: 3_600, answered: 35 },
      3_570,
    ],
    ['a wider margin', { life: 3_600, answered: 1, margin: 300 }, 3_300],
    ['a token of twice the margin: the whole margin', { life: 60, answered: 1 }, 30],
    ['a token a little shorter: half its life', { life: 59, answered: 1 }, 29.5],
    ['a token shorter than the margin: half its life', { life: 10, answered: 1 }, 5],
    ['a token that expired when it came: at once', { life: 0, answered: 0 }, 0],
    ['least age below the margin: of no consequence', { life: 600, answered: 9.999, leastAge: 560 }, 570],
    ['least age on the margin', { life: 600, answered: 10, leastAge: 560 }, 570],
    ['least age beyond the margin: counts from the answer', { life: 600, answered: 10.001, leastAge: 560 }, 570.001],
    ['Exact, answered quickly: between least age and expiry', { life: 600, answered: 0.4, leastAge: 574 }, 574.4],
    [
      'Exact, answered after 35 s: its least age is beyond expiry, and is kept',
      { life: 600, answered: 35, leastAge: 574 },
      609,
    ],
    [
      'spread half: a twentieth of what an hour has beyond twice the margin',
      { life: 3_600, answered: 1, spread: 0.5 },
      3_393,
    ],
    ['spread whole: a tenth of it', { life: 3_600, answered: 1, spread: 1 }, 3_216],
    ['spread, and the margin is wider', { life: 3_600, answered: 1, margin: 300, spread: 0.5 }, 3_150],
    ['spread, a token of twice the margin: not at all', { life: 60, answered: 1, spread: 1 }, 30],
    ['spread, a token that is shorter: not at all', { life: 10, answered: 1, spread: 1 }, 5],
    ['spread, and the provider renews it only later', { life: 3_600, answered: 1, leastAge: 3_300, spread: 1 }, 3_301],
    [
      'spread, and the provider renews it only shortly before its end',
      { life: 600, answered: 0.4, leastAge: 574, spread: 1 },
      574.4,
    ],
  ])(
    '%s',
    (_title, {
      life,
      answered,
      margin = 30,
      leastAge = 0,
      spread = 0,
    }: { life: number; answered: number; margin?: number; leastAge?: number; spread?: number }, seconds) => {
      const tokens = { requestedAt: now, receivedAt: at(answered * second), expiresAt: at(life * second) };
      const profile = profileOf({ marginMs: margin * second, minTokenAgeMs: leastAge * second, spreadShare: 0.1 });
      expect(refreshAtOf(tokens, profile, spread)).toBe(at(seconds * second));
    },
  );
});

describe('keepAliveAtOf: when an idle refresh token must be used', () => {
  const lapsing = profileOf({ keepAliveMs: 20 * day });
  test('counts from the last token set', () =>
    expect(keepAliveAtOf(connectionOf({ tokens: tokenSetOf({ receivedAt: at(-day) }) }), lapsing)).toBe(at(19 * day)));
  test('counts from creation before there is one', () =>
    expect(keepAliveAtOf(firstConnectionOf({ createdAt: at(-2 * day) }), lapsing)).toBe(at(18 * day)));
  test('never, where refresh tokens do not lapse', () =>
    expect(keepAliveAtOf(connectionOf(), profileOf())).toBeUndefined());

  const ending = { renewalEndsPrevious: true };
  const told = (ms: number) => tokenSetOf({ receivedAt: now, grantEnd: { at: at(ms), toldAt: now, fixed: false } });
  test('not before the renewal is due, where that ends an access token', () => {
    const item = connectionOf({ refreshAt: at(hour) });
    expect(keepAliveAtOf(item, profileOf({ keepAliveMs: minute, ...ending }))).toBe(at(hour));
    expect(keepAliveAtOf(item, profileOf({ keepAliveMs: day, ...ending }))).toBe(at(day - 59 * second));
  });
  test('unless the end that was told asks for it: when so much of the time is over', () => {
    const item = connectionOf({ tokens: told(1_000 * second), refreshAt: at(hour) });
    expect(keepAliveAtOf(item, profileOf())).toBe(at(500 * second));
    expect(keepAliveAtOf(item, profileOf(ending))).toBe(at(650 * second));
  });
});

describe('lifeOf: a token that lives for a moment', () => {
  test.each([
    ['at first', undefined],
    ['after another, whose end was about the same', { requestedAt: at(-second), expiresAt: now }],
  ])('%s is renewed no sooner than a look can be promised', (_, before) => {
    const tokens = { requestedAt: now, receivedAt: now, expiresAt: at(second) };
    const { refreshAt, renewableAt, expiresAt } = lifeOf(tokens, before, profileOf(), undefined, 0);
    expect({ refreshAt, renewableAt, expiresAt }).toEqual({
      refreshAt: at(2_600),
      renewableAt: at(2_600),
      expiresAt: at(second),
    });
  });
});

describe('lifeOf and toldEndOf: an end that only one reply told', () => {
  const reply = (ms: number) => ({ requestedAt: at(ms), receivedAt: at(ms), expiresAt: at(ms + hour) });
  test('is counted from each use, not to itself', () => {
    const first = toldEndOf({ receivedAt: now, grantEndsAt: at(20 * minute) }, undefined);
    expect(lifeOf(reply(0), undefined, profileOf(), first, 0).refreshAt).toBe(at(10 * minute));
    const still = toldEndOf({ receivedAt: at(10 * minute) }, first);
    expect(still).toEqual(first);
    expect(lifeOf(reply(10 * minute), reply(0), profileOf(), still, 0).refreshAt).toBe(at(20 * minute));
    expect(lifeOf(reply(20 * minute), reply(10 * minute), profileOf(), still, 0).refreshAt).toBe(at(30 * minute));
  });
  // The third is the reply of one call, found a second time: an adopted orphan that had been committed meanwhile.
  test.each([
    ['a token that comes again', { ...reply(10 * minute), again: true }],
    ['a token whose end the session caps', { ...reply(10 * minute), expiresAt: at(hour) }],
    ['a token set that was committed already', reply(0)],
  ])('is obeyed after %s, too', (_, tokens) => {
    const told = toldEndOf({ receivedAt: now, grantEndsAt: at(20 * minute) }, undefined);
    const { refreshAt, renewableAt } = lifeOf(tokens, reply(0), profileOf(), told, 0);
    expect(refreshAt).toBe(plus(tokens.receivedAt, 10 * minute));
    expect(renewableAt).toBeLessThanOrEqual(refreshAt);
  });
});

describe('lifeOf: a token that comes again', () => {
  const life = (requestedAt: number, receivedAt: number) => ({
    requestedAt: at(requestedAt),
    receivedAt: at(receivedAt),
    expiresAt: at(requestedAt + minute),
    again: true,
  });
  const first = lifeOf({ ...life(0, 20 * second), again: false }, undefined, profileOf(), undefined, 0);
  test('has its first end, also where the request began before it and the reply came long after', () => {
    expect(first).toMatchObject({ expiresAt: at(minute), overAt: at(80 * second) });
    const slow = lifeOf(life(59 * second, 90 * second), first, profileOf(), undefined, 0);
    expect(slow).toMatchObject({ expiresAt: at(minute), overAt: at(80 * second), refreshAt: at(95 * second) });
  });
  test('nor is it prolonged while it may have begun as late as its first reply came', () => {
    expect(lifeOf(life(85 * second - 1, 86 * second), first, profileOf(), undefined, 0).expiresAt).toBe(at(minute));
    expect(lifeOf(life(85 * second, 86 * second), first, profileOf(), undefined, 0).expiresAt).toBe(at(145 * second));
  });
});

test('hastenedAtOf: one client’s wish does not end a token that others use', () => {
  const tokens = tokenSetOf({ requestedAt: at(-hour), renewableAt: at(-hour), expiresAt: at(hour) });
  expect(hastenedAtOf(connectionOf({ tokens, refreshAt: at(minute) }))).toBe(now);
  expect(hastenedAtOf(connectionOf({ tokens: { ...tokens, endsAtRenewal: true }, refreshAt: at(minute) }))).toBe(
    at(minute),
  );
});

test('safeAt: a holder can answer until its function is killed after 80 s, by the slower of two clocks 2 s off', () => {
  expect(safeAt(now)).toBe(at(84 * second));
});

describe('backOffUntil: the next attempt, in seconds from now', () => {
  test.each([
    ['first failure', { count: 1 }, 5],
    ['second failure: doubled', { count: 2 }, 10],
    ['fifth failure', { count: 5 }, 80],
    ['last one below a quarter of an hour', { count: 8 }, 640],
    ['a quarter of an hour at most', { count: 9 }, 900],
    ['however many', { count: 5_000 }, 900],
    ['jitter adds up to a quarter', { count: 1, chance: 0.8 }, 6],
    ['jitter adds to the longest too', { count: 9, chance: 0.8 }, 1_080],
    ['a code with a first delay of its own', { count: 1, code: 'http_429' }, 60],
    ['a code with a first delay of its own, doubled', { count: 3, code: 'http_429' }, 240],
    ['the provider’s word wins when it is longer', { count: 1, retryAt: 300 }, 300],
    ['the provider’s word wins when it is shorter', { count: 2, retryAt: 2 }, 2],
    ['the provider’s word is not kept to again and again', { count: 4, retryAt: 2 }, 8],
    ['the provider’s word is not kept to for more than a minute', { count: 9, retryAt: 2 }, 60],
    ['the provider’s word is kept to within a second', { count: 1, retryAt: 300, chance: 0.5 }, 300.5],
    ['the provider’s word, just ahead', { count: 1, retryAt: 0.001 }, 1],
    ['the provider’s word is no answer when it is now', { count: 1, retryAt: 0 }, 5],
    ['the provider’s word is no answer when it is past', { count: 2, retryAt: -60 }, 10],
    ['the provider’s word up to a day', { count: 1, retryAt: 86_400 }, 86_400],
    ['no provider stops us for more than a day', { count: 1, retryAt: 86_401 }, 86_400],
  ])(
    '%s',
    (_title, {
      count,
      code = 'http_503',
      chance = 0,
      retryAt,
    }: { count: number; code?: string; chance?: number; retryAt?: number }, seconds) => {
      const until = backOffUntil(
        now,
        count,
        code,
        profileOf(),
        chance,
        retryAt === undefined ? undefined : at(retryAt * second),
      );
      expect(until).toBe(at(seconds * second));
    },
  );
});

describe('tooEarlyUntil: never in the past, in seconds from now', () => {
  test.each([
    ['old enough in a moment: then', { age: 573.999, inDoubt: false, count: 1 }, 0.001],
    ['old enough in a moment, in doubt: then', { age: 573.999, inDoubt: true, count: 3 }, 0.001],
    ['old enough just now: a few seconds', { age: 574, inDoubt: false, count: 1 }, 5],
    ['older: doubling', { age: 600, inDoubt: false, count: 4 }, 40],
    ['older: to a minute at most', { age: 600, inDoubt: false, count: 5 }, 60],
    ['older, however often', { age: 600, inDoubt: false, count: 5_000 }, 60],
    ['old enough just now, in doubt: a minute', { age: 574, inDoubt: true, count: 1 }, 60],
    ['older, in doubt: doubling', { age: 600, inDoubt: true, count: 4 }, 480],
    ['older, in doubt: to a quarter of an hour at most', { age: 600, inDoubt: true, count: 5 }, 900],
    ['no token yet: a few seconds', { age: undefined, inDoubt: false, count: 1 }, 5],
    ['no token yet, in doubt: a minute', { age: undefined, inDoubt: true, count: 1 }, 60],
  ])('%s', (_title, { age, inDoubt, count }, seconds) => {
    const item =
      age === undefined ? firstConnectionOf() : connectionOf({ tokens: tokenSetOf({ receivedAt: at(-age * second) }) });
    expect(tooEarlyUntil(now, item, profileOf({ minTokenAgeMs: 574 * second }), inDoubt, count)).toBe(
      at(seconds * second),
    );
  });
});

describe('sameRefusalUntil: for how long the same refusal is not asked for again, in minutes since it came', () => {
  const refused = (alike: number, more: Partial<Failure> = {}) =>
    firstConnectionOf({ failure: failureOf({ code: 'on_hold', alike, at: now, ...more }) });

  test.each([
    ['at first no longer than every failure', 9, 15],
    ['from then on as long again', 10, 30],
    ['twice as long each time', 12, 120],
    ['up to four hours', 13, 240],
    ['and no longer', 40, 240],
  ])('%s', (_, alike, minutes) => {
    expect(sameRefusalUntil(refused(alike), at(minutes * minute - 1))).toBe(at(minutes * minute));
    expect(sameRefusalUntil(refused(alike), at(minutes * minute))).toBeUndefined();
  });

  test.each([
    ['a failure of which many settle nothing', firstConnectionOf({ failure: failureOf({ count: 40, at: now }) })],
    ['another meaning', refused(40, { class: 'in_doubt' })],
    ['no failure', firstConnectionOf()],
    ['a token that lives', connectionOf({ failure: failureOf({ alike: 40, at: now }) })],
  ])('not for %s', (_, item) => {
    expect(sameRefusalUntil(item, at(1))).toBeUndefined();
  });

  test('but for a token that has expired', () => {
    const item = connectionOf({ tokens: tokenSetOf({ expiresAt: now }), failure: failureOf({ alike: 9, at: now }) });
    expect(sameRefusalUntil(item, at(1))).toBe(at(15 * minute));
  });
});

describe('countAfter: failures in a row', () => {
  const third = (kind: Failure['class']) => failureOf({ class: kind, count: 3 });
  test.each([
    ['the first', undefined, 'transient', 1],
    ['the same again', third('transient'), 'transient', 4],
    ['another kind of failure goes on counting', third('transient'), 'in_doubt', 4],
    ['too early again', third('too_early'), 'too_early', 4],
    ['too early after a failure is no failure', third('transient'), 'too_early', 1],
    ['a failure after too early is the first', third('too_early'), 'transient', 1],
  ] as const)('%s', (_title, previous, next, count) => {
    expect(countAfter(previous, next)).toBe(count);
  });
});

describe('retryAfterSeconds: within 1 and 60, rounded up', () => {
  test.each([
    ['unknown', undefined, 1],
    ['past', -5_000, 1],
    ['now', 0, 1],
    ['1 s', 1_000, 1],
    ['a little more', 1_001, 2],
    ['59.001 s', 59_001, 60],
    ['60 s', 60_000, 60],
    ['an hour', hour, 60],
  ])('%s', (_title, ms, seconds) => {
    expect(retryAfterSeconds(ms === undefined ? undefined : at(ms), now)).toBe(seconds);
  });
});

test('between maps chance onto the range', () => {
  expect([0, 0.25, 0.5].map((chance) => between({ from: 100, to: 600 }, chance))).toEqual([100, 225, 350]);
  expect(between({ from: minute, to: minute }, 0.9)).toBe(minute);
});

describe('a renewal is spread', () => {
  /** When the next one is wanted, in seconds from now, of an hour's token that came now after this connection's. */
  const nextAfter = (item: Connection, spread: number): number => {
    const held = heldOf(item, profileOf({ spreadShare: 0.1 }));
    const [write] = commitSuccess(held, commitOf({ spread }));
    return (Number(write?.set.refreshAt) - now) / second;
  };

  test('by what was drawn at its commit', () => {
    expect(nextAfter(connectionOf(), 0)).toBe(3_570);
    expect(nextAfter(connectionOf(), 0.5)).toBe(3_393);
    expect(nextAfter(firstConnectionOf(), 0.5)).toBe(3_393);
  });

  test('not where the server handed out one token until its end', () => {
    const { expiresAt = now } = connectionOf().tokens ?? {};
    expect(nextAfter(connectionOf({ refreshAt: expiresAt }), 0.5)).toBe(3_570);
    expect(nextAfter(connectionOf({ refreshAt: plus(expiresAt, -1) }), 0.5)).toBe(3_393);
  });
});
