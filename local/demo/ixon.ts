import { randomBytes } from 'node:crypto';
import { startClock } from '../simulators/clock.ts';
import { startIxon } from '../simulators/ixon.ts';
import { type DemoProviderKind, newSecret, tellingOf } from './demo-provider.ts';

export const ixon: DemoProviderKind = {
  about: 'a simulator of IXON Cloud, for a user with a second factor',
  async start(options) {
    const simulator = await startIxon({
      clock: startClock(),
      weather: options.weather,
      facts: { secondFactor: true },
      onCall: tellingOf(options, '/api/access-tokens', 'mint'),
    });
    const { url, user, companyId, tokenEndpoint, close } = simulator;
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
      revokeGrants: () => simulator.endTokens(),
      rotateSecret() {
        const password = randomBytes(12).toString('base64url');
        simulator.changePassword(password);
        return newSecret('The user’s password', password);
      },
      close,
    };
  },
};
