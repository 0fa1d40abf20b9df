/** FreshBooks. */
import type { Preset } from '../preset.ts';

export default {
  name: 'freshbooks',
  title: 'FreshBooks',
  facts: {
    grant: 'refresh_token', // [V2] devart, unified.to, truto
    tokenEndpoint: 'https://api.freshbooks.com/auth/oauth/token', // [V] clients' source
    authorizationEndpoint: 'https://auth.freshbooks.com/oauth/authorize', // [V] clients' source
    clientAuthentication: 'client_secret_post', // [R]
    pkce: 'S256', // [ours] No refusal is known, and a server ignores what it does not know (RFC 6749 §3.1).
    lifetimeSeconds: 12 * 3_600, // [V2] devart, unified.to, truto
    expiresInUnit: 'seconds', // [V2] the same
    minTokenAgeSeconds: 0, // [NF]
    marginSeconds: 60, // [ours]
    rotation: 'single_use', // [V2] devart, unified.to, truto
    keepAliveSeconds: 7 * 86_400, // [ours] When an unused refresh token lapses was not found.
  },
  settings: {
    scope: { kind: 'text', replaces: 'scope', description: 'Scopes, separated by spaces; those of the app if absent.' },
  },
  errorRules: [],
} satisfies Preset;
