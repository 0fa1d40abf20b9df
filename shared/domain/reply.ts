/** Reads a token endpoint's reply: a token set, or what it says is wrong. Tolerant in form, strict in substance. */
import type { ErrorRule } from './error-rules.ts';
import type { CallTimes, HttpReply } from './exchange.ts';
import { instantOf } from './instants.ts';
import { memberAt } from './members.ts';
import type { Profile } from './profile.ts';
import { Secret } from './secret.ts';
import { plus } from './time.ts';
import type { TokenSet } from './token-set.ts';

/** Where a reply has what RFC 6749 calls by another name, or does not know. Every path is one of `memberAt`. */
export interface ReplyShape {
  readonly accessToken?: string;
  /** A lifetime or an instant, as `instantOf` reads it. */
  readonly expiry?: string;
  /** Where the provider wants its API called: https, and with `hosts` it must be there and its host end in one of them; else the reply is refused. */
  readonly endpoint?: { readonly path: string; readonly hosts?: readonly string[] };
  /** The error code and the words for it, wherever the provider puts them; the first that is there counts. */
  readonly errors?: readonly string[];
  readonly descriptions?: readonly string[];
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
  readonly reply?: ReplyShape;
  /** Reads a body that is not JSON; undefined if it cannot be read. */
  readonly parse?: (body: string) => unknown;
  /** Type of a token whose reply does not tell; `Bearer` if absent. */
  readonly tokenType?: string;
}

/** Why a reply without an error code is no token set. */
export type Unusable =
  | 'unreadable_reply'
  | 'no_access_token'
  | 'expired_on_arrival'
  | 'endpoint_not_allowed'
  | 'refused';

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
      readonly members?: unknown;
    };

export type Members = Readonly<Record<string, unknown>>;

/** Members that tell the expiry, most telling first. */
const expiryMembers = ['expires_in', 'expires_at', 'expires_on'];
/** A longer life is taken for this one: "never" as a number, or nonsense. Renewing once a year does no harm. */
const longestLifetimeMs = 366 * 86_400_000;

/** Total: every reply is a token set or an error. */
export function readReply(reply: HttpReply, times: CallTimes, dialect: Dialect): Reading {
  const shape = dialect.reply ?? {};
  const members = dialect.parse === undefined ? membersOf(reply) : asMembers(dialect.parse(reply.body));
  const error = firstText(members, [...(shape.errors ?? []), 'error', 'error.code']);
  const accessToken = credential(memberAt(members, shape.accessToken ?? 'access_token'));
  const refreshToken = dialect.grant === 'refresh_token' ? credential(members?.refresh_token) : undefined;
  const carried = refreshToken === undefined ? {} : { refreshToken: new Secret(refreshToken) };

  const good = reply.status >= 200 && reply.status < 300 && !members?.error && error === undefined;
  const expiresAt = plus(times.requestedAt, Math.min(lifetimeOf(members, times, dialect), longestLifetimeMs));
  const endpoint = endpointIn(members, shape.endpoint);
  if (good && accessToken !== undefined && expiresAt > times.receivedAt && endpoint !== 'not_allowed') {
    const scope = scopeOf(members?.scope);
    const tokens = {
      accessToken: new Secret(accessToken),
      ...carried,
      tokenType: tokenTypeOf(members?.token_type, dialect),
      ...(scope && { scope }),
    };
    const companions = endpoint && { companions: { endpoint } };
    return {
      kind: 'tokens',
      tokens: {
        ...tokens,
        ...companions,
        requestedAt: times.requestedAt,
        receivedAt: times.receivedAt,
        expiresAt,
      },
    };
  }

  const description = descriptionOf(reply, members, shape.descriptions ?? []);
  const missing =
    members === undefined ? 'unreadable_reply' : accessToken === undefined ? 'no_access_token' : undefined;
  const unusable = missing ?? (endpoint === 'not_allowed' ? 'endpoint_not_allowed' : 'expired_on_arrival');
  return {
    kind: 'error',
    ...(error === undefined ? { unusable: good ? unusable : 'refused' } : { error }),
    ...(description && { description }),
    ...carried,
    secrets: [accessToken, members?.access_token, members?.refresh_token, members?.id_token].filter(
      (value) => typeof value === 'string',
    ),
    members,
  };
}

/** The reply's members: a JSON object, or a form as older providers send it (RFC 6749 prescribes JSON). */
export function membersOf({ headers, body }: HttpReply): Members | undefined {
  // Trimming also takes off a byte-order mark.
  const trimmed = body.trim();
  try {
    return asMembers(JSON.parse(trimmed));
  } catch {
    const form =
      headers['content-type']?.includes('application/x-www-form-urlencoded') ||
      /^(?:[\w.-]+=[^&\s]*&)*(?:access_token|error)=/.test(trimmed);
    return form ? Object.fromEntries(new URLSearchParams(trimmed)) : undefined;
  }
}

export const asMembers = (value: unknown): Members | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : undefined;

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value : undefined;

/** The first of these paths at which there is a text that is not empty. */
export const firstText = (members: Members | undefined, paths: readonly string[]): string | undefined =>
  paths.map((path) => text(memberAt(members, path))).find((found) => found !== undefined);

/** A token (RFC 6749 §A.12, §A.17: visible ASCII and spaces), else undefined: anything else could not be sent in a header. */
const credential = (value: unknown): string | undefined =>
  typeof value === 'string' && /^[\x20-\x7e]*[\x21-\x7e][\x20-\x7e]*$/.test(value) ? value : undefined;

/** `Bearer` whatever its case, since some APIs compare it literally; also where neither the reply nor the provider's preset has one. */
function tokenTypeOf(value: unknown, { tokenType = 'Bearer' }: Dialect): string {
  if (typeof value !== 'string' || !/^[\w.~+-]+$/.test(value)) return tokenType;
  return value.toLowerCase() === 'bearer' ? 'Bearer' : value;
}

/** An endpoint that only the reply tells is somebody's word: clients will send the token there. */
function endpointIn(members: Members | undefined, shape: ReplyShape['endpoint']): string | 'not_allowed' | undefined {
  const told = shape === undefined ? undefined : memberAt(members, shape.path);
  if (shape === undefined) return undefined;
  if (told === undefined) return shape.hosts === undefined ? undefined : 'not_allowed';
  const url = URL.parse(String(told));
  const hosts = shape.hosts ?? [''];
  const allowed =
    url?.protocol === 'https:' &&
    url.username === '' &&
    url.password === '' &&
    hosts.some((end) => url.hostname.endsWith(end));
  return allowed ? url.href : 'not_allowed';
}

const scopeOf = (value: unknown): string | undefined =>
  text(Array.isArray(value) ? value.filter((item) => typeof item === 'string').join(' ') : value);

/**
 * Milliseconds from the start of the request to the expiry. An absolute expiry is told from a lifetime by its size or form.
 * Zero and negative lifetimes tell nothing: they are how some write "does not expire" (VK ID documents −1).
 */
function lifetimeOf(
  members: Members | undefined,
  { requestedAt }: CallTimes,
  { defaultLifetimeMs, expiresInUnit, reply }: Dialect,
): number {
  for (const path of reply?.expiry === undefined ? expiryMembers : [reply.expiry, ...expiryMembers]) {
    const instant = instantOf(memberAt(members, path), requestedAt, expiresInUnit);
    if (instant !== undefined) return instant - requestedAt;
  }
  return defaultLifetimeMs;
}

/** The provider's own words, wherever they are. A page for people is only named. */
export function descriptionOf(
  { headers, body }: HttpReply,
  members: Members | undefined,
  paths: readonly string[],
): string | undefined {
  const found =
    firstText(members, [...paths, 'error_description', 'message', 'error.message', 'fault.faultstring']) ??
    text(headers.reason);
  if (found !== undefined || members !== undefined || body.trim() === '') return found;
  const type = headers['content-type'] ?? 'no content-type';
  return type.startsWith('text/plain') ? body : `not JSON: ${type}`;
}
