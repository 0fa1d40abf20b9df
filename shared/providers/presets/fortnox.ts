/** Fortnox. Its own documentation asks for a lock and one central component. */
import type { Preset } from '../preset.ts';

export default {
  name: 'fortnox',
  title: 'Fortnox',
  facts: {
    grant: 'refresh_token', // [V] fortnox.se/developer/authorization
    tokenEndpoint: 'https://apps.fortnox.se/oauth-v1/token', // [V] the same
    authorizationEndpoint: 'https://apps.fortnox.se/oauth-v1/auth', // [V] clients' source
    clientAuthentication: 'client_secret_basic', // [V] fortnox.se/developer/authorization
    pkce: 'S256', // [ours] No refusal is known, and a server ignores what it does not know (RFC 6749 §3.1).
    authorizationParameters: { access_type: 'offline', account_type: '{account_type}' }, // [V] the same
    scope: 'companyinformation', // [ours] The least that is of use; what an app needs differs.
    lifetimeSeconds: 3_600, // [V] fortnox.se/developer/authorization
    expiresInUnit: 'seconds', // [V] the same
    minTokenAgeSeconds: 0, // [NF]
    marginSeconds: 60, // [ours]
    rotation: 'single_use', // [V] fortnox.se/developer/blog/say-goodbye-to-refresh-tokens; no grace period.
    refreshTokenIdleSeconds: 45 * 86_400, // [V2] 45 days; an older FAQ says 31.
    keepAliveSeconds: 10 * 86_400, // [ours]
  },
  settings: {
    scope: { kind: 'text', replaces: 'scope', description: 'Scopes, separated by spaces, as the app has them.' },
    account_type: {
      kind: 'text',
      pattern: 'service',
      description: 'service: the grant belongs to the company, and outlives the person who gave it.',
    },
  },
  errorRules: [
    {
      name: 'invalid_refresh_token',
      when: { status: ['4xx'], description: 'invalid refresh token' },
      class: 'dead_grant',
      cause: 'invalid_grant',
      comment: 'Used before, or expired.',
      source: 'fortnox.se/developer/authorization',
    },
  ],
} satisfies Preset;
