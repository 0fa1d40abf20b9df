/**
 * Twinfield (Wolters Kluwer). The cluster to call is told by …/connect/accesstokenvalidation?token=…, which is the
 * client's to ask.
 */
import type { Preset } from '../preset.ts';

export default {
  name: 'twinfield',
  title: 'Twinfield',
  facts: {
    grant: 'refresh_token', // [V] developers.twinfield.com
    tokenEndpoint: 'https://login.twinfield.com/auth/authentication/connect/token', // [V] the same
    authorizationEndpoint: 'https://login.twinfield.com/auth/authentication/connect/authorize', // [V] clients' source
    clientAuthentication: 'client_secret_basic', // [V] developers.twinfield.com
    pkce: 'S256', // [ours] No refusal is known, and a server ignores what it does not know (RFC 6749 §3.1).
    scope: 'openid twf.user twf.organisation twf.organisationUser offline_access', // [V] clients' source
    lifetimeSeconds: 3_600, // [V] developers.twinfield.com
    expiresInUnit: 'seconds', // [V] the same
    minTokenAgeSeconds: 0, // [NF]
    marginSeconds: 60, // [ours]
    rotation: 'none', // [V] "as many as you like"
    refreshTokenIdleSeconds: 60 * 86_400, // [C] 60 days by Nango, no such limit elsewhere: planned for the worse.
    keepAliveSeconds: 14 * 86_400, // [ours]
    refreshTokenLifetimeSeconds: 25 * 365 * 86_400, // [V] 25 years
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
