/** Qonto. */
import type { Preset } from '../preset.ts';

export default {
  name: 'qonto',
  title: 'Qonto',
  facts: {
    grant: 'refresh_token', // [V] docs.qonto.com
    tokenEndpoint: 'https://oauth.qonto.com/oauth2/token', // [V] the same
    authorizationEndpoint: 'https://oauth.qonto.com/oauth2/auth', // [V] the same
    revocationEndpoint: 'https://oauth.qonto.com/oauth2/revoke', // [V2] a client's documentation
    clientAuthentication: 'client_secret_post', // [V] docs.qonto.com
    pkce: 'S256', // [ours] No refusal is known, and a server ignores what it does not know (RFC 6749 §3.1).
    scope: 'offline_access organization.read', // [V] clients' source; what an app needs differs.
    lifetimeSeconds: 3_600, // [V] docs.qonto.com
    expiresInUnit: 'seconds', // [V] the same
    minTokenAgeSeconds: 0, // [NF]
    marginSeconds: 60, // [ours]
    rotation: 'grace', // [V] docs.qonto.com
    graceSeconds: 60, // [V] the same
    refreshTokenIdleSeconds: 90 * 86_400, // [V] the same
    keepAliveSeconds: 14 * 86_400, // [ours]
  },
  settings: {
    scope: {
      kind: 'text',
      replaces: 'scope',
      description: 'Scopes, separated by spaces; offline_access must be among them.',
    },
  },
  errorRules: [],
} satisfies Preset;
