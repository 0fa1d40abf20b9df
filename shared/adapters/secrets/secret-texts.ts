/** What is stored in a secret version, as JSON: written here, checked here when read (docs/storage.md). */
import * as v from 'valibot';
import type { Destinations } from '../../domain/destinations.ts';
import { Secret } from '../../domain/secret.ts';
import type { EpochMs } from '../../domain/time.ts';
import type { BareRefreshToken, Received, TokenSet } from '../../domain/token-set.ts';
import type { Credentials } from '../../ports/credentials.ts';
import type { LookUp } from '../../ports/refresh-tokens.ts';

const instant = v.pipe(
  v.number(),
  v.safeInteger(),
  v.transform((ms) => ms as EpochMs),
);
const text = <S extends v.GenericSchema>(schema: S) => v.pipe(v.string(), v.parseJson(), schema);

const times = { requested_at: instant, received_at: instant, expires_at: instant };
/** Where the secret may be sent: part of its own text, so that no write elsewhere changes it. */
const directed = { for: v.record(v.string(), v.string()) };

/** A secret, and where it may be sent. */
export interface Directed<T> {
  readonly secret: T;
  readonly destinations: Destinations;
}

const TokenSetText = text(
  v.object({
    ...directed,
    access_token: v.string(),
    refresh_token: v.optional(v.string()),
    token_type: v.string(),
    scope: v.optional(v.string()),
    secrets: v.optional(v.record(v.string(), v.string())),
    endpoint: v.optional(v.string()),
    values: v.optional(v.record(v.string(), v.string())),
    grant_ends_at: v.optional(v.union([instant, v.literal('never')])),
    ...times,
  }),
);
/** Members that tell one text from another. Any other member may be there: a newer release may have added it. */
const missing = v.exactOptional(v.never());
/** A refresh token that came with an error. */
const BareText = text(v.object({ ...directed, refresh_token: v.string(), ...times, access_token: missing }));
/** An import is no reply. */
const ImportText = text(
  v.object({
    ...directed,
    refresh_token: v.string(),
    access_token: missing,
    requested_at: missing,
    received_at: missing,
    expires_at: missing,
  }),
);
/** Either of them, where only the refresh token is wanted. */
const RefreshTokenText = text(v.object({ ...directed, refresh_token: v.string() }));
const CredentialsText = text(v.object({ ...directed, secrets: v.record(v.string(), v.string()) }));

const revealed = (secrets: Credentials): Record<string, string> =>
  Object.fromEntries(Object.entries(secrets).map(([name, secret]) => [name, secret.reveal()]));
const hidden = (texts: Readonly<Record<string, string>>): Credentials =>
  Object.fromEntries(Object.entries(texts).map(([name, value]) => [name, new Secret(value)]));

export const textOfTokens = (tokens: Received, destinations: Destinations): string =>
  JSON.stringify({
    for: destinations,
    access_token: tokens.accessToken?.reveal(),
    refresh_token: tokens.refreshToken?.reveal(),
    token_type: tokens.tokenType,
    scope: tokens.scope,
    secrets: tokens.companions?.secrets && revealed(tokens.companions.secrets),
    endpoint: tokens.companions?.endpoint,
    values: tokens.values,
    grant_ends_at: tokens.grantEndsAt,
    requested_at: tokens.requestedAt,
    received_at: tokens.receivedAt,
    expires_at: tokens.expiresAt,
  });
export const textOfImport = (refreshToken: Secret, destinations: Destinations): string =>
  JSON.stringify({ for: destinations, refresh_token: refreshToken.reveal() });
export const textOfCredentials = (credentials: Credentials, destinations: Destinations): string =>
  JSON.stringify({ for: destinations, secrets: revealed(credentials) });

/** What a successor makes of a version that exists: an import is no reply, so there is nothing in it to adopt. */
export function lookUpIn(stored: string): LookUp {
  const tokens = tokenSetIn(stored) ?? bareIn(stored);
  if (tokens !== undefined) return { kind: 'found', tokens };
  return v.is(ImportText, stored) ? { kind: 'absent' } : { kind: 'unreadable' };
}

function tokenSetIn(stored: string): TokenSet | undefined {
  const parsed = v.safeParse(TokenSetText, stored);
  if (!parsed.success) return undefined;
  const { access_token, refresh_token, token_type, scope, secrets, endpoint, values, grant_ends_at } = parsed.output;
  const companions = { ...(secrets && { secrets: hidden(secrets) }), ...(endpoint !== undefined && { endpoint }) };
  return {
    accessToken: new Secret(access_token),
    ...(refresh_token === undefined ? {} : { refreshToken: new Secret(refresh_token) }),
    tokenType: token_type,
    ...(scope === undefined ? {} : { scope }),
    ...(Object.keys(companions).length > 0 && { companions }),
    ...(values && { values }),
    ...(grant_ends_at === undefined ? {} : { grantEndsAt: grant_ends_at }),
    ...timesOf(parsed.output),
  };
}

function bareIn(stored: string): BareRefreshToken | undefined {
  const parsed = v.safeParse(BareText, stored);
  if (!parsed.success) return undefined;
  return { refreshToken: new Secret(parsed.output.refresh_token), ...timesOf(parsed.output) };
}

const timesOf = ({ requested_at, received_at, expires_at }: Record<keyof typeof times, EpochMs>) => ({
  requestedAt: requested_at,
  receivedAt: received_at,
  expiresAt: expires_at,
});

/** Undefined if the stored text is not what we write. */
export function refreshTokenIn(stored: string): Directed<Secret> | undefined {
  const parsed = v.safeParse(RefreshTokenText, stored);
  if (!parsed.success) return undefined;
  return { secret: new Secret(parsed.output.refresh_token), destinations: parsed.output.for };
}

/** Undefined if the stored text is not what we write. */
export function credentialsIn(stored: string): Directed<Credentials> | undefined {
  const parsed = v.safeParse(CredentialsText, stored);
  return parsed.success ? { secret: hidden(parsed.output.secrets), destinations: parsed.output.for } : undefined;
}
