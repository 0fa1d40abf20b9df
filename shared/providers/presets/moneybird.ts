/** Moneybird. */
import type { Preset } from '../preset.ts';

export default {
  name: 'moneybird',
  title: 'Moneybird',
  facts: {
    grant: 'refresh_token', // [V2] Nango's documentation
    tokenEndpoint: 'https://moneybird.com/oauth/token', // [V] clients' source
    authorizationEndpoint: 'https://moneybird.com/oauth/authorize', // [V] clients' source
    clientAuthentication: 'client_secret_post', // [V] clients' source
    pkce: 'S256', // [ours] No refusal is known, and a server ignores what it does not know (RFC 6749 §3.1).
    scope: 'sales_invoices documents settings', // [V] clients' source; what an app needs differs.
    lifetimeSeconds: 3_600, // [C] No expiry by Nango, an hour by Apideck: the shorter does no harm.
    expiresInUnit: 'seconds', // [V2] Replies have no expires_in.
    minTokenAgeSeconds: 0, // [NF]
    marginSeconds: 60, // [ours]
    rotation: 'single_use', // [NF] The worst.
    keepAliveSeconds: 7 * 86_400, // [ours] When an unused refresh token lapses was not found.
  },
  settings: {
    scope: { kind: 'text', replaces: 'scope', description: 'Scopes, separated by spaces.' },
  },
  errorRules: [],
} satisfies Preset;
