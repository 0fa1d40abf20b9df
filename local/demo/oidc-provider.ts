import { startAuthorizationServer } from '../simulators/oidc/authorization-server.ts';
import { type DemoProviderKind, newSecret } from './demo-provider.ts';

export const oidcProvider: DemoProviderKind = {
  about: 'an authorization server with rotating refresh tokens',
  async start(options) {
    const server = await startAuthorizationServer(options);
    const { issuer, client, tokenEndpoint, authorizationEndpoint, revocationEndpoint } = server;
    return {
      url: issuer,
      title: 'An authorization server with 60-second access tokens',
      apiUrl: server.userinfoEndpoint,
      connection: {
        provider: 'generic-oauth2',
        settings: {
          client_authentication: 'client_secret_basic',
          token_endpoint: tokenEndpoint,
          authorization_endpoint: authorizationEndpoint,
          revocation_endpoint: revocationEndpoint,
          scope: 'openid offline_access',
        },
        client: { client_id: client.clientId, client_secret: client.clientSecret },
      },
      issueRefreshToken: server.issueRefreshToken,
      grants: server.grants,
      revokeGrants: server.revokeGrants,
      rotateSecret: () => newSecret('The client secret', server.rotateClientSecret()),
      close: server.close,
    };
  },
};
