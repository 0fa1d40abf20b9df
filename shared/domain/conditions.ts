/** Rules about error replies, as data, and what must be true of a reply for one to hold. */
import { codesOf } from './error-codes.ts';
import type { Cause, FailureClass } from './failure.ts';
import { memberAt } from './members.ts';

type StatusPattern = number | '2xx' | '3xx' | '4xx' | '5xx';

/** What must be true of a reply, all of it; expressions are matched anywhere in the text, in any letter case. */
export interface Conditions {
  readonly status?: readonly StatusPattern[];
  /** One of the reply's error codes, however it is written: `invalid_grant`, `INVALID_GRANT`, `InvalidGrant`. */
  readonly error?: readonly string[];
  /** Matched against the `error_description` member. */
  readonly description?: string;
  /** Matched against everything that the reply says in words, a line each; `unless` must not match. */
  readonly words?: string;
  readonly unless?: string;
  /** Matched against a response header; its name in lower case. */
  readonly header?: { readonly name: string; readonly matches: string };
  /** Matched against a text in the reply, by its path (`response.control.status`). */
  readonly member?: { readonly path: string; readonly matches: string };
  /** Matched against the whole reply. */
  readonly body?: string;
  /** Whether the reply says that it is a refusal, by an error code or by an error that is not empty. */
  readonly explicit?: boolean;
}

export interface ErrorRule {
  /** Told with the failure, so that people see what decided; unique among the rules of a provider. */
  readonly name: string;
  readonly when: Conditions;
  readonly class: FailureClass;
  /** For `dead_grant` and `misconfigured`: what a person is told. */
  readonly cause?: Cause;
  /** The next attempt is not made sooner, unless the reply itself says when. */
  readonly retryAfterSeconds?: number;
  /** For `misconfigured`: what an operator should do about it, as a sentence that names the field. */
  readonly fix?: string;
  /** Of `transient`: after so many failures in a row with this code it is `misconfigured`, for the reason `cause`. */
  readonly misconfiguredAfter?: number;
  /** Of `transient`: the same code again and again is no accident, and is asked for more and more seldom. */
  readonly lasting?: true;
  readonly comment: string;
  /** Where this was read. */
  readonly source: string;
}

/** The parts of an error reply that rules look at. */
export interface ErrorFacts {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Every error code, in one form (`codesOf`). */
  readonly codes: readonly string[];
  readonly explicit?: boolean;
  readonly description?: string;
  /** Everything that is said in words, a line each; the description alone if absent. */
  readonly words?: string;
  /** The reply as it was read, if it could be. */
  readonly members?: unknown;
}

/** Whether a status is among these. */
export const isOneOf = (patterns: readonly StatusPattern[], status: number): boolean =>
  patterns.some((pattern) => pattern === status || pattern === `${Math.floor(status / 100)}xx`);

/** Whether every condition holds. */
export function applies(conditions: Conditions, facts: ErrorFacts): boolean {
  const { status, error, description, words, unless, header, member, body, explicit } = conditions;
  const said = facts.words ?? facts.description;
  return (
    (status === undefined || isOneOf(status, facts.status)) &&
    (error === undefined || error.some((name) => codesOf(name).some((code) => facts.codes.includes(code)))) &&
    (explicit === undefined || explicit === facts.explicit) &&
    (description === undefined || matches(description, facts.description)) &&
    (words === undefined || matches(words, said)) &&
    (unless === undefined || !matches(unless, said)) &&
    (header === undefined || matches(header.matches, facts.headers[header.name])) &&
    (member === undefined || matches(member.matches, memberAt(facts.members, member.path))) &&
    (body === undefined || matches(body, facts.body))
  );
}

/** Expressions are not matched against more: what a reply means is said at its beginning. */
const mostCharacters = 16_384;

const matches = (expression: string, text: unknown): boolean =>
  typeof text === 'string' && new RegExp(expression, 'i').test(text.slice(0, mostCharacters));
