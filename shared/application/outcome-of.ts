/**
 * What a call to a provider came to: the one way from an exchange to an outcome, for renewals, codes and revocations.
 */
import { classify } from '../domain/classify.ts';
import type { CallTimes, Exchange } from '../domain/exchange.ts';
import type { OwnFailureCode } from '../domain/failure.ts';
import type { Outcome } from '../domain/outcome.ts';
import { membersOf } from '../domain/reply.ts';
import { Secret } from '../domain/secret.ts';
import { type EpochMs, plus } from '../domain/time.ts';
import type { Credentials } from '../ports/credentials.ts';
import type { ProviderRules } from '../ports/providers.ts';

/** What a request carried. None of these secrets comes back in a description. */
interface Sent {
  readonly credentials: Credentials;
  /** The refresh token, or the code and its verifier. */
  readonly others: readonly Secret[];
}

/**
 * Returns the outcome of a request for tokens. Never throws: the request was sent, and a refresh token may be in the
 * reply. A reply that the classifier fails on leaves the call in doubt, and its refresh token, if one can be read, is
 * kept.
 */
export function outcomeOf(
  rules: ProviderRules,
  exchange: Exchange,
  times: CallTimes,
  { credentials, others }: Sent,
): Outcome {
  const sent = [...Object.values(credentials), ...others];
  try {
    return withHeaderSecrets(classify(exchange, times, sent, rules.dialect), rules, credentials);
  } catch {
    const refreshToken = refreshTokenIn(exchange, rules);
    const isNew = refreshToken !== undefined && sent.every((secret) => secret.reveal() !== refreshToken);
    return {
      kind: 'failure',
      class: 'in_doubt',
      code: 'unreadable_reply' satisfies OwnFailureCode,
      ...(exchange.kind === 'reply' && { status: exchange.status }),
      ...(isNew && { refreshToken: new Secret(refreshToken) }),
    };
  }
}

function refreshTokenIn(exchange: Exchange, { dialect }: ProviderRules): string | undefined {
  if (exchange.kind !== 'reply' || dialect.grant !== 'refresh_token') return undefined;
  try {
    const text = membersOf(exchange)?.refresh_token;
    return typeof text === 'string' && text.trim() !== '' ? text : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The outcome where the access token is a stored secret. The connection looks at the secret again after the preset's
 * lifetime.
 */
export function storedOutcome(rules: ProviderRules, name: string, credentials: Credentials, now: EpochMs): Outcome {
  const accessToken = credentials[name];
  if (accessToken === undefined) return { kind: 'failure', class: 'transient', code: `${name}_missing` };
  const { tokenType = 'Bearer', defaultLifetimeMs } = rules.dialect;
  const expiresAt = plus(now, defaultLifetimeMs);
  const tokens = { accessToken, tokenType, requestedAt: now, receivedAt: now, expiresAt, expiryAssumed: true } as const;
  return withHeaderSecrets({ kind: 'success', tokens }, rules, credentials);
}

/** Adds the secrets that API requests carry: the function that serves the token may not read credentials. */
function withHeaderSecrets(outcome: Outcome, { headerSecrets }: ProviderRules, credentials: Credentials): Outcome {
  const found = Object.entries(credentials).filter(([name]) => headerSecrets.includes(name));
  if (outcome.kind !== 'success' || found.length === 0) return outcome;
  const { tokens } = outcome;
  const companions = { ...tokens.companions, secrets: Object.fromEntries(found) };
  return { kind: 'success', tokens: { ...tokens, companions } };
}

export type RevocationResult =
  | { readonly kind: 'revoked' }
  /** For good: there is nothing to revoke, or the provider takes no revocation. */
  | { readonly kind: 'refused'; readonly code: OwnFailureCode }
  /** For now: worth another try. */
  | { readonly kind: 'failed'; readonly code: OwnFailureCode };

/**
 * Returns whether the grant was revoked. A server answers 200 also for a token that it does not know (RFC 7009 §2.2).
 */
export function revocationOf(exchange: Exchange): RevocationResult {
  switch (exchange.kind) {
    case 'not_written':
      return { kind: 'refused', code: exchange.code };
    case 'not_sent':
    case 'lost':
      return { kind: 'failed', code: exchange.code };
    case 'reply': {
      const { status } = exchange;
      if (status >= 200 && status < 300) return { kind: 'revoked' };
      return { kind: status === 429 || status >= 500 ? 'failed' : 'refused', code: `http_${status}` };
    }
  }
}
