/** Box. */
import type { Preset } from '../preset.ts';

export default {
  name: 'box',
  title: 'Box',
  facts: {
    grant: 'refresh_token', // [V] developer.box.com
    tokenEndpoint: 'https://api.box.com/oauth2/token', // [V] the same
    authorizationEndpoint: 'https://account.box.com/api/oauth2/authorize', // [R]
    revocationEndpoint: 'https://api.box.com/oauth2/revoke', // [R]
    clientAuthentication: 'client_secret_post', // [R]
    pkce: 'S256', // [ours] No refusal is known, and a server ignores what it does not know (RFC 6749 §3.1).
    lifetimeSeconds: 3_600, // [V] About an hour; replies tell.
    expiresInUnit: 'seconds', // [V] developer.box.com
    minTokenAgeSeconds: 0, // [NF]
    marginSeconds: 60, // [ours]
    rotation: 'single_use', // [V] developer.box.com
    refreshTokenIdleSeconds: 60 * 86_400, // [V] the same
    keepAliveSeconds: 14 * 86_400, // [ours]
  },
  settings: {
    scope: { kind: 'text', replaces: 'scope', description: 'Scopes, separated by spaces; those of the app if absent.' },
  },
  errorRules: [],
} satisfies Preset;
