import { expect, test } from 'vitest';
import { noted } from '../../../local/page/history.ts';

const at = (second: number): string => new Date(Date.UTC(2026, 11, 1, 12, 0, second)).toISOString();
const failure = { class: 'transient' as const, error: 'http_503', at: at(20), count: 1 };

test('what was seen is noted once, in the order in which it happened', () => {
  const first = noted(undefined, { generation: 3, renewed_at: at(30), last_failure: failure });
  const again = noted(first, { generation: 3, renewed_at: at(30), last_failure: failure });
  expect(again.events).toEqual([
    { at: at(20), kind: 'failed', what: 'http_503' },
    { at: at(30), kind: 'renewed', what: '3' },
  ]);
});

test('of a connection that has never been renewed there is nothing', () => {
  expect(noted(undefined, { generation: 0 }).events).toEqual([]);
});

test('the oldest go', () => {
  let history = noted(undefined, { generation: 1, renewed_at: at(0) });
  for (let generation = 2; generation <= 30; generation += 1)
    history = noted(history, { generation, renewed_at: at(generation) });
  expect([history.events.length, history.events[0]?.what, history.events.at(-1)?.what]).toEqual([24, '7', '30']);
});
