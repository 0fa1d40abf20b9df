/**
 * A real issuer of JWTs (oidc-provider), from which machines get access tokens by client credentials; and tokens that
 * it would not issue.
 */
import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import { SignJWT } from 'jose';
import Provider from 'oidc-provider';
import { listen } from '../../../local/platform/loopback.ts';

export const audience = 'urn:token-broker';

export interface JwtIssuer {
  readonly issuer: string;
  /** Asks the token endpoint, as a worker would. */
  issue(scope: string): Promise<string>;
  /**
   * Signs by the issuer's own key what differs in this from a token that is good. A claim or member that is undefined
   * is left out.
   */
  sign(claims?: object, header?: object, key?: KeyObject | Uint8Array): Promise<string>;
  /** Its other key, which API Gateway takes no token of; called `elliptic`. */
  readonly ellipticKey: KeyObject;
  /** How often its keys were fetched. */
  keyRequests(): number;
  /** Lets it answer nothing but errors, or no longer. */
  fail(failing: boolean): void;
  close(): Promise<void>;
}

/** Every scope that is asked for somewhere in the tests; the provider issues no other. */
const scopes = 'token:exact-nl token:other token:*';
const kid = 'signing';
const client = { client_id: 'worker', client_secret: randomBytes(24).toString('base64url') };

export const newKey = (): KeyObject => generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey;

export async function startJwtIssuer(): Promise<JwtIssuer> {
  const signingKey = newKey();
  const ellipticKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  let answer: RequestListener = (_, response) => void response.writeHead(503).end();
  const { url: issuer, drain } = await listen(createServer((request, response) => answer(request, response)));
  const provider = new Provider(issuer, {
    clients: [{ ...client, grant_types: ['client_credentials'], response_types: [], redirect_uris: [] }],
    jwks: {
      keys: [
        { ...signingKey.export({ format: 'jwk' }), kty: 'RSA', use: 'sig', kid },
        { ...ellipticKey.export({ format: 'jwk' }), kty: 'EC', use: 'sig', kid: 'elliptic' },
      ],
    },
    ttl: { ClientCredentials: 600 },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: async () => ({
          scope: scopes,
          audience,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  });
  let [keyRequests, failing] = [0, false];
  provider.use(async (ctx, next) => {
    if (ctx.path === '/jwks') keyRequests += 1;
    if (failing) ctx.status = 503;
    else await next();
  });
  answer = provider.callback();

  return {
    issuer,
    ellipticKey,
    keyRequests: () => keyRequests,
    fail(now) {
      failing = now;
    },
    async issue(scope) {
      const body = new URLSearchParams({ grant_type: 'client_credentials', resource: audience, scope, ...client });
      const reply = await fetch(`${issuer}/token`, { method: 'POST', body });
      const { access_token: token } = (await reply.json()) as { access_token?: string };
      if (token === undefined) throw new Error(`the issuer answered ${reply.status}`);
      return token;
    },
    sign(claims = {}, header = {}, key = signingKey) {
      const now = Math.floor(Date.now() / 1_000);
      const good = { iss: issuer, aud: audience, sub: 'worker', scope: 'token:*', iat: now, exp: now + 600 };
      return new SignJWT({ ...good, ...claims }).setProtectedHeader({ alg: 'RS256', kid, ...header }).sign(key);
    },
    close: drain,
  };
}
