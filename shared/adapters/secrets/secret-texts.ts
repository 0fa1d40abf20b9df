/** What is stored in a secret version, as JSON: written here, checked here when read (docs/storage.md). */
import * as v from 'valibot';
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
const TokenSetText = text(
  v.object({
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
/** A refresh token that came with an error. */
const BareText = text(v.strictObject({ refresh_token: v.string(), ...times }));
/** An import knows nothing but the refresh token. */
const ImportText = text(v.strictObject({ refresh_token: v.string() }));
/** Either of them, where only the refresh token is wanted. */
const RefreshTokenText = text(v.object({ refresh_token: v.string() }));
const CredentialsText = text(v.record(v.string(), v.string()));

const revealed = (secrets: Credentials): Record<string, string> =>
  Object.fromEntries(Object.entries(secrets).map(([name, secret]) => [name, secret.reveal()]));
const hidden = (texts: Readonly<Record<string, string>>): Credentials =>
  Object.fromEntries(Object.entries(texts).map(([name, value]) => [name, new Secret(value)]));

export const textOfTokens = (tokens: Received): string =>
  JSON.stringify({
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
export const textOfImport = (refreshToken: Secret): string => JSON.stringify({ refresh_token: refreshToken.reveal() });
export const textOfCredentials = (credentials: Credentials): string => JSON.stringify(revealed(credentials));

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
export function refreshTokenIn(stored: string): Secret | undefined {
  const parsed = v.safeParse(RefreshTokenText, stored);
  return parsed.success ? new Secret(parsed.output.refresh_token) : undefined;
}

/** Undefined if the stored text is not what we write. */
export function credentialsIn(stored: string): Credentials | undefined {
  const parsed = v.safeParse(CredentialsText, stored);
  return parsed.success ? hidden(parsed.output) : undefined;
}
