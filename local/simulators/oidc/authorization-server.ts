import { generateKeyPairSync, type JsonWebKey, randomBytes } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import Provider from 'oidc-provider';
import { keep, kept } from '../../kept.ts';
import { listen } from '../../platform/loopback.ts';
import { type Weather, weathered } from '../weather.ts';
import { forgetGrants, grantsIn, sqliteAdapter } from './oidc-adapter.ts';
import { interactionUrl, serveInteractions } from './oidc-interactions.ts';

/** One call to the token endpoint, as the authorization server saw it. */
export interface TokenCall {
  readonly at: Date;
  readonly grantType: string;
  readonly status: number;
  /** RFC 6749 error code. */
  readonly error?: string;
}

interface AuthorizationServerOptions {
  readonly database: DatabaseSync;
  /** Where its keys, its client and its port are kept. */
  readonly directory: string;
  readonly onTokenCall?: (call: TokenCall) => void;
  /**
   * Where its client may be sent back to after a login, there or one segment below; without one there are no logins.
   */
  readonly redirectUri?: string;
  /** Lifetime of access tokens; a minute if not given. */
  readonly accessTokenSeconds?: number;
  readonly weather?: Weather | undefined;
}

export interface AuthorizationServer {
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly authorizationEndpoint: string;
  readonly revocationEndpoint: string;
  /** The one API here (OpenID Connect Core §5.3): who the account is. */
  readonly userinfoEndpoint: string;
  readonly client: { readonly clientId: string; readonly clientSecret: string };
  /** Makes a grant and its first refresh token, as if a person had just consented in a browser. */
  issueRefreshToken(): Promise<string>;
  /** Who has granted access, newest first. */
  grants(): readonly { readonly id: string; readonly user: string; readonly since: string; readonly alive: true }[];
  /** Forgets every grant, or one, with its tokens. */
  revokeGrants(id?: string): void;
  /** From now on, and after the next start, only the new one is good. */
  rotateClientSecret(): string;
  close(): Promise<void>;
}

interface Kept {
  readonly port: number;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly cookieKey: string;
  readonly signingKey: JsonWebKey;
}

const scope = 'openid offline_access';
const accountId = 'newcomer';
const hourSeconds = 3_600;
const yearSeconds = 365 * 86_400;

/**
 * Starts a real authorization server (oidc-provider) on the loopback interface, with one confidential client. Access
 * tokens live for a minute (unless told otherwise); a refresh token works once, and using an old one again revokes the
 * grant. Grants and keys survive restarts, and so does the port unless another program has taken it.
 */
export async function startAuthorizationServer(options: AuthorizationServerOptions): Promise<AuthorizationServer> {
  const path = join(options.directory, 'authorization-server.json');
  const before = kept(path, firstKept);
  let answer: RequestListener = (_, response) => void response.writeHead(503).end();
  const server = createServer(weathered(options.weather, (request, response) => answer(request, response)));
  const { url: issuer, drain } = await listen(server, before.port).catch((error) => {
    if (error.code !== 'EADDRINUSE') throw error;
    return listen(server);
  });
  const port = Number(new URL(issuer).port);
  let now: Kept = { ...before, port };
  if (port !== before.port) keep(path, now);

  const { clientId, clientSecret } = before;
  let provider = newProvider(issuer, before, options);
  answer = provider.callback();
  return {
    issuer,
    tokenEndpoint: `${issuer}/token`,
    authorizationEndpoint: `${issuer}/auth`,
    revocationEndpoint: `${issuer}/token/revocation`,
    userinfoEndpoint: `${issuer}/me`,
    client: { clientId, clientSecret },
    async issueRefreshToken() {
      const client = await provider.Client.find(clientId);
      if (!client) throw new Error(`the authorization server does not know its client ${clientId}`);
      const grant = new provider.Grant({ accountId, clientId });
      grant.addOIDCScope(scope);
      const grantId = await grant.save();
      return new provider.RefreshToken({ accountId, client, grantId, scope, gty: 'authorization_code' }).save();
    },
    grants: () =>
      grantsIn(options.database).map(({ id, user, iat }) => ({
        id,
        user,
        since: new Date(iat * 1_000).toISOString(),
        alive: true,
      })),
    revokeGrants: (id) => forgetGrants(options.database, id),
    rotateClientSecret() {
      now = { ...now, clientSecret: newClientSecret() };
      keep(path, now);
      provider = newProvider(issuer, now, options);
      answer = provider.callback();
      return now.clientSecret;
    },
    close: drain,
  };
}

const newClientSecret = (): string => randomBytes(32).toString('base64url');

const firstKept = (): Kept => ({
  port: 0,
  clientId: 'token-broker',
  clientSecret: newClientSecret(),
  cookieKey: randomBytes(32).toString('base64url'),
  signingKey: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
});

/** A name of a connection, and not `.` or `..`, which would lead elsewhere. */
const isSegment = (text: string): boolean => /^[\w~-][\w.~-]*$/.test(text);

function newProvider(
  issuer: string,
  { clientId, clientSecret, cookieKey, signingKey }: Kept,
  { database, onTokenCall, redirectUri, accessTokenSeconds = 60 }: AuthorizationServerOptions,
): Provider {
  const provider = new Provider(issuer, {
    adapter: sqliteAdapter(database),
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        ...(redirectUri === undefined
          ? { grant_types: ['refresh_token'], response_types: [], redirect_uris: [] }
          : {
              grant_types: ['authorization_code', 'refresh_token'],
              response_types: ['code'],
              redirect_uris: [redirectUri],
            }),
        id_token_signed_response_alg: 'ES256',
      },
    ],
    cookies: { keys: [cookieKey] },
    jwks: { keys: [{ ...signingKey, kty: 'EC', alg: 'ES256', use: 'sig' }] },
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true, allowedPolicy: async (_, client, token) => token.clientId === client.clientId },
    },
    interactions: { url: interactionUrl },
    // What was granted in a browser outlives its session there, as at any provider of business software.
    issueRefreshToken: async (_, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: async () => false,
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    rotateRefreshToken: true,
    ttl: {
      Interaction: hourSeconds,
      Session: hourSeconds,
      IdToken: accessTokenSeconds,
      AccessToken: accessTokenSeconds,
      RefreshToken: yearSeconds,
      Grant: 10 * yearSeconds,
    },
  });
  // One client serves all connections, each of which has a redirect URI of its own below the registered one.
  provider.Client.prototype.redirectUriAllowed = (uri) =>
    redirectUri !== undefined &&
    (uri === redirectUri || (uri.startsWith(`${redirectUri}/`) && isSegment(uri.slice(redirectUri.length + 1))));
  serveInteractions(provider, accountId);
  // oidc-provider denies a request without a scope of OpenID Connect, which a plain OAuth server does not need.
  provider.use((ctx, next) => {
    const scopes = new Set(
      String(ctx.query.scope ?? '')
        .split(' ')
        .filter(Boolean),
    );
    if (ctx.path === '/auth') ctx.query = { ...ctx.query, scope: [...scopes.add('openid')].join(' ') };
    return next();
  });
  provider.use(async (ctx, next) => {
    await next();
    if (ctx.path !== '/token' || !onTokenCall) return;
    const { error } = (ctx.body ?? {}) as { error?: string };
    onTokenCall({
      at: new Date(),
      grantType: String(ctx.oidc?.params?.grant_type),
      status: ctx.status,
      ...(error === undefined ? {} : { error }),
    });
  });
  return provider;
}
