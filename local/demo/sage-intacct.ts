import { startClock } from '../simulators/clock.ts';
import { startSageIntacct } from '../simulators/sage-intacct.ts';
import { type DemoProviderKind, demoGrantOf, newSecret, tellingOf } from './demo-provider.ts';

export const sageIntacct: DemoProviderKind = {
  about: 'a simulator of Sage Intacct, REST',
  async start(options) {
    // So that a newcomer sees a renewal.
    const facts = { lifetimeSeconds: 60 };
    const sage = await startSageIntacct({
      clock: startClock(),
      weather: options.weather,
      facts,
      onCall: tellingOf(options, '/ia/api/v1/oauth2/token', 'refresh_token'),
    });
    const { url, client, tokenEndpoint, authorizationEndpoint } = sage;
    return {
      url,
      title: 'A simulator of Sage Intacct (REST; its access tokens live 60 s here, not 12 hours)',
      connection: {
        provider: 'sage-intacct-rest',
        settings: { token_endpoint: tokenEndpoint, authorization_endpoint: authorizationEndpoint },
        client: { client_id: client.clientId, client_secret: client.clientSecret },
      },
      issueRefreshToken: async () => sage.authorize().refreshToken,
      grants: () => sage.grants().map(demoGrantOf),
      revokeGrants: (id) => sage.revoke(id),
      rotateSecret: () => newSecret('The client secret', sage.rotateClientSecret()),
      close: sage.close,
    };
  },
};
