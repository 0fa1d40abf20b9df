import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { describe, expect, test } from 'vitest';
import { assertRelations, type limits, relations } from '../../shared/domain/limits.ts';

type Limits = { readonly limits: typeof limits; readonly relations: typeof relations };

const source = stripTypeScriptTypes(readFileSync(new URL('../../shared/domain/limits.ts', import.meta.url), 'utf8'));

/** Returns the rules that do not hold once a number in the file is another one. */
async function brokenBy(number: string, replacement: string): Promise<string[]> {
  const [before, after, ...more] = source.split(number);
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error(`limits.ts must contain "${number}" once`);
  const changed: Limits = await import(`data:text/javascript,${encodeURIComponent(before + replacement + after)}`);
  return changed.relations.filter(([holds]) => !holds).map(([, rule]) => rule);
}

// For each relation: one of its numbers as it is, the last value for which it holds, the first for which it does not.
const bounds = [
  ['heartbeat × 3 ≤ lease', 'heartbeatMs: 5_000', 'heartbeatMs: 6_000', 'heartbeatMs: 6_001'],
  ['lease + one refresh ≤ margin', 'marginMs: 30_000', 'marginMs: 28_000', 'marginMs: 27_999'],
  [
    'call time-out + persist budget + commit reserve < function time-out',
    'refreshTimeoutMs: 80_000',
    'refreshTimeoutMs: 65_001',
    'refreshTimeoutMs: 65_000',
  ],
  ['2 × skew < least min_ttl', 'least: 5_000', 'least: 4_001', 'least: 4_000'],
  ['lease − heartbeat > 2 × skew', 'skewMs: 2_000', 'skewMs: 6_499', 'skewMs: 6_500'],
  ['longest wait < time-out of the token function', 'most: 25_000', 'most: 28_999', 'most: 29_000'],
  [
    'discovery × 2 < time-out of the connections function − 10 s',
    'discoveryTimeoutMs: 8_000',
    'discoveryTimeoutMs: 9_499',
    'discoveryTimeoutMs: 9_500',
  ],
  ['time-out of the connections function + 2 × skew < claim', 'claimMs: 60_000', 'claimMs: 33_001', 'claimMs: 33_000'],
  [
    'time-out of the refresh function + 2 × skew < lease of a deletion',
    'deletionLeaseMs: 90_000',
    'deletionLeaseMs: 84_001',
    'deletionLeaseMs: 84_000',
  ],
  [
    'time-out of the token function < integration time-out of an HTTP API (30 s)',
    'tokenTimeoutMs: 29_000',
    'tokenTimeoutMs: 29_999',
    'tokenTimeoutMs: 30_000',
  ],
  [
    'longest wait for a probe < margin',
    'probeWaitMs: { from: 10_000, to: 20_000 }',
    'probeWaitMs: { from: 10_000, to: 29_999 }',
    'probeWaitMs: { from: 10_000, to: 30_000 }',
  ],
  [
    'turn of the others < longest time between probes',
    'probeTurnMs: 10_000',
    'probeTurnMs: 59_999',
    'probeTurnMs: 60_000',
  ],
  ['plan interval < plan horizon', 'planIntervalMs: 60_000', 'planIntervalMs: 89_999', 'planIntervalMs: 90_000'],
  [
    'plan interval + time-out of the refresh function + 2 × skew < overdue',
    'overdueAfterMs: 150_000',
    'overdueAfterMs: 144_001',
    'overdueAfterMs: 144_000',
  ],
  ['plan horizon ≤ longest own wait', 'planHorizonMs: 90_000', 'planHorizonMs: 120_000', 'planHorizonMs: 120_001'],
  [
    'longest own wait ≤ longest message delay',
    'longestOwnWaitMs: 120_000',
    'longestOwnWaitMs: 900_000',
    'longestOwnWaitMs: 900_001',
  ],
] as const;

const relationOf = (rule: string): string => rule.split(': ')[0] ?? rule;

describe('relations among the limits', () => {
  test('all hold', () => {
    expect(() => assertRelations()).not.toThrow();
  });

  test('none is without its two bounds below', () => {
    expect(relations.map(([, rule]) => relationOf(rule))).toEqual(bounds.map(([relation]) => relation));
  });

  test.each(bounds)('%s: broken just beyond the bound, not on it', async (relation, number, onBound, beyond) => {
    expect((await brokenBy(number, onBound)).map(relationOf)).not.toContain(relation);
    expect((await brokenBy(number, beyond)).map(relationOf)).toContain(relation);
  });

  test('all that are broken are named in one error, and no other', () => {
    const some = [
      [false, 'one < two'],
      [true, 'two < three'],
      [false, 'three < four'],
    ] as const;
    expect(() => assertRelations(some)).toThrow(new Error('limits contradict each other: one < two; three < four'));
  });
});
