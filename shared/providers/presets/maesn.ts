/**
 * Maesn: two keys and no token. Maesn keeps the refresh tokens of the target system; when that grant dies, requests
 * answer 401, the end user authenticates again there, and the account key may be a new one (not known: put it then).
 */
import type { Preset } from '../preset.ts';

export default {
  name: 'maesn',
  title: 'Maesn',
  facts: {
    grant: 'static', // [V] docs.maesn.com/authentication and the SDK's OpenAPI: no token endpoint, no expiry
    clientAuthentication: 'none', // [V] Nothing is ever called.
    tokenType: 'N_A', // [ours] RFC 8693 §2.2.1: what is no OAuth access token.
    lifetimeSeconds: 30 * 86_400, // [ours] Not the key's life: so long may a client go without asking for it again.
    expiresInUnit: 'seconds', // [ours] Of no use.
    minTokenAgeSeconds: 0, // [ours] Of no use.
    marginSeconds: 3_600, // [ours]
    rotation: 'none', // [V] There is no refresh token.
  },
  settings: {
    api_key: { kind: 'secret', required: true, description: "The tenant's key, X-API-KEY." },
    account_key: {
      kind: 'secret',
      required: true,
      description: "The end user's key for a target system, X-ACCOUNT-KEY.",
    },
  },
  accessToken: 'account_key',
  headers: { 'X-API-KEY': '{api_key}', 'X-ACCOUNT-KEY': '{access_token}' },
  errorRules: [],
} satisfies Preset;
