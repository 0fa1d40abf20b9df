/** Dynamics 365 Business Central, by Microsoft Entra ID, as an application. */
import type { Preset } from '../preset.ts';

export default {
  name: 'business-central-client-credentials',
  title: 'Business Central (Entra ID, client credentials)',
  facts: {
    grant: 'client_credentials', // [V] learn.microsoft.com
    tokenEndpoint: 'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token', // [V] the same
    clientAuthentication: 'client_secret_post', // [R]
    scope: 'https://api.businesscentral.dynamics.com/.default', // [R]
    lifetimeSeconds: 3_600, // [V] About an hour; replies tell.
    expiresInUnit: 'seconds', // [V] learn.microsoft.com
    minTokenAgeSeconds: 0, // [NF]
    marginSeconds: 300, // [ours]
    rotation: 'none', // [V] There is no refresh token.
  },
  settings: {
    tenant: {
      kind: 'text',
      required: true,
      pattern: '[A-Za-z0-9-]+(?:\\.[A-Za-z0-9-]+)*',
      description: "The tenant: its id, or one of its domains. An app's secret is of one tenant.",
    },
    scope: { kind: 'text', replaces: 'scope', description: 'The scope: a resource and /.default.' },
  },
  errorRules: [],
} satisfies Preset;
