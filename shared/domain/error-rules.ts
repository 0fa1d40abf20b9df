/** What a token endpoint's error means, as data: ordered rules, the first that matches wins. */

import { commonErrorRules } from './common-error-rules.ts';
import { applies, type ErrorFacts, type ErrorRule } from './conditions.ts';
import { codesOf } from './error-codes.ts';

/**
 * Returns the first rule that matches, of the provider's and then the common ones. The last of those matches
 * everything.
 */
export function ruleFor(facts: ErrorFacts, providerRules: readonly ErrorRule[]): ErrorRule | undefined {
  return [...providerRules, ...commonErrorRules].find((rule) => applies(rule.when, facts));
}

const namedIn = (rules: readonly ErrorRule[]): readonly string[] =>
  rules.flatMap(({ when: { error = [] } }) => error).flatMap(codesOf);

const commonCodes = new Set(namedIn(commonErrorRules));

/** Returns whether a code, in one form, is one that a rule knows. */
export function knownCodes(providerRules: readonly ErrorRule[]): (code: string) => boolean {
  const own = new Set(namedIn(providerRules));
  return (code) => commonCodes.has(code) || own.has(code);
}
