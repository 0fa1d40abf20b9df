import { describe, expect, test } from 'vitest';
import { callsOn, errorsOf, spentUntil } from '../../shared/domain/budget.ts';
import { decide } from '../../shared/domain/decide.ts';
import type { EffectOf, Event } from '../../shared/domain/steps.ts';
import {
  at,
  attemptOf,
  attemptsWith,
  callsWith,
  circumstances,
  day,
  dueConnectionOf,
  failureOf,
  firstConnectionOf,
  heldOf,
  hour,
  minute,
  now,
  profileOf,
  today,
} from './fixtures.ts';

const errorsAt = (...instants: number[]) =>
  Object.fromEntries(instants.map((ms, fence) => [String(fence + 1), at(ms)]));

describe('errors an hour', () => {
  const profile = profileOf({ errorsPerHour: 3 });

  test('one error less than the budget leaves a call', () => {
    expect(
      spentUntil(dueConnectionOf({ calls: callsWith({ failing: errorsAt(-1_000, -2_000) }) }), profile, now),
    ).toBeUndefined();
  });

  test('the budget is spent until the first of the last three is an hour old', () => {
    const item = dueConnectionOf({ calls: callsWith({ failing: errorsAt(-50_000, -3_000, -20_000, -90_000) }) });
    expect(spentUntil(item, profile, now)).toBe(at(hour - 50_000));
  });

  test('an error counts for an hour, and not a millisecond longer', () => {
    expect(errorsOf(dueConnectionOf({ calls: callsWith({ failing: errorsAt(-hour + 1) }) }), now)).toHaveLength(1);
    expect(errorsOf(dueConnectionOf({ calls: callsWith({ failing: errorsAt(-hour) }) }), now)).toHaveLength(0);
  });

  test('a connection without such a budget may go on', () => {
    expect(
      spentUntil(dueConnectionOf({ calls: callsWith({ failing: errorsAt(-1, -2, -3, -4) }) }), profileOf(), now),
    ).toBeUndefined();
  });
});

describe('calls a day', () => {
  const profile = profileOf({ callsPerDay: 190 });
  const midnight = (today + 1) * day;

  test.each([
    ['one call is left', 189, undefined],
    ['none is left until midnight, UTC', 190, midnight],
  ])('%s', (_, calls, until) => {
    expect(spentUntil(dueConnectionOf({ calls: callsWith({ count: calls, day: today }) }), profile, now)).toBe(until);
  });

  test("yesterday's calls are no longer counted", () => {
    expect(callsOn(dueConnectionOf({ calls: callsWith({ count: 190, day: today - 1 }) }), now)).toBe(0);
  });
});

/** The release that this event leads to, with `more`. */
function releasedBy(event: Event, more: object): EffectOf<'release'> {
  const effect = decide(event, circumstances());
  expect(effect).toMatchObject({ do: 'release', called: false, budgetSpent: false, ...more });
  return effect as EffectOf<'release'>;
}

describe('a spent budget', () => {
  const profile = profileOf({ errorsPerHour: 1 });
  const failing = errorsAt(-1_000);

  test('keeps the request from being sent, whoever asks, until the budget is back', () => {
    const held = heldOf(dueConnectionOf({ calls: callsWith({ failing }) }), profile);
    expect(decide({ kind: 'acquired', held }, circumstances())).toEqual({
      do: 'release',
      held,
      notBefore: at(hour - 1_000),
      wakeAt: at(hour - 1_000),
      called: false,
      budgetSpent: true,
    });
  });

  test('and so does a refusal that has been the same for hours, at which refreshers look as often as ever', () => {
    const item = firstConnectionOf({ failure: failureOf({ code: 'on_hold', alike: 12, at: at(-minute) }) });
    const held = heldOf(item);
    const { notBefore } = releasedBy({ kind: 'acquired', held }, { refusedAlike: true });
    expect(notBefore).toBe(at(15 * minute));
    const soon = heldOf({ ...item, failure: failureOf({ code: 'on_hold', alike: 12, at: at(-110 * minute) }) });
    expect(releasedBy({ kind: 'acquired', held: soon }, { refusedAlike: true }).notBefore).toBe(at(10 * minute));
    const over = heldOf({ ...item, failure: failureOf({ code: 'on_hold', alike: 12, at: at(-120 * minute) }) });
    expect(decide({ kind: 'acquired', held: over }, circumstances()).do).toBe('load_secrets');
  });

  test('does not keep anybody from looking for what an earlier attempt stored', () => {
    const held = heldOf(
      dueConnectionOf({ calls: callsWith({ failing }), attempts: attemptsWith(attemptOf(11)) }),
      profile,
    );
    expect(decide({ kind: 'acquired', held }, circumstances()).do).toBe('look_up');
  });

  test('our own call, counted ahead, does not count against itself', () => {
    const held = heldOf(dueConnectionOf(), profile);
    expect(decide({ kind: 'acquired', held }, circumstances()).do).toBe('load_secrets');
  });
});
