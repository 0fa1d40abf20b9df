/** What a call to the token endpoint came to. Pure and total: every reply, and every lack of one, has a meaning. */

import { type ErrorRule, ruleFor } from './error-rules.ts';
import type { CallTimes, Exchange, HttpReply } from './exchange.ts';
import { toldRetryAt } from './instants.ts';
import { limits } from './limits.ts';
import type { Outcome } from './outcome.ts';
import { redact } from './redact.ts';
import { type Dialect, type Reading, readReply } from './reply.ts';
import type { Secret } from './secret.ts';
import { type EpochMs, plus } from './time.ts';

type Failed = Extract<Outcome, { kind: 'failure' }>;
type ErrorReading = Extract<Reading, { kind: 'error' }>;

/** Returns the outcome in the provider's dialect. `sent` are the secrets of the request: they never come back in a description. */
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
      return failureOf(
        exchange,
        reading,
        times,
        sent.map((secret) => secret.reveal()),
        dialect,
      );
    }
  }
}

function failureOf(
  reply: HttpReply,
  reading: ErrorReading,
  times: CallTimes,
  sent: readonly string[],
  dialect: Dialect,
): Failed {
  const { error, description, refreshToken } = reading;
  const facts = {
    ...reply,
    members: reading.members,
    ...(error !== undefined && { error }),
    ...(description !== undefined && { description }),
  };
  const rule = ruleFor(facts, dialect.errorRules);
  const secrets = [...sent, ...reading.secrets];
  const retryAt = retryAtOf(reply, times.receivedAt, rule, dialect);
  const words = description && redact(description, secrets).slice(0, limits.descriptionLength);
  return {
    kind: 'failure',
    ...meaningOf(reading, rule, dialect),
    code: codeOf(reply.status, reading, secrets),
    status: reply.status,
    ...(words && { description: words }),
    ...(retryAt !== undefined && { retryAt }),
    // A provider that echoes the request has not given us a new token: to keep the echo would hide a dead grant for ever.
    ...(refreshToken !== undefined && !sent.includes(refreshToken.reveal()) && { refreshToken }),
  };
}

function meaningOf(
  { unusable }: ErrorReading,
  rule: ErrorRule | undefined,
  { grant }: Dialect,
): Pick<Failed, 'class' | 'cause' | 'fix'> {
  // Nothing is in doubt: it was issued, and what came with it is kept.
  if (rule === undefined || unusable === 'expired_on_arrival' || unusable === 'endpoint_not_allowed')
    return { class: 'transient' };
  // There is no grant that a person could renew: what the connection authenticates with is refused.
  if (rule.class === 'dead_grant' && grant !== 'refresh_token')
    return { class: 'misconfigured', cause: 'invalid_client' };
  return {
    class: rule.class,
    ...(rule.cause !== undefined && { cause: rule.cause }),
    ...(rule.fix !== undefined && { fix: rule.fix }),
  };
}

/** Words, or short: a long text with digits in it could be anything. */
const looksLikeACode = /^(?:[a-z][a-z_.-]{0,63}|[\w.-]{1,15})$/;

/** Short and stable: the status where it tells more than the body, else the provider's error code, else what is wrong with the reply. */
function codeOf(status: number, { error, unusable }: ErrorReading, secrets: readonly string[]): string {
  if (status === 429 || status >= 500) return `http_${status}`;
  const code = error?.trim().toLowerCase().replaceAll(/\s+/g, '_');
  if (code !== undefined && looksLikeACode.test(code) && !secrets.includes(error ?? '')) return code;
  return unusable !== undefined && unusable !== 'refused' ? unusable : `http_${status}`;
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
