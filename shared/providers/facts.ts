/**
 * The facts of a preset: what the refresher, its requests and the login go by. `{name}` in an endpoint or a parameter
 * stands for the value of the setting of that name. A name that ends in `Seconds` is whole seconds. docs/providers.md
 * explains each fact.
 */
import * as v from 'valibot';

export const words = v.pipe(v.string(), v.nonEmpty());
/** Member names joined by dots; a list stands for its first entry. */
export const memberPath = v.pipe(words, v.regex(/^[^.\s]+(?:\.[^.\s]+)*$/, 'must be member names joined by dots'));
export const seconds = v.pipe(v.number(), v.integer(), v.minValue(0));
export const positive = v.pipe(v.number(), v.integer(), v.minValue(1));

export const factsSchema = v.strictObject({
  /**
   * How tokens are obtained. `refresh_token`, `client_credentials`: RFC 6749 §6, §4.4. `mint`: by the preset's own
   * `request`. `static`: the preset's `accessToken` is the token, and there is no call.
   */
  grant: v.picklist(['refresh_token', 'client_credentials', 'mint', 'static']),
  /** RFC 6749 §3.2. Absent if only a setting gives it, and for `static`. */
  tokenEndpoint: v.exactOptional(words),
  authorizationEndpoint: v.exactOptional(words),
  /** RFC 7009. Absent if the provider has none. */
  revocationEndpoint: v.exactOptional(words),
  /** What a revocation ends; this grant alone if absent. Where it ends more, a deletion leaves it out. */
  revocationEnds: v.exactOptional(v.picklist(['user_and_application'])),
  /** How the client authenticates at the token endpoint (RFC 6749 §2.3.1, RFC 7523 §2.2); `none` is a public client. */
  clientAuthentication: v.picklist(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none']),
  /** The signature of `private_key_jwt` with an RSA key (`RS256` if absent); a key of another kind has only one. */
  assertionAlgorithm: v.exactOptional(v.picklist(['RS256', 'PS256'])),
  /**
   * Whom an assertion is for: the authorization server by its issuer, or the endpoint that it is sent to by its URL. If
   * absent, the issuer where the connection names one. Never another: what one server gets must be worth nothing at
   * another.
   */
  assertionAudience: v.exactOptional(v.picklist(['issuer', 'endpoint'])),
  /** More headers of the assertion. One that names a setting without a value is left out. */
  assertionHeaders: v.exactOptional(v.record(v.string(), words)),
  /** More claims of the assertion. */
  assertionClaims: v.exactOptional(v.record(v.string(), words)),
  /** Whether the login has PKCE (RFC 7636). Required beside an authorization endpoint. */
  pkce: v.exactOptional(v.picklist(['S256', 'none'])),
  /** More parameters of the authorization request. */
  authorizationParameters: v.exactOptional(v.record(v.string(), words)),
  /** The `iss` of its authorization responses (RFC 9207), where it sends one: a response without it is refused. */
  issuer: v.exactOptional(words),
  /**
   * The parameter of its authorization responses that names the server which keeps the account: it may be another
   * region's.
   */
  accountsServerParameter: v.exactOptional(words),
  /** More parameters of every token request. One that names a setting without a value is left out. */
  tokenParameters: v.exactOptional(v.record(v.string(), words)),
  /** More headers of every token request. */
  tokenHeaders: v.exactOptional(
    v.record(v.pipe(v.string(), v.regex(/^[a-z0-9-]+$/, 'must be a header name in lower case')), words),
  ),
  /** More parameters of a refresh, as some servers want them there though RFC 6749 §6 does not. */
  refreshParameters: v.exactOptional(v.record(v.string(), words)),
  /** Whether a refresh asks for `scope` again; left out if absent, which keeps what was granted (RFC 6749 §6). */
  refreshScope: v.exactOptional(v.picklist(['sent', 'left_out'])),
  /** Whether `client_id` is also in the body where the client authenticates by a header; left out if absent. */
  clientIdInBody: v.exactOptional(v.picklist(['sent', 'left_out'])),
  /** How the body of a token request is written; `form` if absent (RFC 6749 §4). */
  requestFormat: v.exactOptional(v.picklist(['form', 'json'])),
  /**
   * Asked for in the authorization request, and with `client_credentials`; a refresh keeps what was granted (RFC 6749
   * §6).
   */
  scope: v.exactOptional(words),
  /** The provider knows one grant for each user and client: a second authorization ends the first. */
  exclusivePer: v.exactOptional(v.picklist(['client_and_user'])),
  /** The type of a token whose reply does not tell; `Bearer` if absent, `N_A` for a stored key (RFC 8693 §2.2.1). */
  tokenType: v.exactOptional(words),
  /** Lifetime of an access token whose reply does not tell. */
  lifetimeSeconds: positive,
  expiresInUnit: v.picklist(['seconds', 'milliseconds']),
  /** Earliest age, from its arrival, at which a token may be renewed; 0 if there is no such rule. */
  minTokenAgeSeconds: seconds,
  /** How long before its expiry a token is renewed, unless the connection has its own `margin_seconds`. */
  marginSeconds: positive,
  /**
   * What becomes of a used refresh token. `single_use`: it is dead at once. `grace`: it is dead after `graceSeconds`.
   * `until_successor_used`: it stays good until what it brought is used. `none`: it stays good. If that is not known,
   * `single_use` is the safe choice.
   */
  rotation: v.picklist(['single_use', 'grace', 'until_successor_used', 'none']),
  graceSeconds: v.exactOptional(seconds),
  /** What a renewal ends beside the refresh token that it uses: the access token of before. `nothing` if absent. */
  renewalEnds: v.exactOptional(v.picklist(['previous_token', 'nothing'])),
  /** The provider forgets a refresh token that was not used for so long. */
  refreshTokenIdleSeconds: v.exactOptional(positive),
  /** A grant ends after so long, however much it is used: a person has to authorize again. */
  refreshTokenLifetimeSeconds: v.exactOptional(positive),
  /** The refresher uses a refresh token at least this often, so that the provider does not forget it. */
  keepAliveSeconds: v.exactOptional(positive),
  /** The refresher stops after so many errors within an hour, and after so many calls in a day. */
  errorsPerHour: v.exactOptional(positive),
  callsPerDay: v.exactOptional(positive),
});

export type Facts = v.InferOutput<typeof factsSchema>;
