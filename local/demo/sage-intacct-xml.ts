import { randomBytes } from 'node:crypto';
import { startClock } from '../simulators/clock.ts';
import { startSageIntacctXml } from '../simulators/sage-intacct-xml.ts';
import { type DemoProviderKind, newSecret, tellingOf } from './demo-provider.ts';

export const sageIntacctXml: DemoProviderKind = {
  about: 'a simulator of Sage Intacct, XML',
  async start(options) {
    // So that a newcomer sees a renewal.
    const facts = { sessionSeconds: 60 };
    const sage = await startSageIntacctXml({
      clock: startClock(),
      weather: options.weather,
      facts,
      onCall: tellingOf(options, '/ia/xml/xmlgw.phtml', 'mint'),
    });
    return {
      url: sage.url,
      title: 'A simulator of Sage Intacct (XML; its sessions live 60 s here, not 24 hours)',
      connection: { provider: 'sage-intacct-xml', settings: { token_endpoint: sage.gateway, ...sage.credentials } },
      rotateSecret() {
        const password = randomBytes(12).toString('base64url');
        sage.changeUserPassword(password);
        return newSecret('The user’s password', password);
      },
      close: sage.close,
    };
  },
};
