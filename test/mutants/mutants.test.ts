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
  const race = races.find(({ name }) => 'race' in caughtBy && name === caughtBy.race);
  if (race === undefined) throw new Error(`no race is called as in ${JSON.stringify(caughtBy)}`);
  return race.run(variant);
}

const caught = mutants.filter(({ caughtBy }) => !('nothing' in caughtBy));
const survivors = mutants.filter(({ caughtBy }) => 'nothing' in caughtBy);

describe('kept mistakes', () => {
  test('have names of their own', () => {
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  });

  test.each(caught)('$name: breaks $invariant', { timeout: 60_000 }, async (mutant) => {
    const violations = await shown(mutant, mutant.variant);
    expect(violations.map(({ invariant }) => invariant)).toContain(mutant.invariant);
    expect(await shown(mutant, nothing)).toEqual([]);
  });
});

describe('mistakes that nothing shows', () => {
  test.each(survivors)('$name: no race does; if one does now, say so in its entry', { timeout: 60_000 }, async ({ variant }) => {
    const found = [];
    for (const { name, run } of races) found.push(...(await run(variant)).map((violation) => ({ name, ...violation })));
    expect(found).toEqual([]);
  });
});
