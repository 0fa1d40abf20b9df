/**
 * Wrong variants of the product that a programmer would write in good faith. Each is run, and each must be caught; one
 * that survives is a finding: a rule that another one makes redundant, or a checker that is missing. They are data, so
 * that a change of the protocol that makes one of them right again does not go unnoticed.
 */
import { decisions } from './decisions.ts';
import type { Mutant } from './mutant.ts';
import { pauses } from './pauses.ts';
import { people } from './people.ts';
import { replies } from './replies.ts';
import { surroundings } from './surroundings.ts';
import { writes } from './writes.ts';

export const mutants: readonly Mutant[] = [...decisions, ...writes, ...surroundings, ...people, ...pauses, ...replies];

/** Throws if no mistake has this name. */
export function mutantNamed(name: string): Mutant {
  const mutant = mutants.find((one) => one.name === name);
  if (mutant === undefined) throw new Error(`no kept mistake is called "${name}"`);
  return mutant;
}
