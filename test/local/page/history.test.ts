import { expect, test } from 'vitest';
import { noted } from '../../../local/page/history.ts';

const at = (second: number): string => new Date(Date.UTC(2026, 11, 1, 12, 0, second)).toISOString();
const failure = { class: 'transient' as const, error: 'http_503', at: at(20), count: 1 };

test('what was seen is noted once, in the order in which it happened', () => {
  const first = noted(undefined, { renewed_at: at(30), last_failure: failure });
  const again = noted(first, { renewed_at: at(30), last_failure: failure });
  expect(again.events).toEqual([
    { at: at(20), kind: 'failed' },
    { at: at(30), kind: 'renewed' },
  ]);
});

test('of a connection that has never been renewed there is nothing', () => {
  expect(noted(undefined, {}).events).toEqual([]);
});

test('the oldest go', () => {
  let history = noted(undefined, { renewed_at: at(0) });
  for (let generation = 2; generation <= 30; generation += 1) history = noted(history, { renewed_at: at(generation) });
  expect([history.events.length, history.events[0]?.at, history.events.at(-1)?.at]).toEqual([24, at(7), at(30)]);
});
