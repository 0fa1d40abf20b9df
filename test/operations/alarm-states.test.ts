import { describe, expect, test } from 'vitest';
import { type AlarmDefinition, type Datum, dataIn, rings } from './alarm-states.ts';

const alarm = (more: Partial<AlarmDefinition>): AlarmDefinition => ({
  Period: 60,
  Threshold: 1,
  EvaluationPeriods: 3,
  DatapointsToAlarm: 3,
  TreatMissingData: 'notBreaching',
  ComparisonOperator: 'GreaterThanOrEqualToThreshold',
  Statistic: 'Sum',
  ...more,
});

/** `0` is within the threshold, `X` breaches it, `-` is missing; the last one is the present minute, 4. */
const dataOf = (row: string): Datum[] =>
  row.split(' ').flatMap((sign, minute) => (sign === '-' ? [] : [{ minute, value: sign === 'X' ? 1 : 0 }]));

describe('as the tables of the documentation have it, of three minutes', () => {
  test.each([
    ['0 - X - X', false, false],
    ['0 - - - -', false, false],
    ['- - - - -', true, false],
    ['0 X X - X', true, true],
    ['- - X - -', true, false],
  ])('all three: %s', (row, breaching, notBreaching) => {
    const states = ['breaching', 'notBreaching'].map((TreatMissingData) =>
      rings(alarm({ TreatMissingData }), dataOf(row), 4, 2),
    );
    expect(states).toEqual([breaching, notBreaching]);
  });

  test.each([
    ['0 - X - X', true, true],
    ['0 0 X 0 X', true, true],
    ['0 - X - -', true, false],
    ['- - - - 0', true, false],
    ['- - - X -', true, false],
  ])('two of three: %s', (row, breaching, notBreaching) => {
    const states = ['breaching', 'notBreaching'].map((TreatMissingData) =>
      rings(alarm({ TreatMissingData, DatapointsToAlarm: 2 }), dataOf(row), 4, 2),
    );
    expect(states).toEqual([breaching, notBreaching]);
  });
});

test('the values of a minute are added up, or the largest counts', () => {
  const once = { EvaluationPeriods: 1, DatapointsToAlarm: 1 };
  const data = [2, 3].map((value) => ({ minute: 4, value }));
  expect(rings(alarm({ ...once, Threshold: 5 }), data, 4, 0)).toBe(true);
  expect(rings(alarm({ ...once, Threshold: 6 }), data, 4, 0)).toBe(false);
  expect(rings(alarm({ ...once, Threshold: 3, Statistic: 'Maximum' }), data, 4, 0)).toBe(true);
  expect(rings(alarm({ ...once, Threshold: 4, Statistic: 'Maximum' }), data, 4, 0)).toBe(false);
});

test('an alarm that says what is not understood here is refused, rather than taken for another', () => {
  for (const more of [{ Period: 300 }, { TreatMissingData: 'missing' }, { Statistic: 'p99' }])
    expect(() => rings(alarm(more), dataOf('X X X X X'), 4, 0)).toThrow(/here/);
});

test('values are those of the namespace, without dimensions', () => {
  const line = (Namespace: string, ...Dimensions: string[][]) => ({
    _aws: { Timestamp: 125_000, CloudWatchMetrics: [{ Namespace, Dimensions, Metrics: [{ Name: 'Late' }] }] },
    Late: 7,
  });
  const lines = [line('Ours', [], ['provider']), line('Ours', ['provider']), line('Theirs', []), { message: 'Late' }];
  expect(dataIn(lines, 'Ours', 'Late')).toEqual([{ minute: 2, value: 7 }]);
});
