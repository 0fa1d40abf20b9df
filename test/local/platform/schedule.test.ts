import { afterEach, expect, test, vi } from 'vitest';
import { startSchedule } from '../../../local/platform/schedule.ts';

afterEach(() => vi.useRealTimers());

test('a schedule fires at once, then at its rate, until closed', () => {
  vi.useFakeTimers();
  const invoke = vi.fn(async () => ({ payload: 'null' }));
  const schedule = startSchedule({ functionName: 'plan', everyMs: 60_000, input: '{"from":"schedule"}' }, { invoke });
  expect(invoke.mock.calls).toEqual([['plan', { from: 'schedule' }]]);
  vi.advanceTimersByTime(59_999);
  expect(invoke).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(60_001);
  expect(invoke).toHaveBeenCalledTimes(3);
  schedule.close();
  vi.advanceTimersByTime(60_000);
  expect(invoke).toHaveBeenCalledTimes(3);
});
