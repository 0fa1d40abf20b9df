/**
 * Two authorization servers of other projects, each with rotating refresh tokens, short access tokens and a
 * ledger.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { buffer } from 'node:stream/consumers';
import OAuth2Server from '@node-oauth/oauth2-server';
import { startAuthorizationServer } from '../../local/simulators/oidc/authorization-server.ts';

export interface RealServer {
  readonly name: string;
  readonly tokenEndpoint: string;
  readonly client: { readonly client_id: string; readonly client_secret: string };
  readonly firstRefreshToken: string;
  /** Every call to the token endpoint, in order. */
  readonly calls: readonly { readonly at: number; readonly status: number }[];
  close(): Promise<void>;
}

/** oidc-provider: an old refresh token revokes the whole grant. */
export async function startOidcProvider(directory: string, accessTokenSeconds: number): Promise<RealServer> {
  const calls: { at: number; status: number }[] = [];
  const database = new DatabaseSync(':memory:');
  const server = await startAuthorizationServer({
    database,
    directory,
    accessTokenSeconds,
    onTokenCall: ({ at, status }) => calls.push({ at: at.getTime(), status }),
  });
  return {
    name: 'oidc-provider',
    tokenEndpoint: server.tokenEndpoint,
    client: { client_id: server.client.clientId, client_secret: server.client.clientSecret },
    firstRefreshToken: await server.issueRefreshToken(),
    calls,
    close: async () => {
      await server.close();
      database.close();
    },
  };
}

/**
 * @node-oauth/oauth2-server: an old refresh token is refused and the grant survives, or (`old: 'good'`) an old one goes
 * on working.
 */
export async function startNodeOauth2Server(
  accessTokenSeconds: number,
  old: 'refused' | 'good' = 'refused',
): Promise<RealServer> {
  const calls: { at: number; status: number }[] = [];
  const client = { id: 'worker', grants: ['refresh_token'], accessTokenLifetime: accessTokenSeconds };
  const clientSecret = randomBytes(24).toString('base64url');
  const user = { id: 'resource owner' };
  const firstRefreshToken = randomBytes(24).toString('base64url');
  const refreshTokens = new Map([[firstRefreshToken, { refreshToken: firstRefreshToken, client, user }]]);
  const oauth = new OAuth2Server({
    model: {
      getClient: async (id: string, secret: string) => (id === client.id && secret === clientSecret ? client : false),
      getRefreshToken: async (token: string) => refreshTokens.get(token),
      revokeToken: async ({ refreshToken = '' }) => old === 'good' || refreshTokens.delete(refreshToken),
      saveToken: async (token) => {
        const { refreshToken = '' } = token;
        refreshTokens.set(refreshToken, { refreshToken, client, user });
        return { ...token, client, user };
      },
      getAccessToken: async () => undefined,
    },
  });
  const server = createServer(async (request, response) => {
    const body = Object.fromEntries(new URLSearchParams((await buffer(request)).toString()));
    const reply = new OAuth2Server.Response({});
    const { headers, method = 'POST' } = request;
    const asked = new OAuth2Server.Request({ body, headers: headers as Record<string, string>, method, query: {} });
    // It tells of its errors in the reply as well.
    await oauth.token(asked, reply).catch(() => {});
    calls.push({ at: Date.now(), status: reply.status ?? 500 });
    response
      .writeHead(reply.status ?? 500, { ...reply.headers, 'content-type': 'application/json' })
      .end(JSON.stringify(reply.body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    name: '@node-oauth/oauth2-server',
    tokenEndpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    client: { client_id: client.id, client_secret: clientSecret },
    firstRefreshToken,
    calls,
    close: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
