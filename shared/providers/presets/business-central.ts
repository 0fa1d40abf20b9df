/** Dynamics 365 Business Central, by Microsoft Entra ID, with an authorization by a person. */
import { entraClient } from '../families/entra-id.ts';
import type { Preset } from '../preset.ts';

export default {
  name: 'business-central',
  title: 'Business Central (Entra ID)',
  facts: {
    grant: 'refresh_token', // [V] learn.microsoft.com
    tokenEndpoint: 'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token', // [V] the same
    authorizationEndpoint: 'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize', // [R]
    clientAuthentication: 'client_secret_post', // [R]
    assertionAlgorithm: 'PS256', // [V] learn.microsoft.com, certificate-credentials
    assertionHeaders: { 'x5t#S256': '{certificate_thumbprint}' }, // [V] the same
    pkce: 'S256', // [R]
    scope: 'https://api.businesscentral.dynamics.com/.default offline_access', // [R]
    lifetimeSeconds: 3_600, // [V] About an hour; replies tell.
    expiresInUnit: 'seconds', // [V] learn.microsoft.com
    minTokenAgeSeconds: 0, // [NF]
    marginSeconds: 300, // [ours]
    rotation: 'none', // [V] A new one with each use, the old one is not revoked.
    refreshTokenIdleSeconds: 90 * 86_400, // [V] 24 h for single-page apps
    keepAliveSeconds: 14 * 86_400, // [ours]
  },
  settings: {
    ...entraClient,
    scope: {
      kind: 'text',
      replaces: 'scope',
      description: 'Scopes, separated by spaces; offline_access must be among them.',
    },
  },
  errorRules: [],
} satisfies Preset;
