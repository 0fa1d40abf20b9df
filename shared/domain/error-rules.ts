/** What a token endpoint's error means, as data: ordered rules, the first that matches wins. */

import { commonErrorRules } from './common-error-rules.ts';
import { applies, type Conditions, type ErrorFacts } from './conditions.ts';
import { codesOf } from './error-codes.ts';
import type { Cause, FailureClass } from './failure.ts';

export interface ErrorRule {
  /** Told with the failure, so that people see what decided; unique among the rules of a provider. */
  readonly name: string;
  readonly when: Conditions;
  readonly class: FailureClass;
  /** For `dead_grant` and `misconfigured`: what a person is told. */
  readonly cause?: Cause;
  /** The next attempt is not made sooner, unless the reply itself says when. */
  readonly retryAfterSeconds?: number;
  /** For `misconfigured`: what somebody should do about it, as a sentence that names the field. */
  readonly fix?: string;
  /** Of `transient`: after so many failures in a row with this code it is `misconfigured`, for the reason `cause`. */
  readonly misconfiguredAfter?: number;
  readonly comment: string;
  /** Where this was read. */
  readonly source: string;
}

/** Returns the first rule that matches, of the provider's and then the common ones. The last of those matches everything. */
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
