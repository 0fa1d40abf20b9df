/** Clients that wait for one connection do not take the environments from those of another. */
import { describe, expect, test } from 'vitest';
import type { TokenWorld } from '../../shared/application/get-token.ts';
import type { Connection } from '../../shared/domain/connection.ts';
import { limits } from '../../shared/domain/limits.ts';
import { type EpochMs, plus } from '../../shared/domain/time.ts';
import type { Variant } from '../sim/variant.ts';
import { kindsOf, longestMs, type Reply, Rush } from './rush.ts';
import type { Scenario } from './scenario.ts';

const never = { fromMs: 3_600_000 };
/** One look more than the wait, and the calls beside it. */
const andALookMs = limits.pollMs.to + 100;

/** Renewed once, and its token has run out; the next renewals go these ways. */
async function runOut(rush: Rush, ...ways: readonly { readonly fromMs: number }[]): Promise<Scenario> {
  const s = await rush.imported('reusable', { ways: [{ fromMs: 400 }, ...ways] });
  s.send();
  await s.pass(600);
  return s;
}

/** Its token is good for ten minutes. */
async function healthy(rush: Rush): Promise<Scenario> {
  const s = await rush.imported('reusable');
  s.send();
  await s.pass(5);
  return s;
}

interface Told {
  /** Of a client of the healthy connection, which asks every 300 ms. */
  readonly healthy: readonly Reply[];
  /** Of 24 clients that wait up to 25 s for a token that does not come. */
  readonly waiting: readonly Reply[];
  /** How long after its beginning the renewal is late. */
  readonly lateMs: number;
}

async function sideBySide(rush: Rush, bad: Scenario, good: Scenario): Promise<Omit<Told, 'lateMs'>> {
  const waiting = rush.keepAsking(bad, 24, 25_000, 50);
  const served = await rush.time.runUntilSettled(rush.askSteadily(good, 50));
  return { healthy: served, waiting: await rush.time.runUntilSettled(waiting) };
}

/** The connection that the 24 wait for hangs in its second renewal. */
async function besideOneThatHangs(variant?: Variant): Promise<Told> {
  const rush = new Rush(variant);
  const bad = await runOut(rush, never);
  return { ...(await sideBySide(rush, bad, await healthy(rush))), lateMs: limits.lateMs.least };
}

/** It is not even begun: 14 other connections that hang hold every refresher. */
async function whileNoRenewalBegins(variant?: Variant): Promise<Told> {
  const rush = new Rush(variant);
  const good = await healthy(rush);
  const others = Array.from({ length: 14 }, () => rush.imported('reusable', { ways: [never] }));
  for (const other of await Promise.all(others)) other.send();
  await good.pass(1);
  const bad = await rush.imported('reusable');
  return { ...(await sideBySide(rush, bad, good)), lateMs: limits.lateMs.unknown };
}

describe('a healthy connection is served', () => {
  test('beside any number of clients of one that hangs, which are told when to come again', async () => {
    const told = await besideOneThatHangs();
    expect(kindsOf(told.healthy)).toEqual({ token: told.healthy.length });
    expect(longestMs(told.healthy)).toBeLessThan(told.lateMs + andALookMs);
    expect(kindsOf(told.waiting)).toEqual({ unavailable: told.waiting.length });
    // Half the age of the renewal, up to 15 s.
    expect(told.waiting.length).toBeLessThan(24 * 10);
  });

  test('beside clients of one whose renewal cannot begin, since others that hang hold every refresher', async () => {
    const told = await whileNoRenewalBegins();
    expect(kindsOf(told.healthy)).toEqual({ token: told.healthy.length });
    expect(longestMs(told.healthy)).toBeLessThan(told.lateMs + andALookMs);
    expect(kindsOf(told.waiting)).toEqual({ unavailable: told.waiting.length });
  });
});

describe('clients at one instant, whose token has run out', () => {
  test('two hundred, a renewal of half a second: all are served, with one call', async () => {
    const rush = new Rush();
    const s = await runOut(rush, { fromMs: 500 });
    expect(kindsOf(await rush.atOnce(s, 200, 10_000))).toEqual({ token: 200 });
    expect(s.provider.ledger).toHaveLength(2);
  });

  test('a thousand: all are served, with one call', async () => {
    const rush = new Rush();
    const s = await runOut(rush, { fromMs: 500 });
    expect(kindsOf(await rush.atOnce(s, 1_000, 10_000))).toEqual({ token: 1_000 });
    expect(s.provider.ledger).toHaveLength(2);
  });

  test('two hundred, a renewal of 40 s: all are told when to come again, and are served then', async () => {
    const rush = new Rush();
    const s = await runOut(rush, { fromMs: 40_000 });
    const replies = await rush.atOnce(s, 200, 10_000);
    expect(kindsOf(replies)).toEqual({ unavailable: 200 });
    expect(replies.every(({ retryAfterSeconds }) => retryAfterSeconds === 1 || retryAfterSeconds === 2)).toBe(true);
    await s.pass(40);
    expect(kindsOf(await rush.atOnce(s, 200, 0))).toEqual({ token: 200 });
    expect(s.provider.ledger).toHaveLength(2);
  });
});

describe('in an account of ten, which renewals may use four of', () => {
  /** When Lambda invokes the planner again after it found no room: in seconds, within the minute of its event. */
  const retries = [0, 1, 3, 7, 15, 31];

  test('clients of one that hangs hold all that is free only until its renewal is late', async () => {
    const rush = new Rush({}, { quota: 10, refreshers: 4 });
    const good = await healthy(rush);
    for (const other of await Promise.all(
      Array.from({ length: 14 }, () => rush.imported('reusable', { ways: [never] })),
    ))
      other.send();
    await good.pass(1);
    const bad = await rush.imported('reusable');
    const from = rush.time.now();
    let planned: number | undefined;
    for (const second of retries)
      rush.time.at(from + 100 + second * 1_000, async () => {
        const leave = planned === undefined ? await rush.room.enter(0) : undefined;
        if (leave === undefined) return;
        planned = second;
        leave();
      });
    const told = await sideBySide(rush, bad, good);
    const bare = told.healthy.filter(({ kind }) => kind === 'bare');
    expect(bare).not.toEqual([]);
    expect(Math.max(...bare.map(({ at }) => at - from))).toBeLessThan(limits.lateMs.unknown + andALookMs);
    expect(told.healthy.length - bare.length).toBe(told.healthy.filter(({ kind }) => kind === 'token').length);
    expect(planned).toBeLessThanOrEqual(7);
  });
});

/** The token function with what it reads, or writes, changed. */
const reading = (change: (item: Connection, now: EpochMs, requestAt: EpochMs) => Connection): Variant => ({
  tokenWorld(given: TokenWorld) {
    const { clock, store } = given;
    let requestAt = clock.now();
    let looksAgain = false;
    return {
      ...given,
      clock: {
        now: () => clock.now(),
        sleep: async (ms) => {
          await clock.sleep(ms);
          looksAgain = true;
        },
      },
      store: {
        ...store,
        read: async (connection) => {
          if (!looksAgain) requestAt = clock.now();
          looksAgain = false;
          const item = await store.read(connection);
          return item && change(item, clock.now(), requestAt);
        },
      },
    };
  },
});

/** As if the renewal, and the asking for it, had begun then. */
const begunAt = (item: Connection, at: EpochMs): Connection => ({
  ...item,
  askedSince: at,
  askedAt: item.askedAt ?? plus(at, -limits.askedMs),
  attempts: Object.fromEntries(
    Object.entries(item.attempts).map(([fence, attempt]) => [fence, { ...attempt, startedAt: at }]),
  ),
});

describe('kept mistakes', () => {
  const unharmed = ({ healthy: replies, lateMs }: Told): boolean =>
    replies.every(({ kind }) => kind === 'token') && longestMs(replies) < lateMs + andALookMs;

  test('the right wait harms no other connection', async () => {
    expect(unharmed(await besideOneThatHangs())).toBe(true);
    expect(unharmed(await whileNoRenewalBegins())).toBe(true);
  });

  test('a wait without end but the one that the client gives', async () => {
    const variant = reading((item, now) => begunAt(item, now));
    expect(unharmed(await besideOneThatHangs(variant))).toBe(false);
  });

  test("a wait that counts from each request's start: those that come after one another hold all environments", async () => {
    const variant = reading((item, _, requestAt) => begunAt(item, requestAt));
    expect(unharmed(await besideOneThatHangs(variant))).toBe(false);
    expect(unharmed(await whileNoRenewalBegins(variant))).toBe(false);
  });

  test("a wait that counts from the renewal's beginning alone: without a beginning it has no end", async () => {
    const variant = reading(({ askedSince: _, ...item }) => item);
    expect(unharmed(await besideOneThatHangs(variant))).toBe(true);
    expect(unharmed(await whileNoRenewalBegins(variant))).toBe(false);
  });
});
