/** Sage Business Cloud Accounting. */
import type { Preset } from '../preset.ts';

export default {
  name: 'sage-accounting',
  title: 'Sage Business Cloud Accounting',
  facts: {
    grant: 'refresh_token', // [V] Sage's sample configuration
    tokenEndpoint: 'https://oauth.accounting.sage.com/token', // [V] the same
    authorizationEndpoint: 'https://www.sageone.com/oauth2/auth/central?filter=apiv3.1', // [V] the same
    revocationEndpoint: 'https://oauth.accounting.sage.com/revoke', // [V] clients' source
    clientAuthentication: 'client_secret_post', // [V] clients' source
    pkce: 'S256', // [ours] No refusal is known, and a server ignores what it does not know (RFC 6749 §3.1).
    scope: 'full_access', // [V] clients' source
    lifetimeSeconds: 300, // [V2] unified.to, truto
    expiresInUnit: 'seconds', // [V2] the same
    minTokenAgeSeconds: 0, // [NF]
    marginSeconds: 30, // [ours]
    rotation: 'single_use', // [V2] unified.to, truto
    refreshTokenIdleSeconds: 31 * 86_400, // [V2] the same
    keepAliveSeconds: 7 * 86_400, // [ours]
  },
  settings: {
    scope: {
      kind: 'text',
      pattern: 'full_access|readonly',
      replaces: 'scope',
      description: 'full_access or readonly.',
    },
    business_id: { kind: 'text', description: 'The business, for the header X-Business.' },
  },
  headers: { Authorization: '{token_type} {access_token}', 'X-Business': '{business_id}' },
  errorRules: [],
} satisfies Preset;
