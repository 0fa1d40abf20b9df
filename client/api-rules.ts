/**
 * What a reply of a provider's *API* asks its client to do, as data like the rules of token endpoints: ordered rules,
 * the first that matches wins. Pure; for clients, not for the broker, which never calls an API.
 */

import { applies, type Conditions, type ErrorFacts } from '../shared/domain/conditions.ts';
import { codesOf } from '../shared/domain/error-codes.ts';
import type { HttpReply } from '../shared/domain/exchange.ts';
import { toldRetryAt } from '../shared/domain/instants.ts';
import { limits } from '../shared/domain/limits.ts';
import { redact } from '../shared/domain/redact.ts';
import { asMembers, descriptionOf, firstText, membersOf } from '../shared/domain/reply.ts';
import { type EpochMs, latest, plus } from '../shared/domain/time.ts';
import type { Advice } from './advice-kinds.ts';

interface ApiConditions extends Conditions {
  /** Whether the request's method only reads (RFC 9110 §9.2.1). One that is not told may have changed something. */
  readonly safe?: boolean;
  /** There was no reply: the network failed, or the time was up. A rule that does not say so is about replies. */
  readonly unanswered?: true;
  /** This request had failed at least so many times before. */
  readonly failures?: number;
}

/** A delay, or the range in which it is chosen by chance. */
type DelaySeconds = number | { readonly from: number; readonly to: number };

export type ApiRule = {
  readonly when: ApiConditions;
  readonly comment: string;
  /** Where this was read. */
  readonly source: string;
} & (
  | { readonly do: 'proceed' | 'report_token' | 'reauthorize' | 'correct_request' }
  | {
      readonly do: 'retry';
      /** Before the first repetition, unless the reply itself says when. */
      readonly delaySeconds: DelaySeconds;
      /** Whether the delay doubles with each failure. */
      readonly growth: 'exponential' | 'constant';
      /** A request that changes something may have done so before it failed. */
      readonly mayHaveActed?: true;
    }
);

/** How one provider's API speaks. */
interface ApiDialect {
  readonly rules: readonly ApiRule[];
  /** Headers of a 429 that say when to come back, most telling first, in lower case. */
  readonly resetHeaders?: readonly string[];
  /** Paths of the error code, and of the words for it. */
  readonly errors?: readonly string[];
  readonly descriptions?: readonly string[];
  /** Reads a body that is not JSON. */
  readonly parse?: (body: string) => unknown;
}

/** The request that was answered. */
export interface ApiRequest {
  readonly method?: string;
  /** How many times this request failed before this reply. */
  readonly failures: number;
  readonly now: EpochMs;
  /** In [0, 1), for delays that are a range. */
  readonly chance: number;
}

/** However often a request failed, it is not put off for longer, unless the provider says so. */
export const longestDelaySeconds = 3_600;

const rfc6750 = 'RFC 6750 §3.1';
const bearer = (error: string) => ({ name: 'www-authenticate', matches: `\\berror\\s*=\\s*"?${error}\\b` });

/** What replies mean where a provider's own rules say nothing. The last one matches everything. */
const commonApiRules: readonly ApiRule[] = [
  {
    when: { unanswered: true },
    do: 'retry',
    delaySeconds: { from: 1, to: 5 },
    growth: 'exponential',
    mayHaveActed: true,
    comment: 'No reply: the network failed, or the time was up. Whether the request arrived is not known.',
    source: 'RFC 9110 §9.2.2; the delay is our choice',
  },
  { when: { status: ['2xx'] }, do: 'proceed', comment: 'A success.', source: 'RFC 9110 §15.3' },
  {
    when: { header: bearer('insufficient_scope') },
    do: 'reauthorize',
    comment: 'The grant does not reach so far: put the scope that WWW-Authenticate names, and authorize again.',
    source: rfc6750,
  },
  {
    when: { header: bearer('invalid_token'), failures: 2 },
    do: 'reauthorize',
    comment: 'A renewed token was refused as well: another renewal would not help.',
    source: rfc6750,
  },
  {
    when: { header: bearer('invalid_token') },
    do: 'report_token',
    comment: 'The access token is expired, revoked or not valid for another reason.',
    source: rfc6750,
  },
  {
    when: { header: bearer('invalid_request') },
    do: 'correct_request',
    comment: 'Malformed, or the token was sent in more than one way.',
    source: rfc6750,
  },
  {
    when: { status: [401], failures: 2 },
    do: 'reauthorize',
    comment: 'A renewed token was refused as well: another renewal would not help.',
    source: 'RFC 9110 §15.5.2',
  },
  {
    when: { status: [401] },
    do: 'report_token',
    comment: 'The access token was refused, or was not sent.',
    source: 'RFC 9110 §15.5.2',
  },
  {
    when: { status: [403] },
    do: 'correct_request',
    comment: 'The token is good and the right is missing: to renew the token would change nothing.',
    source: 'RFC 9110 §15.5.4',
  },
  {
    when: { status: [408, 425] },
    do: 'retry',
    delaySeconds: 5,
    growth: 'exponential',
    comment: 'Not looked at: it came too slowly, or too early.',
    source: 'RFC 9110 §15.5.9, RFC 8470 §5.2',
  },
  {
    when: { status: [429] },
    do: 'retry',
    delaySeconds: 60,
    growth: 'exponential',
    comment: 'Too many requests; not looked at.',
    source: 'RFC 6585 §4',
  },
  {
    when: { status: [501, 505] },
    do: 'correct_request',
    comment: 'The server knows no such method or version, and will not learn it.',
    source: 'RFC 9110 §15.6.2, §15.6.6',
  },
  {
    when: { status: ['5xx'] },
    do: 'retry',
    delaySeconds: { from: 15, to: 30 },
    growth: 'exponential',
    mayHaveActed: true,
    comment: 'The server failed, perhaps after it had acted.',
    source: 'RFC 9110 §15.6',
  },
  {
    when: {},
    do: 'correct_request',
    comment: 'The same request would be answered in the same way.',
    source: 'RFC 9110 §15.5',
  },
];

/** The rules of one provider's API. */
export interface ApiPreset extends Omit<ApiDialect, 'parse'> {
  /** The presets whose API this is. */
  readonly providers: readonly string[];
  readonly format: 'json' | 'xml';
}

const safeMethods = ['GET', 'HEAD', 'OPTIONS', 'TRACE'];

const noReply: HttpReply = { status: 0, headers: {}, body: '' };

/** Total: every reply has a meaning, and so has none. */
export function adviceFor(answer: HttpReply | undefined, request: ApiRequest, dialect: ApiDialect): Advice {
  const reply = answer ?? noReply;
  const safe = safeMethods.includes(request.method?.toUpperCase() ?? '');
  const members = dialect.parse === undefined ? membersOf(reply) : asMembers(dialect.parse(reply.body));
  const error = firstText(members, [...(dialect.errors ?? []), 'error', 'error.code']);
  const words =
    reply.status >= 400 || error !== undefined ? descriptionOf(reply, members, dialect.descriptions ?? []) : undefined;
  const facts: ErrorFacts = {
    ...reply,
    members,
    codes: error === undefined ? [] : codesOf(error),
    ...(words !== undefined && { description: words }),
  };

  const rule = [...dialect.rules, ...commonApiRules].find(
    ({ when }) =>
      (when.unanswered === true) === (answer === undefined) &&
      (when.safe === undefined || when.safe === safe) &&
      (when.failures === undefined || when.failures <= request.failures) &&
      applies(when, facts),
  );
  if (rule === undefined) throw new Error('the last common rule matches everything');
  const clean = (text: string | undefined) => text && redact(text, []).slice(0, limits.descriptionLength);
  const [code, description] = [clean(error), clean(words)];
  const explained = {
    reason: rule.comment,
    source: rule.source,
    ...(code && { error: code }),
    ...(description && { description }),
  };
  if (rule.do !== 'retry') return { do: rule.do, ...explained };

  const resetHeaders = reply.status === 429 ? (dialect.resetHeaders ?? []) : [];
  const told = toldRetryAt(reply.headers, resetHeaders, request.now);
  const retryAt = latest(told ?? plus(request.now, delayMs(rule, request)), plus(request.now, 1_000));
  const retryAfterSeconds = Math.ceil((retryAt - request.now) / 1_000);
  return { do: 'retry', retryAt, retryAfterSeconds, mayHaveActed: !safe && rule.mayHaveActed === true, ...explained };
}

function delayMs(
  { delaySeconds, growth }: Extract<ApiRule, { do: 'retry' }>,
  { failures, chance }: ApiRequest,
): number {
  const { from, to } = typeof delaySeconds === 'number' ? { from: delaySeconds, to: delaySeconds } : delaySeconds;
  const first = from + (to - from) * chance;
  return Math.round(Math.min(growth === 'exponential' ? first * 2 ** failures : first, longestDelaySeconds) * 1_000);
}
