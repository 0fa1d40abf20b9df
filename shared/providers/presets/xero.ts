/** Xero. */
import type { Preset } from '../preset.ts';

export default {
  name: 'xero',
  title: 'Xero',
  facts: {
    grant: 'refresh_token', // [V] developer.xero.com
    tokenEndpoint: 'https://identity.xero.com/connect/token', // [V] the same
    authorizationEndpoint: 'https://login.xero.com/identity/connect/authorize', // [V] clients' source
    revocationEndpoint: 'https://identity.xero.com/connect/revocation', // [V] clients' source
    clientAuthentication: 'client_secret_basic', // [V] clients' source
    pkce: 'none', // [C] Some clients send it, some do not; documented for apps without a secret.
    scope: 'offline_access accounting.transactions', // [V] clients' source; what an app needs differs.
    lifetimeSeconds: 1_800, // [V] developer.xero.com
    expiresInUnit: 'seconds', // [V] the same
    minTokenAgeSeconds: 0, // [NF]
    marginSeconds: 60, // [ours]
    rotation: 'grace', // [V] developer.xero.com/faq/oauth2/oauth-refresh-fail
    graceSeconds: 1_800, // [V] "you can retry using your existing refresh token for up to 30 minutes"
    refreshTokenIdleSeconds: 60 * 86_400, // [V] the same
    keepAliveSeconds: 14 * 86_400, // [ours]
  },
  settings: {
    scope: {
      kind: 'text',
      replaces: 'scope',
      description: 'Scopes, separated by spaces; offline_access must be among them.',
    },
    tenant_id: { kind: 'text', description: 'The organisation, for the header xero-tenant-id.' },
  },
  headers: { Authorization: '{token_type} {access_token}', 'xero-tenant-id': '{tenant_id}' },
  errorRules: [],
} satisfies Preset;
