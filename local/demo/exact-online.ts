import { startClock } from '../simulators/clock.ts';
import { startExactOnline } from '../simulators/exact-online.ts';
import { type DemoProviderKind, demoGrantOf, newSecret, tellingOf } from './demo-provider.ts';

export const exactOnline: DemoProviderKind = {
  about: 'a simulator of Exact Online',
  async start(options) {
    const exact = await startExactOnline({
      clock: startClock(),
      weather: options.weather,
      onCall: tellingOf(options, '/api/oauth2/token', 'refresh_token'),
    });
    const { url, client, tokenEndpoint, authorizationEndpoint } = exact;
    return {
      url,
      title: 'A simulator of Exact Online (tokens live 600 s and may be renewed after 570 s)',
      connection: {
        provider: 'exact-online',
        settings: { token_endpoint: tokenEndpoint, authorization_endpoint: authorizationEndpoint },
        client: { client_id: client.clientId, client_secret: client.clientSecret },
      },
      // As if a person had consented ten minutes ago: a younger grant may not be renewed yet.
      issueRefreshToken: async () => exact.authorize({ secondsAgo: 600 }).refreshToken,
      grants: () => exact.grants().map(demoGrantOf),
      revokeGrants: (id) => exact.revoke(id),
      rotateSecret: () => newSecret('The client secret', exact.rotateClientSecret()),
      close: exact.close,
    };
  },
};
