import { describe, expect, test } from 'vitest';
import { commitFailure, commitSuccess } from '../../shared/domain/commit-writes.ts';
import type { Connection } from '../../shared/domain/connection.ts';
import type { EpochMs } from '../../shared/domain/time.ts';
import { ask } from '../../shared/domain/use-writes.ts';
import { type Wait, waitFor } from '../../shared/domain/waiting.ts';
import {
  at,
  attemptOf,
  attemptsWith,
  commitOf,
  connectionOf,
  dueConnectionOf,
  failureOf,
  firstConnectionOf,
  heldOf,
  itemAfter,
  minute,
  now,
  second,
  tokenSetOf,
} from './fixtures.ts';

/** Due, the renewal before took so long, and another is under way for `ageMs`. */
const renewing = (tookMs: number | undefined, ageMs: number): Connection =>
  dueConnectionOf({
    tokens: tokenSetOf(tookMs === undefined ? {} : { tookMs }),
    lease: { owner: 'another', fence: 12, until: at(7 * second) },
    attempts: attemptsWith(attemptOf(12, { startedAt: at(-ageMs) })),
  });

const waits = (item: Connection, notBefore: EpochMs = now): Wait => waitFor(item, notBefore, now);

describe('a client waits until the renewal is late', () => {
  const rows: readonly (readonly [title: string, item: Connection, until: EpochMs])[] = [
    ['twice the last one and a second after it began', renewing(2_000, 400), at(4_600)],
    ['2 s after it began where the last one was quick', renewing(100, 400), at(1_600)],
    ['the same where twice its time and a second are just that', renewing(500, 400), at(1_600)],
    ['a bit more where they are a bit more', renewing(501, 400), at(1_602)],
    ['10 s after it began where the last one was slow', renewing(30_000, 400), at(9_600)],
    ['5 s after it began where nothing is known', renewing(undefined, 400), at(4_600)],
    ['not at all if that was before', renewing(500, 40_000), at(-38_000)],
  ];
  test.each(rows)('%s', (_title, item, until) => {
    expect(waits(item)).toMatchObject({ until });
  });

  test('from the first unanswered ask on, while every refresher is busy elsewhere', () => {
    const asked = firstConnectionOf({ askedSince: at(-20_000), askedAt: at(-4_000) });
    expect(waits(asked)).toMatchObject({ until: at(-15_000) });
  });

  test('from its beginning on, however long clients asked for it', () => {
    const item = { ...renewing(500, 100), askedSince: at(-50_000), askedAt: at(-1_000) };
    expect(waits(item)).toMatchObject({ until: at(1_900) });
  });

  test('from the ask on, once the lease of a killed refresher is over', () => {
    const item = { ...renewing(500, 20_000), askedSince: at(-1_000), askedAt: at(-1_000) };
    expect(waits({ ...item, lease: { owner: 'killed', fence: 12, until: now } as never })).toMatchObject({
      until: at(1_000),
    });
  });

  test('from now on, where clients asked last a minute ago', () => {
    const paused = (ms: number) => firstConnectionOf({ askedSince: at(-ms - minute), askedAt: at(-ms) });
    expect(waits(paused(minute))).toMatchObject({ until: at(5_000) });
    expect(waits(paused(minute - 1))).toMatchObject({ until: at(5_001 - 2 * minute) });
  });

  test('by the clock of another environment that is ahead, no longer than by its own', () => {
    expect(waits(renewing(500, -1_500))).toMatchObject({ until: at(2_000), retryAt: at(1_000) });
  });
});

describe('a client waits for a renewal that cannot begin yet', () => {
  test('if it can within 2 s', () => {
    expect(waits(firstConnectionOf(), at(2_000))).toEqual({
      kind: 'wait',
      notBefore: at(2_000),
      until: at(7_000),
      retryAt: at(2_000),
    });
    expect(waits(firstConnectionOf(), at(2_001))).toMatchObject({ until: now, retryAt: at(2_001) });
  });

  test('but not where clients have asked in vain for long', () => {
    const asked = firstConnectionOf({ askedSince: at(-6_000), askedAt: at(-1_000) });
    expect(waits(asked, at(1_000))).toMatchObject({ until: at(-1_000), retryAt: at(1_000) });
  });
});

describe('a client that waited in vain comes again after half the age of the renewal', () => {
  test.each([
    [0, 1_000],
    [2_000, 1_000],
    [2_002, 1_001],
    [20_000, 10_000],
    [30_000, 15_000],
    [300_000, 15_000],
  ])('%i ms old: in %i ms', (ageMs, retryMs) => {
    expect(waits(renewing(500, ageMs))).toMatchObject({ notBefore: undefined, retryAt: at(retryMs) });
  });
});

describe('since when clients have asked in vain', () => {
  const askedAfter = (item: Connection) => itemAfter(ask(item, now), item);

  test('stays while asks follow each other within a minute', () => {
    const item = dueConnectionOf({ askedSince: at(-5 * minute), askedAt: at(1 - minute) });
    expect(askedAfter(item)).toMatchObject({ askedSince: at(-5 * minute), askedAt: now });
  });

  test('begins with the first ask, and anew after a minute without one', () => {
    expect(askedAfter(dueConnectionOf())).toMatchObject({ askedSince: now, askedAt: now });
    expect(askedAfter(dueConnectionOf({ askedSince: at(-5 * minute), askedAt: at(-minute) }))).toMatchObject({
      askedSince: now,
    });
  });

  test('ends with the renewal, whether it succeeded or failed', () => {
    const held = heldOf(dueConnectionOf({ askedSince: at(-5_000), askedAt: at(-1_000) }));
    const failed = itemAfter(
      commitFailure(held, { failure: failureOf(), notBefore: at(5_000), state: 'active', suspect: false }),
      held.seen.item,
    );
    expect(failed.askedSince).toBeUndefined();
    expect(committed(held).askedSince).toBeUndefined();
  });
});

function committed(held: ReturnType<typeof heldOf>, adoptedFence?: number): Connection {
  const tokens = { tokenType: 'Bearer', requestedAt: at(40), receivedAt: at(740), expiresAt: at(600 * second) };
  const [write] = commitSuccess(held, commitOf({ tokens, adoptedFence: adoptedFence as never }));
  if (write === undefined) throw new Error('nothing was written');
  return itemAfter(write, held.seen.item);
}

describe('how long a renewal took', () => {
  test('counts from its lease to the arrival of the reply', () => {
    expect(committed(heldOf()).tokens).toMatchObject({ tookMs: 740 });
  });

  test('is what it was if the token set was found and not asked for', () => {
    const before = connectionOf({ tokens: tokenSetOf({ tookMs: 300 }), attempts: attemptsWith(attemptOf(12)) });
    expect(committed(heldOf(before), 12).tokens).toMatchObject({ tookMs: 300 });
    expect(committed(heldOf(connectionOf({ attempts: attemptsWith(attemptOf(12)) })), 12).tokens).not.toHaveProperty(
      'tookMs',
    );
  });
});
