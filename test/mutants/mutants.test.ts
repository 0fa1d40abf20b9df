/** Each kept mistake breaks the invariant that it is said to break, and the right protocol goes through the same unharmed. */
import { describe, expect, test } from 'vitest';
import { races } from '../scenarios/races.ts';
import type { Violation } from '../sim/checkers/checker.ts';
import { simulate } from '../sim/simulation.ts';
import type { Variant } from '../sim/variant.ts';
import type { Mutant } from './mutant.ts';
import { mutants } from './mutants.ts';

const nothing: Variant = {};

/** What the mistake's own seeds or race show. */
async function shown({ caughtBy }: Mutant, variant: Variant): Promise<readonly Violation[]> {
  if ('seeds' in caughtBy) {
    const runs: Violation[] = [];
    for (const seed of caughtBy.seeds) runs.push(...(await simulate(seed, { variant, brief: true })).violations);
    return runs;
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
