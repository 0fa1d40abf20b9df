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
    pkce: 'S256', // [ours] No refusal is known, and a server ignores what it does not know (RFC 6749 §3.1).
    // Broad scopes end in September 2027, and apps since 2026-04-29 have granular ones only: ask for those.
    scope: 'offline_access', // [V]
    revocationEnds: 'user_and_application', // [V2] XeroAPI/xero-ruby#125: all connections of that user and app.
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
      description: 'Scopes, separated by spaces, as the app has them; offline_access must be among them.',
    },
    tenant_id: { kind: 'text', description: 'The organisation, for the header xero-tenant-id.' },
  },
  headers: { Authorization: '{token_type} {access_token}', 'xero-tenant-id': '{tenant_id}' },
  errorRules: [],
} satisfies Preset;
