import { describe, expect, test } from 'vitest';
import { mutantNamed } from '../mutants/mutants.ts';
import { shrink } from './shrink.ts';
import { simulate } from './simulation.ts';

describe('the simulation', () => {
  test('one seed twice gives one log, and another seed another', async () => {
    const [once, twice, other] = [await simulate(12), await simulate(12), await simulate(13)];
    expect(twice.digest).toBe(once.digest);
    expect(other.digest).not.toBe(once.digest);
    expect(once.log.length).toBeGreaterThan(50);
  });

  test('one seed twice gives one log also when a run of other numbers came between', async () => {
    const once = await simulate(14);
    await simulate(14, { variant: { protocol: { leaseMs: 3_000 } } });
    expect((await simulate(14)).digest).toBe(once.digest);
  });

  test.each([1, 61, 121, 181, 241])('sixty seeds from %i on break no invariant', { timeout: 60_000 }, async (first) => {
    const broken = [];
    for (let seed = first; seed < first + 60; seed += 1) {
      const { kind, violations } = await simulate(seed);
      if (violations.length > 0)
        broken.push({ again: `npm run sim -- --seeds 1 --seed ${seed} --log`, kind, violations });
    }
    expect(broken).toEqual([]);
  });
});

describe('shrinking', () => {
  const variant = mutantNamed('refresh_at in seconds').variant;

  test('switches off what the violation does not need', async () => {
    const drawn = await simulate(1, { variant, brief: true });
    const shrunk = await shrink(1, { variant });
    const on = (rates: object) => Object.entries(rates).filter(([name, rate]) => name !== 'pauseMostMs' && rate !== 0);
    expect(on(drawn.rates).length).toBeGreaterThan(0);
    expect(on(shrunk?.rates ?? drawn.rates)).toEqual([]);
    expect(shrunk?.violations[0]?.invariant).toBe(drawn.violations[0]?.invariant);
  });

  test('finds nothing to shrink where nothing breaks', async () => {
    expect(await shrink(1)).toBeUndefined();
  });
});
