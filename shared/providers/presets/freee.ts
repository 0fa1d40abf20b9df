/** freee (Japan). */
import type { Preset } from '../preset.ts';

export default {
  name: 'freee',
  title: 'freee',
  facts: {
    grant: 'refresh_token', // [V] developer.freee.co.jp
    tokenEndpoint: 'https://accounts.secure.freee.co.jp/public_api/token', // [V] the same
    authorizationEndpoint: 'https://accounts.secure.freee.co.jp/public_api/authorize', // [V] the same
    clientAuthentication: 'client_secret_post', // [V] the same
    pkce: 'S256', // [ours] No refusal is known, and a server ignores what it does not know (RFC 6749 §3.1).
    authorizationParameters: { prompt: 'select_company' }, // [V] the same
    lifetimeSeconds: 6 * 3_600, // [V] developer.freee.co.jp/reference/faq/token_lifetime
    expiresInUnit: 'seconds', // [V] the same
    minTokenAgeSeconds: 0, // [NF]
    marginSeconds: 60, // [ours]
    rotation: 'single_use', // [V] the same: 401 on the second use
    refreshTokenIdleSeconds: 90 * 86_400, // [V] the same
    keepAliveSeconds: 14 * 86_400, // [ours]
  },
  settings: {
    company_id: {
      kind: 'text',
      pattern: '[0-9]+',
      reply: 'company_id',
      description: 'The company that was chosen in the login. Replies tell it (recalled).',
    },
  },
  errorRules: [],
} satisfies Preset;
