import { describe, expect, test } from 'vitest';
import { assertRelations, relationsOf } from '../../shared/domain/limit-relations.ts';
import { type Limits, limits } from '../../shared/domain/limits.ts';

/** The limits with one number changed. `path` leads to it: `waitMs.most`. */
function withNumber(path: string, value: number): Limits {
  const [name = '', part] = path.split('.');
  const before: unknown = Reflect.get(limits, name);
  if (before === undefined) throw new Error(`there is no limit ${path}`);
  return { ...limits, [name]: part === undefined ? value : { ...(before as object), [part]: value } } as Limits;
}

const brokenBy = (changed: Limits): string[] =>
  relationsOf(changed).flatMap(([holds, rule]) => (holds ? [] : [relationOf(rule)]));

const relationOf = (rule: string): string => rule.split(': ')[0] ?? rule;

// For each relation: one of its numbers as it is, the last value for which it holds, the first for which it does not.
const bounds = [
  ['heartbeat × 3 ≤ lease', 'heartbeatMs', 6_000, 6_001],
  ['lease + one refresh ≤ margin', 'marginMs', 28_000, 27_999],
  ['call time-out + persist budget + commit reserve < function time-out', 'refreshTimeoutMs', 65_001, 65_000],
  ['lease − heartbeat > 2 × skew', 'skewMs', 6_499, 6_500],
  ['longest wait for a probe < margin', 'probeWaitMs.to', 29_999, 30_000],
  ['turn of the others < longest time between probes', 'probeTurnMs', 59_999, 60_000],
  ['skew + longest jitter ≤ least age of a token', 'renewLeastMs', 2_600, 2_599],
  ['late use + announcement < 1', 'grantUsedShare.late', 0.74, 0.75],
  ['2 × skew < set-back of an assertion', 'assertionSetBackMs', 4_001, 4_000],
  ['set-back + call time-out + 2 × skew < life of an assertion', 'assertionLifeMs', 74_001, 74_000],
  ['2 × skew < least min_ttl', 'minTtlMs.least', 4_001, 4_000],
  ['wait of a callback + memory < time-out of API Gateway', 'callbackWaitMs', 27_999, 28_000],
  ['longest wait < time-out of the token function', 'waitMs.most', 28_999, 29_000],
  ['longest poll < least late', 'pollMs.to', 1_999, 2_000],
  ['most late ≤ default wait', 'lateMs.most', 10_000, 10_001],
  ['asked + longest retry of a late renewal < asked anew', 'askedAnewMs', 20_001, 20_000],
  ['time-out of the token function < integration time-out of an HTTP API (30 s)', 'tokenTimeoutMs', 29_999, 30_000],
  ['discovery × 2 + verification + memory < time-out of the connections function', 'verifyWaitMs', 11_999, 12_000],
  ['time-out of the connections function + 2 × skew < claim', 'claimMs', 33_001, 33_000],
  ['time-out of the refresh function + 2 × skew < lease of a deletion', 'deletionLeaseMs', 84_001, 84_000],
  ['versions of a slot in a day ≤ versions kept', 'versionsKept', 90, 89],
  ['versions of a slot ≤ versions of a secret × (1 − spread share)', 'slotVersionsPerDay', 90, 91],
  ['plan interval < again in line', 'lineAgainMs', 60_001, 60_000],
  ['plan interval < plan horizon', 'planIntervalMs', 89_999, 90_000],
  ['plan interval + time-out of the refresh function + 2 × skew < overdue', 'overdueAfterMs', 144_001, 144_000],
  ['plan horizon ≤ longest own wait', 'planHorizonMs', 120_000, 120_001],
  ['longest own wait ≤ longest message delay', 'longestOwnWaitMs', 900_000, 900_001],
  ['deliveries × visibility < retention', 'deliveries', 14, 15],
] as const;

describe('relations among the limits', () => {
  test('all hold', () => {
    expect(() => assertRelations()).not.toThrow();
  });

  test('none is without its two bounds below', () => {
    expect(relationsOf(limits).map(([, rule]) => relationOf(rule))).toEqual(bounds.map(([relation]) => relation));
  });

  test.each(bounds)('%s: broken just beyond the bound, not on it', (relation, path, onBound, beyond) => {
    expect(brokenBy(withNumber(path, onBound))).not.toContain(relation);
    expect(brokenBy(withNumber(path, beyond))).toContain(relation);
  });

  test('all that are broken are named in one error, and no other', () => {
    expect(() => assertRelations(withNumber('longestOwnWaitMs', 900_001))).toThrow(
      /^limits contradict each other: longest own wait ≤ longest message delay$/,
    );
    expect(() => assertRelations({ ...withNumber('marginMs', 20_000), heartbeatMs: 6_001 })).toThrow(
      /heartbeat × 3 ≤ lease.*; lease \+ one refresh ≤ margin/,
    );
  });
});
