/** Visma eAccounting, now Spiris. */
import type { Preset } from '../preset.ts';

export default {
  name: 'visma-eaccounting',
  title: 'Visma eAccounting (Spiris)',
  facts: {
    grant: 'refresh_token', // [V2] omniauth-visma
    tokenEndpoint: 'https://identity.vismaonline.com/connect/token', // [V] clients' source
    authorizationEndpoint: 'https://identity.vismaonline.com/connect/authorize', // [V] clients' source
    clientAuthentication: 'client_secret_basic', // [V] clients' source
    pkce: 'S256', // [ours] No refusal is known, and a server ignores what it does not know (RFC 6749 §3.1).
    scope: 'ea:api offline_access ea:sales ea:accounting', // [V] clients' source
    lifetimeSeconds: 3_600, // [V2] omniauth-visma
    expiresInUnit: 'seconds', // [V2] the same
    minTokenAgeSeconds: 0, // [NF]
    marginSeconds: 60, // [ours]
    rotation: 'single_use', // [V2] A new one comes each time and must be stored; that the old one dies is assumed.
    keepAliveSeconds: 7 * 86_400, // [ours] When an unused refresh token lapses was not found.
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
