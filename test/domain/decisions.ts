/** How decisions are told and tested. */
import { expect, test } from 'vitest';
import { decide } from '../../shared/domain/decide.ts';
import type { Circumstances, Effect, Event } from '../../shared/domain/steps.ts';
import { circumstances } from './fixtures.ts';

export type Row = readonly [title: string, event: Event, expected: Effect, at?: Partial<Circumstances>];

/** One test a row. */
export function cases(rows: readonly Row[]): void {
  for (const [title, event, expected, at] of rows)
    test(title, () => expect(decide(event, circumstances(at))).toEqual(expected));
}

export const stop = (reason: Extract<Effect, { do: 'stop' }>['reason']): Effect => ({ do: 'stop', reason });

/** Decides, and narrows to the effect expected, or fails with the one there is. */
export function decided<K extends Effect['do']>(event: Event, kind: K): Extract<Effect, { do: K }> {
  const effect = decide(event, circumstances());
  expect(effect.do).toBe(kind);
  return effect as Extract<Effect, { do: K }>;
}
