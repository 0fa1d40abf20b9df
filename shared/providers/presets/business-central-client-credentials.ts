/** Dynamics 365 Business Central, by Microsoft Entra ID, as an application. */
import { entraClient } from '../families/entra-id.ts';
import type { Preset } from '../preset.ts';

export default {
  name: 'business-central-client-credentials',
  title: 'Business Central (Entra ID, client credentials)',
  facts: {
    grant: 'client_credentials', // [V] learn.microsoft.com
    tokenEndpoint: 'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token', // [V] the same
    clientAuthentication: 'client_secret_post', // [R]
    assertionAlgorithm: 'PS256', // [V] learn.microsoft.com, certificate-credentials
    assertionHeaders: { 'x5t#S256': '{certificate_thumbprint}' }, // [V] the same
    scope: 'https://api.businesscentral.dynamics.com/.default', // [R]
    lifetimeSeconds: 3_600, // [V] About an hour; replies tell.
    expiresInUnit: 'seconds', // [V] learn.microsoft.com
    minTokenAgeSeconds: 0, // [NF]
    marginSeconds: 300, // [ours]
    rotation: 'none', // [V] There is no refresh token.
  },
  settings: {
    ...entraClient,
    scope: { kind: 'text', replaces: 'scope', description: 'The scope: a resource and /.default.' },
  },
  errorRules: [],
} satisfies Preset;
