import { startClock } from '../simulators/clock.ts';
import { startIxon } from '../simulators/ixon.ts';
import { type DemoProviderKind, tellingOf } from './demo-provider.ts';

export const ixon: DemoProviderKind = {
  about: 'a simulator of IXON Cloud, for a user with a second factor',
  async start(options) {
    const { url, user, companyId, tokenEndpoint, close } = await startIxon({
      clock: startClock(),
      weather: options.weather,
      facts: { secondFactor: true },
      onCall: tellingOf(options, '/api/access-tokens', 'mint'),
    });
    return {
      url,
      title: 'A simulator of IXON Cloud (its user has a second factor; tokens are asked to live 60 s)',
      connection: {
        provider: 'ixon-user',
        settings: {
          token_endpoint: tokenEndpoint,
          application_id: user.applicationId,
          company_id: companyId,
          email: user.email,
          password: user.password,
          otp_seed: user.otpSeed,
          // So that a newcomer sees a renewal.
          token_lifetime_seconds: 60,
        },
      },
      close,
    };
  },
};
