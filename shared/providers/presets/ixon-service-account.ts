/**
 * IXON Cloud APIv2, as a service account: its token is made once in the portal and works only with that account's
 * Application ID.
 */
import type { Preset } from '../preset.ts';

export default {
  name: 'ixon-service-account',
  title: 'IXON Cloud (service account)',
  facts: {
    grant: 'static', // [V] IXON's OpenAPI: POST /users/service-account; it has no expiry ("non-expiring" inferred).
    clientAuthentication: 'none', // [V] Nothing is ever called.
    // Not the token's life, which has no end: so long may a client go without asking for it again.
    lifetimeSeconds: 30 * 86_400, // [ours]
    expiresInUnit: 'seconds', // [ours] Of no use.
    minTokenAgeSeconds: 0, // [ours] Of no use.
    marginSeconds: 3_600, // [ours]
    rotation: 'none', // [V] There is no refresh token.
  },
  settings: {
    token: { kind: 'secret', required: true, description: "The service account's token." },
    application_id: {
      kind: 'text',
      required: true,
      pattern: '[0-9a-zA-Z]{12}',
      description: "The service account's own Application ID.",
    },
    company_id: {
      kind: 'text',
      pattern: '(?:\\d{4}-){4}\\d{4}',
      description: 'The company, for the header Api-Company; absent for calls without one.',
    },
  },
  accessToken: 'token',
  headers: {
    Authorization: 'Bearer {access_token}',
    'Api-Version': '2',
    'Api-Application': '{application_id}',
    'Api-Company': '{company_id}',
  },
  errorRules: [],
} satisfies Preset;
