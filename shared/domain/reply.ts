/** Reads a token endpoint's reply: a token set, or what it says is wrong. Tolerant in form, strict in substance. */

import type { ErrorRule } from './conditions.ts';
import { complains, refuses, type Said, saidIn } from './error-codes.ts';
import { knownCodes } from './error-rules.ts';
import type { CallTimes, HttpReply } from './exchange.ts';
import { instantOf } from './instants.ts';
import { limits } from './limits.ts';
import { memberAt, membersLike, squashed } from './members.ts';
import { objectIn } from './objects.ts';
import type { Profile } from './profile.ts';
import { Secret } from './secret.ts';
import { type EpochMs, earliest, plus } from './time.ts';
import type { TokenSet } from './token-set.ts';
import { type Told, toldIn } from './told-values.ts';

/** Where a reply has what RFC 6749 calls by another name, or does not know. Every path is one of `memberAt`. */
interface ReplyShape {
  readonly accessToken?: string;
  /** A lifetime or an instant, as `instantOf` reads it. */
  readonly expiry?: string;
  /**
   * Where the provider wants its API called: https, and with `hosts` it must be there and its host end in one of them;
   * else the reply is refused.
   */
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
  /**
   * Headers of a 429 that say when to come back, most telling first, in lower case: an instant, or seconds from now.
   */
  readonly resetHeaders: readonly string[];
  readonly reply?: ReplyShape;
  /** What its replies tell beside the token, and where: it stays with the grant. */
  readonly values?: readonly (Told & { readonly path: string })[];
  /** Reads a body that is not JSON; undefined if it cannot be read. */
  readonly parse?: (body: string) => unknown;
  /** Type of a token whose reply does not tell; `Bearer` if absent. */
  readonly tokenType?: string;
}

/** Why a reply that is no refusal is no token set. */
export type Unusable =
  | 'unreadable_reply'
  | 'no_access_token'
  | 'expired_on_arrival'
  | 'endpoint_not_allowed'
  | 'refresh_token_not_kept';

export type Reading =
  | { readonly kind: 'tokens'; readonly tokens: TokenSet }
  | {
      readonly kind: 'error';
      /** Its codes and words, as they came: not yet fit to be shown. */
      readonly said: Said;
      /** It says that it is a refusal. */
      readonly explicit: boolean;
      readonly unusable?: Unusable;
      /** Some providers rotate even when they answer an error. */
      readonly refreshToken?: Secret;
      /** Texts in the reply that must not be shown. */
      readonly secrets: readonly string[];
      readonly members?: unknown;
    };

type Members = Readonly<Record<string, unknown>>;

/** Members that tell the expiry, most telling first: lifetimes, since they need no common clock, before instants. */
const lifetimeMembers = ['expires_in_sec', 'expires_in_seconds', 'expires_in', 'access_token_expires_in', 'expires'];
/**
 * Members that tell when a grant ends, as what remains or as an instant, in the spelling of `squashed`:
 * `refresh_token_expires_in`, `x_refresh_token_hard_expires_in`, `refreshTokenExpireTime`, `rt_expires_in`. 0 is how
 * Keycloak writes that an offline token has no end.
 */
const tellsGrantEnd =
  /^x?(?:refresh(?:token)?|rt|re|consent|grant)(?:hard)?(?:exp$|expire[sd]?|expiry|expiration|lifetime|ttl|valid(?:ity|until|for))/;
/** What their names end with where it is no number of seconds. */
const grantEndUnits: readonly (readonly [RegExp, number])[] = [
  [/days$/, 86_400],
  [/hours$/, 3_600],
  [/min(?:ute)?s$/, 60],
  [/(?:ms|millis(?:econds)?)$/, 0.001],
];
const instantMembers = ['expires_at', 'expires_on', 'expiration', 'expiry', 'access_token_expires_at'];

/** Total: every reply is a token set or an error. */
export function readReply(reply: HttpReply, exchange: CallTimes, dialect: Dialect): Reading {
  const shape = dialect.reply ?? {};
  const outer = dialect.parse === undefined ? membersOf(reply) : asMembers(dialect.parse(reply.body));
  const members = shape.accessToken === undefined ? withTokens(outer) : outer;
  const accessToken = accessTokenIn(members, shape.accessToken ?? 'access_token');
  const refreshToken = dialect.grant === 'refresh_token' ? refreshTokenIn(members) : undefined;
  const carried = typeof refreshToken === 'string' ? { refreshToken: new Secret(refreshToken) } : {};
  const said = saidIn(members ?? namedIn(reply), shape, knownCodes(dialect.errorRules));
  const refused = refuses(members) || firstText(members, shape.errors ?? []) !== undefined;

  const good = reply.status >= 200 && reply.status < 300 && !refused;
  const lifetimeMs = lifetimeOf(members, exchange, dialect) ?? lifetimeOfJwt(accessToken, exchange);
  const expiresAt = plus(exchange.requestedAt, Math.min(lifetimeMs ?? dialect.defaultLifetimeMs, limits.lifetimeMaxMs));
  const endpoint = endpointIn(members, shape.endpoint);
  const unusable = unusableOf({
    members,
    accessToken,
    refreshToken,
    endpoint,
    alive: expiresAt > plus(exchange.receivedAt, limits.renewLeastMs),
  });
  if (good && accessToken !== undefined && unusable === undefined) {
    const scope = scopeOf(members?.scope);
    const grantEndsAt = refreshTokenEnds(members, exchange, dialect);
    const values = toldIn(dialect.values ?? [], ({ path }) => membersLike(members, path)[0]);
    return {
      kind: 'tokens',
      tokens: {
        accessToken: new Secret(accessToken),
        ...carried,
        tokenType: tokenTypeOf(memberLike(members, 'token_type'), dialect),
        ...(scope && { scope }),
        ...(grantEndsAt !== undefined && { grantEndsAt }),
        ...(values && { values }),
        ...(typeof endpoint === 'object' && { companions: { endpoint: endpoint.href } }),
        requestedAt: exchange.requestedAt,
        receivedAt: exchange.receivedAt,
        expiresAt,
        ...(lifetimeMs === undefined && { expiryAssumed: true }),
      },
    };
  }

  const description = said.description ?? otherWords(reply, members);
  return {
    kind: 'error',
    said: { ...said, ...(description !== undefined && { description }) },
    explicit: refused || complains(members) || said.code !== undefined,
    ...(good && unusable !== undefined && { unusable }),
    ...carried,
    secrets: ['access_token', 'refresh_token', 'id_token']
      .flatMap((name) => membersLike(members, name))
      .concat(accessToken)
      .filter((value) => typeof value === 'string'),
    members,
  };
}

interface Parts {
  readonly members: Members | undefined;
  readonly accessToken: string | undefined;
  readonly refreshToken: string | null | undefined;
  readonly endpoint: Endpoint;
  readonly alive: boolean;
}

function unusableOf({ members, accessToken, refreshToken, endpoint, alive }: Parts): Unusable | undefined {
  if (members === undefined) return 'unreadable_reply';
  // Before anything that would be no doubt: what cannot be kept is lost.
  if (refreshToken === null) return 'refresh_token_not_kept';
  if (accessToken === undefined) return 'no_access_token';
  if (endpoint === 'not_allowed') return 'endpoint_not_allowed';
  return alive ? undefined : 'expired_on_arrival';
}

/** The reply's members: a JSON object, or a form as older providers send it (RFC 6749 prescribes JSON). */
export function membersOf({ headers, body }: HttpReply): Members | undefined {
  // Trimming also takes off a byte-order mark.
  const trimmed = body.trim();
  const form =
    /^(?:[\w.-]{1,64}=[^&\s]{0,65536}&){0,64}(?:access_token|error)=/.test(trimmed) ||
    (headers['content-type']?.includes('application/x-www-form-urlencoded') && !/^[\s\uFEFF]*[{["]/.test(trimmed));
  return form ? Object.fromEntries(new URLSearchParams(trimmed)) : asMembers(objectIn(trimmed));
}

/**
 * The members among which the tokens are: the reply's own, or else those of an object inside of it, as in `data` of
 * TikTok and `body` of Withings. What is said of an error stays where it is.
 */
function withTokens(outer: Members | undefined): Members | undefined {
  if (outer === undefined || holdsTokens(outer) || complains(outer)) return outer;
  let level: readonly Members[] = [outer];
  for (let depth = 0; depth < 2; depth += 1) {
    level = level
      .flatMap((members) => Object.values(members).slice(0, 32))
      .map((value) => asMembers(Array.isArray(value) ? value[0] : value))
      .filter((members) => members !== undefined);
    const found = level.find(holdsTokens);
    if (found !== undefined) return { ...outer, ...found };
  }
  return outer;
}

const holdsTokens = (members: Members): boolean =>
  ['access_token', 'refresh_token'].some((name) => ['string', 'number'].includes(typeof memberLike(members, name)));

/**
 * What a reply says that is no JSON: a bare word, a sentence, an element of XML; or, in its place, a header (RFC 6750
 * §3).
 */
function namedIn({ headers, body }: HttpReply): Members | undefined {
  const start = body.slice(0, 4_096).trim();
  const inHeader = (name: string) =>
    new RegExp(`\\b${name}="([^"]{1,256})"`).exec((headers['www-authenticate'] ?? '').slice(0, 4_096))?.[1];
  if (start === '') return { error: inHeader('error'), error_description: inHeader('error_description') };
  const element = /<(?:\w{1,32}:)?(?:error|error_?code|code)>([\w .-]{1,64})</i.exec(start)?.[1];
  const code = element ?? (/^[\w.-]{1,64}$/.test(start) ? start : undefined);
  if (code !== undefined) return { code };
  // Neither a page nor a cut object: frameworks send a sentence with whatever type is theirs.
  const isSentence = headers['content-type']?.startsWith('text/plain') || (start.length <= 512 && !/[<{]/.test(start));
  return isSentence ? { message: start } : undefined;
}

export const asMembers = (value: unknown): Members | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : undefined;

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value : undefined;

/** The first of these paths at which there is a text that is not empty. */
export const firstText = (members: Members | undefined, paths: readonly string[]): string | undefined =>
  paths.map((path) => text(memberAt(members, path))).find((found) => found !== undefined);

const memberLike = (members: Members | undefined, name: string): unknown => membersLike(members, name)[0];

/**
 * An access token goes into a header, which carries visible ASCII and spaces (RFC 6749 §A.12); what is around it a
 * header drops.
 */
function accessTokenIn(members: Members | undefined, path: string): string | undefined {
  const told = memberAt(members, path) ?? membersLike(members, path)[0];
  const value = Number.isSafeInteger(told) ? String(told) : told;
  if (typeof value !== 'string' || value.length > limits.tokenCharacters) return undefined;
  // No token has a blank in it (RFC 6750 §2.1), so a scheme before it is no part of it.
  const token = value.trim().replace(/^bearer +(?=\S+$)/i, '');
  return token !== '' && /^[\x20-\x7e]+$/.test(token) ? token : undefined;
}

/**
 * A refresh token goes back as it came, in the body of a request, which carries any text. Null if there is one that
 * cannot be kept: no text, or half a surrogate pair in it, or too long. Undefined where it is absent, empty or a word
 * for that: the old one stays good (RFC 6749 §6).
 */
function refreshTokenIn(members: Members | undefined): string | null | undefined {
  const told = memberLike(members, 'refresh_token');
  const value = Array.isArray(told) && told.length <= 1 ? told[0] : told;
  if (value === undefined || value === null || value === false || value === 0 || value === '') return undefined;
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : null;
  if (typeof value !== 'string' || !value.isWellFormed() || value.length > limits.tokenCharacters) return null;
  return namesNothing.includes(value.trim().toLowerCase()) ? undefined : value;
}

/** How languages write down that there is nothing. */
const namesNothing = ['', 'null', '(null)', 'undefined', 'none', 'nil'];

/** Schemes that APIs take tokens by (IANA, HTTP Authentication Scheme Registry; MAC is of a draft that is in use). */
const schemes = ['Bearer', 'DPoP', 'MAC', 'GNAP', 'HOBA', 'OAuth', 'PrivateToken', 'Concealed', 'vapid'];

/**
 * The scheme that the token is presented by. Replies have labels in its place: `BearerToken`, `bot`, `JWT`. `Bearer`
 * whatever its case, since some APIs compare it literally; also where neither the reply nor the provider's preset has
 * one.
 */
function tokenTypeOf(value: unknown, { tokenType = 'Bearer' }: Dialect): string {
  const label = typeof value === 'string' ? value.trim().toLowerCase() : '';
  return [tokenType, ...schemes].find((scheme) => scheme.toLowerCase() === label) ?? tokenType;
}

type Endpoint = URL | 'not_allowed' | undefined;

/** Clients will send the token to an endpoint that only the reply tells, so a preset may say which hosts it allows. */
function endpointIn(members: Members | undefined, shape: ReplyShape['endpoint']): Endpoint {
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
  return allowed ? url : 'not_allowed';
}

const scopeOf = (value: unknown): string | undefined =>
  text(Array.isArray(value) ? value.filter((item) => typeof item === 'string').join(' ') : value)?.toWellFormed();

/**
 * Milliseconds from the start of the request to the expiry; undefined if the reply does not tell. An absolute expiry is
 * told from a lifetime by its size or form. Zero and negative lifetimes tell nothing: they are how some write "does not
 * expire" (VK ID documents −1).
 */
function lifetimeOf(
  members: Members | undefined,
  { requestedAt }: CallTimes,
  { defaultLifetimeMs, expiresInUnit, reply }: Dialect,
): number | undefined {
  const told = [
    ...(reply?.expiry === undefined ? [] : [memberAt(members, reply.expiry)]),
    ...[...lifetimeMembers, ...instantMembers].map((name) => memberLike(members, name)),
  ].flatMap((value) => {
    const instant = instantOf(value, requestedAt, expiresInUnit);
    return instant === undefined ? [] : [instant - requestedAt];
  });
  const [first, ...others] = told;
  if (first === undefined) return undefined;
  // Milliseconds where seconds were to be: a sister member says so, or it is what the provider's tokens are known to
  // live.
  const inSeconds = others.find((other) => isBetween(first / other, 950, 1_050));
  if (inSeconds !== undefined) return inSeconds;
  return isBetween(first / defaultLifetimeMs, 950, 1_000) ? Math.floor(first / 1_000) : first;
}

/**
 * What a JWT says of its own life (RFC 7519 §4.1), where the reply says nothing: from its issue to its end, which needs
 * no common clock, or what remains of that for a token that was issued before.
 */
function lifetimeOfJwt(accessToken: string | undefined, { requestedAt }: CallTimes): number | undefined {
  const [, payload] = /^eyJ[\w-]{1,4096}\.([\w-]{1,65536})\./.exec(accessToken ?? '') ?? [];
  if (payload === undefined) return undefined;
  try {
    const { exp, iat } = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/')));
    if (!Number.isFinite(exp)) return undefined;
    const remains = exp * 1_000 - requestedAt;
    const whole = Number.isFinite(iat) && exp > iat ? (exp - iat) * 1_000 : remains;
    const lifetimeMs = remains > 0 ? Math.min(whole, remains) : whole;
    return lifetimeMs > 0 ? lifetimeMs : undefined;
  } catch {
    return undefined;
  }
}

/** The earliest of the ends that a reply tells, or that it tells of none. */
function refreshTokenEnds(
  members: Members | undefined,
  { requestedAt, receivedAt }: CallTimes,
  { grant, expiresInUnit }: Dialect,
): TokenSet['grantEndsAt'] {
  if (grant !== 'refresh_token') return undefined;
  const told = Object.entries(members ?? {})
    .map(([name, value]) => [squashed(name), value] as const)
    .filter(([name]) => tellsGrantEnd.test(name))
    .map(([name, value]) =>
      inSeconds(name, typeof value === 'string' && day.test(value) ? `${value}T00:00:00Z` : value),
    )
    .filter((value) => isNumeric(value) || isDate(value));
  const instants = told
    .map((value) => instantOf(value, requestedAt, expiresInUnit))
    .filter((instant) => instant !== undefined);
  const ends = instants.filter((instant) => instant - requestedAt <= limits.grantEndMaxMs);
  // An end in the past, or in a moment, is a mistake: to keep the grant alive until then would be call after call.
  const [first, ...others] = ends.filter((instant) => instant - receivedAt >= limits.grantEndLeastMs);
  if (first !== undefined) return earliest(first, ...others);
  if (ends.length > 0) return undefined;
  return told.length > 0 ? 'never' : undefined;
}

const day = /^\d{4}-\d\d-\d\d$/;

function inSeconds(name: string, value: unknown): unknown {
  const unit = grantEndUnits.find(([end]) => end.test(name))?.[1];
  return unit === undefined || !isNumeric(value) ? value : Number(value) * unit;
}

const isNumeric = (value: unknown): boolean =>
  typeof value === 'number' || (typeof value === 'string' && /^-?\d+(?:\.\d+)?$/.test(value.trim()));
const isDate = (value: unknown): boolean => instantOf(value, 0 as EpochMs) !== undefined;

const isBetween = (value: number, least: number, most: number): boolean => value >= least && value <= most;

/** What else can be said of a reply without words. A page for people is only named. */
function otherWords({ headers, body }: HttpReply, members: Members | undefined): string | undefined {
  const found = text(headers.reason);
  if (found !== undefined || members !== undefined || body.trim() === '') return found;
  const type = headers['content-type'] ?? 'no content-type';
  return type.startsWith('text/plain') ? body : `not JSON: ${type}`;
}

/** The provider's own words, wherever they are. */
export const descriptionOf = (
  reply: HttpReply,
  members: Members | undefined,
  paths: readonly string[],
): string | undefined =>
  firstText(members, [...paths, 'error_description', 'message', 'error.message', 'fault.faultstring']) ??
  otherWords(reply, members);
