/**
 * HubSpot. This token endpoint is deprecated from 2027-02-16; the next version takes parameters in the body only, as we
 * send them.
 */
import type { Preset } from '../preset.ts';

export default {
  name: 'hubspot',
  title: 'HubSpot',
  facts: {
    grant: 'refresh_token', // [V2] nango.dev
    tokenEndpoint: 'https://api.hubapi.com/oauth/v1/token', // [V2] the same
    authorizationEndpoint: 'https://app.hubspot.com/oauth/authorize', // [R]
    clientAuthentication: 'client_secret_post', // [V2] nango.dev
    pkce: 'S256', // [ours] No refusal is known, and a server ignores what it does not know (RFC 6749 §3.1).
    scope: 'oauth', // [R] The least that every app has.
    lifetimeSeconds: 1_800, // [V2] nango.dev
    expiresInUnit: 'seconds', // [V2] the same
    minTokenAgeSeconds: 0, // [NF]
    marginSeconds: 60, // [ours]
    rotation: 'none', // [R] Good until the app is uninstalled.
    keepAliveSeconds: 30 * 86_400, // [ours] "Disuse" ends a grant too; how much is not said.
  },
  settings: {
    scope: { kind: 'text', replaces: 'scope', description: 'Scopes, separated by spaces, as the app has them.' },
  },
  reply: { format: 'json', errors: ['status'] },
  errorRules: [
    {
      name: 'bad_refresh_token',
      when: { status: ['4xx'], error: ['BAD_REFRESH_TOKEN'] },
      class: 'dead_grant',
      cause: 'invalid_grant',
      comment: 'Not in the form of RFC 6749: the code is in "status".',
      source: 'nango.dev/blog',
    },
    {
      name: 'bad_client',
      when: { status: ['4xx'], error: ['BAD_CLIENT_ID', 'BAD_CLIENT_SECRET'] },
      class: 'misconfigured',
      cause: 'invalid_client',
      comment: 'Its sisters.',
      source: 'recalled',
    },
  ],
} satisfies Preset;
