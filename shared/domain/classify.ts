/** What a call to the token endpoint came to. Pure and total: every reply, and every lack of one, has a meaning. */

import type { ErrorRule } from './conditions.ts';
import { codesOf } from './error-codes.ts';
import { knownCodes, ruleFor } from './error-rules.ts';
import type { CallTimes, Exchange, HttpReply } from './exchange.ts';
import { toldRetryAt } from './instants.ts';
import { limits } from './limits.ts';
import type { Outcome } from './outcome.ts';
import { redact, wears, withoutSecrets } from './redact.ts';
import { type Dialect, type Reading, readReply, type Unusable } from './reply.ts';
import type { Secret } from './secret.ts';
import { type EpochMs, plus } from './time.ts';

type Failed = Extract<Outcome, { kind: 'failure' }>;
type ErrorReading = Extract<Reading, { kind: 'error' }>;

/**
 * Returns the outcome in the provider's dialect. `sent` are the secrets of the request: they never come back in a
 * description.
 */
export function classify(exchange: Exchange, times: CallTimes, sent: readonly Secret[], dialect: Dialect): Outcome {
  switch (exchange.kind) {
    case 'not_sent':
      return { kind: 'failure', class: 'transient', code: exchange.code };
    case 'not_written':
      return { kind: 'failure', class: 'misconfigured', cause: 'invalid_client', code: exchange.code };
    case 'lost':
      return { kind: 'failure', class: 'in_doubt', code: exchange.code };
    case 'reply': {
      const reading = readReply(exchange, times, dialect);
      if (reading.kind === 'tokens') return { kind: 'success', tokens: reading.tokens };
      return failed(
        exchange,
        reading,
        times,
        sent.map((secret) => secret.reveal()),
        dialect,
      );
    }
  }
}

function failed(
  reply: HttpReply,
  reading: ErrorReading,
  times: CallTimes,
  sent: readonly string[],
  dialect: Dialect,
): Failed {
  const { said, explicit, members, refreshToken } = reading;
  const facts = { ...reply, ...said, explicit, members };
  const rule = ruleFor(facts, dialect.errorRules);
  const secrets = [...sent, ...reading.secrets];
  const retryAt = retryAtOf(reply, times.receivedAt, rule, dialect);
  const words = wordsOf(reply, said.description, secrets);
  return {
    kind: 'failure',
    ...meaningOf(reading, rule, dialect),
    code: codeOf(reply.status, reading, secrets, dialect),
    status: reply.status,
    ...(words && { description: words }),
    ...(retryAt !== undefined && { retryAt }),
    // A provider that echoes the request has not given us a new token: to keep the echo would hide a dead grant for
    // ever.
    ...(refreshToken !== undefined && !sent.includes(refreshToken.reveal()) && { refreshToken }),
  };
}

/** Nothing is in doubt: it was issued, and what came with it is kept. */
const issued: readonly (Unusable | undefined)[] = ['expired_on_arrival', 'endpoint_not_allowed'];

function meaningOf(
  { unusable }: ErrorReading,
  rule: ErrorRule | undefined,
  { grant }: Dialect,
): Pick<Failed, 'class' | 'cause' | 'fix' | 'rule' | 'misconfiguredAfter' | 'lasting'> {
  if (unusable !== undefined && issued.includes(unusable)) return { class: 'transient', rule: unusable };
  if (rule === undefined) return { class: 'transient' };
  const { name, cause, fix, misconfiguredAfter, lasting } = rule;
  // There is no grant that a person could renew: what the connection authenticates with is refused.
  if (rule.class === 'dead_grant' && grant !== 'refresh_token')
    return { class: 'misconfigured', cause: 'invalid_client', rule: name };
  return {
    class: rule.class,
    rule: name,
    ...(cause !== undefined && { cause }),
    ...(fix !== undefined && { fix }),
    ...(misconfiguredAfter !== undefined && { misconfiguredAfter }),
    ...(lasting && { lasting }),
  };
}

/** The provider's words, fit to be shown; of a redirect, where it leads to. */
function wordsOf(reply: HttpReply, description: string | undefined, secrets: readonly string[]): string | undefined {
  const target = reply.status >= 300 && reply.status < 400 ? targetOf(reply, secrets) : undefined;
  const words = target === undefined ? description && redact(description, secrets) : `redirects to ${target}`;
  return words?.slice(0, limits.descriptionLength);
}

/** Origin and path of where a redirect leads to. What follows the path could be a secret, and so could a part of it. */
function targetOf({ headers: { location = '' } }: HttpReply, secrets: readonly string[]): string | undefined {
  const nowhere = 'https://nowhere.invalid';
  const url = location === '' ? null : URL.parse(location, nowhere);
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
  const origin = withoutSecrets(url.origin === nowhere ? '' : url.origin, secrets);
  const path = url.pathname.split('/').map((part) => redact(part, secrets));
  const target = origin + path.join('/');
  return wears(target, secrets) ? undefined : target;
}

/** Words, or short: a long text with digits in it could be anything. */
const looksLikeACode = /^(?:[a-z][a-z_.-]{0,63}|[\w.-]{1,15})$/;

/**
 * Short and stable: the status where it tells more than the body, else the provider's error code, else what is wrong
 * with the reply. A code that no rule knows is shown only if nothing is left out of it: it could be a secret in other
 * clothes.
 */
function codeOf(
  status: number,
  { said, unusable }: ErrorReading,
  secrets: readonly string[],
  dialect: Dialect,
): string {
  if (status === 429 || status >= 500) return `http_${status}`;
  const isKnown = knownCodes(dialect.errorRules);
  const own = said.code === undefined ? undefined : codesOf(said.code).find(isKnown);
  const asItCame = said.code?.trim().toLowerCase().replaceAll(/\s+/g, '_');
  const fit = (code: string | undefined) =>
    code !== undefined && looksLikeACode.test(code) && redact(code, secrets) === code;
  // As the provider writes it where that is as plain.
  const plain = asItCame?.replaceAll('-', '_') === own ? asItCame : own;
  const code = [plain, asItCame, said.codes.find(isKnown)].find(fit);
  if (code !== undefined) return code;
  return unusable ?? `http_${status}`;
}

/** When the provider wants to be asked again, in its own words if it has any. */
function retryAtOf(
  { status, headers }: HttpReply,
  receivedAt: EpochMs,
  rule: ErrorRule | undefined,
  dialect: Dialect,
): EpochMs | undefined {
  const told = toldRetryAt(headers, status === 429 ? dialect.resetHeaders : [], receivedAt);
  if (told !== undefined || rule?.retryAfterSeconds === undefined) return told;
  return plus(receivedAt, rule.retryAfterSeconds * 1_000);
}
