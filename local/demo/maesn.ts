import { startClock } from '../simulators/clock.ts';
import { startMaesn } from '../simulators/maesn.ts';
import type { DemoProviderKind } from './demo-provider.ts';

export const maesn: DemoProviderKind = {
  about: 'a simulator of Maesn: two keys, and nothing to renew',
  async start() {
    const { url, apiKey, authenticate, revoke, close } = await startMaesn({ clock: startClock() });
    return {
      url,
      title: 'A simulator of Maesn (GET /user/user-info takes the two keys)',
      connection: { provider: 'maesn', settings: { api_key: apiKey, account_key: authenticate() } },
      revokeGrants: () => revoke(),
      close,
    };
  },
};
