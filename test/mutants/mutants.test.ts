/**
 * Each kept mistake breaks the invariant that it is said to break, and the right protocol goes through the same
 * unharmed.
 */
import { describe, expect, test } from 'vitest';
import { races } from '../scenarios/races.ts';
import type { Violation } from '../sim/checkers/checker.ts';
import { simulate } from '../sim/simulation.ts';
import type { Variant } from '../sim/variant.ts';
import type { Mutant } from './mutant.ts';
import { mutants } from './mutants.ts';

const nothing: Variant = {};

/** What the mistake's seeds, up to the first that shows it, or its race show. */
async function shown({ caughtBy, invariant }: Mutant, variant: Variant): Promise<readonly Violation[]> {
  if ('withinSeeds' in caughtBy) {
    const found: Violation[] = [];
    for (let seed = 1; seed <= caughtBy.withinSeeds; seed += 1) {
      found.push(...(await simulate(seed, { variant, brief: true })).violations);
      if (found.some((violation) => violation.invariant === invariant)) return found;
    }
    return found;
  }
  const race = races.find(({ name }) => name === caughtBy.race);
  if (race === undefined) throw new Error(`no race is called ${caughtBy.race}`);
  return race.run(variant);
}

const pairs = mutants.filter(({ harmlessAlone }) => harmlessAlone !== undefined);

describe('kept mistakes', () => {
  test('have names of their own', () => {
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  });

  test.each(mutants)('$name: breaks $invariant', { timeout: 60_000 }, async (mutant) => {
    const violations = await shown(mutant, mutant.variant);
    expect(violations.map(({ invariant }) => invariant)).toContain(mutant.invariant);
    expect(await shown(mutant, nothing)).toEqual([]);
  });
});

describe('two rules that back each other up', () => {
  test.each(pairs)(
    '$name: no race shows either alone; if one does now, it is a mistake of its own',
    { timeout: 60_000 },
    async ({ harmlessAlone = [] }) => {
      const found = [];
      for (const [half, variant] of harmlessAlone.entries()) {
        for (const { name, run } of races)
          found.push(...(await run(variant)).map((violation) => ({ half, name, ...violation })));
      }
      expect(found).toEqual([]);
    },
  );
});
