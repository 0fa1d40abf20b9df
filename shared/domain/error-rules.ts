/** What a token endpoint's error means, as data: ordered rules, the first that matches wins. */

import type { Cause, FailureClass } from './failure.ts';
import { memberAt } from './members.ts';

export type StatusPattern = number | '2xx' | '3xx' | '4xx' | '5xx';

/** What must be true of a reply, all of it; expressions are matched anywhere in the text, in any letter case. */
export interface Conditions {
  readonly status?: readonly StatusPattern[];
  /** The `error` member of the reply, literally. */
  readonly error?: readonly string[];
  /** Matched against the `error_description` member. */
  readonly description?: string;
  /** Matched against a response header; its name in lower case. */
  readonly header?: { readonly name: string; readonly matches: string };
  /** Matched against a text in the reply, by its path (`response.control.status`). */
  readonly member?: { readonly path: string; readonly matches: string };
  /** Matched against the whole reply. */
  readonly body?: string;
}

export interface ErrorRule {
  readonly when: Conditions;
  readonly class: FailureClass;
  /** For `dead_grant` and `misconfigured`: what a person is told. */
  readonly cause?: Cause;
  /** The next attempt is not made sooner, unless the reply itself says when. */
  readonly retryAfterSeconds?: number;
  /** For `misconfigured`: what somebody should do about it, as a sentence that names the field. */
  readonly fix?: string;
  readonly comment: string;
  /** Where this was read. */
  readonly source: string;
}

/** The parts of an error reply that rules look at. */
export interface ErrorFacts {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly error?: string;
  readonly description?: string;
  /** The reply as it was read, if it could be. */
  readonly members?: unknown;
}

const rfc6749 = 'RFC 6749 §5.2';

/** What errors mean where a provider's own rules say nothing. The last one matches everything. */
export const commonErrorRules: readonly ErrorRule[] = [
  {
    when: { status: [429] },
    class: 'transient',
    comment: 'Refused before it was looked at, whatever the body says.',
    source: 'RFC 6585 §4',
  },
  {
    when: { status: ['5xx'] },
    class: 'in_doubt',
    comment:
      'May have rotated before it failed. An error code beside a 5xx is not believed: an outage must never read as a dead grant.',
    source: 'RFC 9110 §15.6',
  },
  {
    when: { error: ['invalid_grant'] },
    class: 'dead_grant',
    cause: 'invalid_grant',
    comment: 'Expired, revoked or used up.',
    source: rfc6749,
  },
  {
    when: { error: ['invalid_client', 'unauthorized_client'] },
    class: 'misconfigured',
    cause: 'invalid_client',
    comment: 'The client, not the grant: the refresh token is kept.',
    source: rfc6749,
  },
  {
    when: { error: ['invalid_request', 'invalid_scope', 'unsupported_grant_type'] },
    class: 'misconfigured',
    cause: 'invalid_request',
    comment: `The next request would be the same, so it would fail the same; a person has to look. "invalid_request" may also
      stand for a dead grant, but that must be a provider's own rule: it costs a grant to believe it wrongly.`,
    source: rfc6749,
  },
  {
    when: { error: ['server_error'] },
    class: 'in_doubt',
    comment: 'A 500 by another status.',
    source: 'RFC 6749 §4.1.2.1',
  },
  {
    when: { error: ['temporarily_unavailable'] },
    class: 'transient',
    comment: 'Overloaded or in maintenance, and it took care to say so: not looked at.',
    source: 'RFC 6749 §4.1.2.1',
  },
  {
    when: { status: ['2xx'] },
    class: 'in_doubt',
    comment: 'A success that cannot be used: the provider may have rotated.',
    source: 'RFC 6749 §5.1',
  },
  {
    when: {},
    class: 'transient',
    comment: 'A redirect, or a refusal without a known error code: a firewall, a proxy, a page for people.',
    source: 'RFC 6749 §5.2 requires an error code',
  },
];

/** Returns the first rule that matches, of the provider's and then the common ones. */
export function ruleFor(facts: ErrorFacts, providerRules: readonly ErrorRule[]): ErrorRule | undefined {
  return [...providerRules, ...commonErrorRules].find((rule) => applies(rule.when, facts));
}

/** Whether every condition holds. */
export function applies({ status, error, description, header, member, body }: Conditions, facts: ErrorFacts): boolean {
  return (
    (status === undefined ||
      status.some((pattern) => pattern === facts.status || pattern === `${Math.floor(facts.status / 100)}xx`)) &&
    (error === undefined || (facts.error !== undefined && error.includes(facts.error))) &&
    (description === undefined || matches(description, facts.description)) &&
    (header === undefined || matches(header.matches, facts.headers[header.name])) &&
    (member === undefined || matches(member.matches, memberAt(facts.members, member.path))) &&
    (body === undefined || matches(body, facts.body))
  );
}

const matches = (expression: string, text: unknown): boolean =>
  typeof text === 'string' && new RegExp(expression, 'i').test(text);
