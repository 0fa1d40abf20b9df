/** Reads a token endpoint's reply: a token set, or what it says is wrong. Tolerant in form, strict in substance. */
import type { ErrorRule } from './error-rules.ts';
import { instantOf } from './instants.ts';
import { type EpochMs, type Profile, plus, Secret, type TokenSet } from './types.ts';

/** A reply as it came; header names in lower case. */
export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** When the request left and when its reply had arrived. */
export interface Exchange {
  readonly requestedAt: EpochMs;
  readonly receivedAt: EpochMs;
}

/** How one provider speaks. */
export interface Dialect {
  readonly grant: Profile['grant'];
  readonly errorRules: readonly ErrorRule[];
  /** Lifetime of a token whose reply does not tell. */
  readonly defaultLifetimeMs: number;
  /** Unit of `expires_in`. */
  readonly expiresInUnit: 'seconds' | 'milliseconds';
  /** Headers of a 429 that say when to come back, most telling first, in lower case: an instant, or seconds from now. */
  readonly resetHeaders: readonly string[];
}

/** Why a reply without an error code is no token set. */
export type Unusable = 'unreadable_reply' | 'no_access_token' | 'expired_on_arrival' | 'refused';

export type Reading =
  | { readonly kind: 'tokens'; readonly tokens: TokenSet }
  | {
      readonly kind: 'error';
      /** The `error` member, as it came. */
      readonly error?: string;
      /** What the provider says in words; not yet fit to be shown. */
      readonly description?: string;
      readonly unusable?: Unusable;
      /** Some providers rotate even when they answer an error. */
      readonly refreshToken?: Secret;
      /** Texts in the reply that must not be shown. */
      readonly secrets: readonly string[];
    };

type Members = Readonly<Record<string, unknown>>;

/** Members that tell the expiry, most telling first. */
const expiryMembers = ['expires_in', 'expires_at', 'expires_on'];
/** A longer life is taken for this one: "never" as a number, or nonsense. Renewing once a year does no harm. */
const longestLifetimeMs = 366 * 86_400_000;

/** Total: every reply is a token set or an error. */
export function readReply(reply: HttpReply, exchange: Exchange, dialect: Dialect): Reading {
  const members = membersOf(reply);
  const nested = objectIn(members, 'error');
  const error = text(members?.error) ?? text(nested?.code);
  const accessToken = credential(members?.access_token);
  const refreshToken = dialect.grant === 'refresh_token' ? credential(members?.refresh_token) : undefined;
  const carried = refreshToken === undefined ? {} : { refreshToken: new Secret(refreshToken) };

  const good = reply.status >= 200 && reply.status < 300 && !members?.error;
  const expiresAt = plus(exchange.requestedAt, Math.min(lifetimeOf(members, exchange, dialect), longestLifetimeMs));
  if (good && accessToken !== undefined && expiresAt > exchange.receivedAt) {
    const scope = scopeOf(members?.scope);
    const tokens = { accessToken: new Secret(accessToken), ...carried, tokenType: tokenTypeOf(members?.token_type), ...(scope && { scope }) };
    return { kind: 'tokens', tokens: { ...tokens, requestedAt: exchange.requestedAt, receivedAt: exchange.receivedAt, expiresAt } };
  }

  const description = descriptionOf(reply, members);
  const missing = members === undefined ? 'unreadable_reply' : accessToken === undefined ? 'no_access_token' : 'expired_on_arrival';
  return {
    kind: 'error',
    ...(error === undefined ? { unusable: good ? missing : 'refused' } : { error }),
    ...(description && { description }),
    ...carried,
    secrets: [members?.access_token, members?.refresh_token, members?.id_token].filter((value) => typeof value === 'string'),
  };
}

/** The reply's members: a JSON object, or a form as older providers send it (RFC 6749 prescribes JSON). */
function membersOf({ headers, body }: HttpReply): Members | undefined {
  // Trimming also takes off a byte-order mark.
  const trimmed = body.trim();
  try {
    const json: unknown = JSON.parse(trimmed);
    return typeof json === 'object' && json !== null && !Array.isArray(json) ? (json as Members) : undefined;
  } catch {
    const form = headers['content-type']?.includes('application/x-www-form-urlencoded') || /^(?:[\w.-]+=[^&\s]*&)*(?:access_token|error)=/.test(trimmed);
    return form ? Object.fromEntries(new URLSearchParams(trimmed)) : undefined;
  }
}

const text = (value: unknown): string | undefined => (typeof value === 'string' && value.trim() !== '' ? value : undefined);

/** A token (RFC 6749 §A.12, §A.17: visible ASCII and spaces), else undefined: anything else could not be sent in a header. */
const credential = (value: unknown): string | undefined =>
  typeof value === 'string' && /^[\x20-\x7e]*[\x21-\x7e][\x20-\x7e]*$/.test(value) ? value : undefined;

/** `Bearer` whatever its case, since some APIs compare it literally; also where the reply has none. */
function tokenTypeOf(value: unknown): string {
  return typeof value === 'string' && /^[\w.~+-]+$/.test(value) && value.toLowerCase() !== 'bearer' ? value : 'Bearer';
}

const scopeOf = (value: unknown): string | undefined => text(Array.isArray(value) ? value.filter((item) => typeof item === 'string').join(' ') : value);

/**
 * Milliseconds from the start of the request to the expiry. An absolute expiry is told from a lifetime by its size or form.
 * Zero and negative lifetimes tell nothing: they are how some write "does not expire" (VK ID documents −1).
 */
function lifetimeOf(members: Members | undefined, { requestedAt }: Exchange, { defaultLifetimeMs, expiresInUnit }: Dialect): number {
  for (const name of expiryMembers) {
    const instant = instantOf(members?.[name], requestedAt, expiresInUnit);
    if (instant !== undefined) return instant - requestedAt;
  }
  return defaultLifetimeMs;
}

/** The provider's own words, wherever they are. A page for people is only named. */
function descriptionOf({ headers, body }: HttpReply, members: Members | undefined): string | undefined {
  const fault = objectIn(members, 'fault');
  const nested = objectIn(members, 'error');
  const found = [members?.error_description, members?.message, nested?.message, fault?.faultstring, headers.reason]
    .map(text)
    .find((words) => words !== undefined);
  if (found !== undefined || members !== undefined || body.trim() === '') return found;
  const type = headers['content-type'] ?? 'no content-type';
  return type.startsWith('text/plain') ? body : `not JSON: ${type}`;
}

function objectIn(members: Members | undefined, name: string): Members | undefined {
  const value = members?.[name];
  return typeof value === 'object' && value !== null ? (value as Members) : undefined;
}
