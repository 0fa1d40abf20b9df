/** Wise Platform, on behalf of a user. */
import type { Preset } from '../preset.ts';

export default {
  name: 'wise',
  title: 'Wise',
  facts: {
    grant: 'refresh_token', // [V] docs.wise.com, refresh tokens
    tokenEndpoint: 'https://api.wise.com/oauth/token', // [V] the same
    authorizationEndpoint: 'https://wise.com/oauth/authorize/', // [V2] docs.wise.com, of the sandbox
    clientAuthentication: 'client_secret_basic', // [V] docs.wise.com, refresh tokens
    pkce: 'S256', // [ours] No refusal is known, and a server ignores what it does not know (RFC 6749 §3.1).
    // A code or a registration code that is redeemed ends the refresh token of before.
    exclusivePer: 'client_and_user', // [V] docs.wise.com, refreshing access
    lifetimeSeconds: 43_200, // [V] docs.wise.com, user access tokens
    expiresInUnit: 'seconds', // [V] the same
    minTokenAgeSeconds: 0, // [NF]
    marginSeconds: 30, // [ours] As late as a killed refresher can be taken over.
    rotation: 'single_use', // [NF] The worst.
    renewalEnds: 'previous_token', // [V] docs.wise.com, refresh tokens
    refreshTokenLifetimeSeconds: 20 * 365 * 86_400, // [V] the same
  },
  settings: {},
  errorRules: [],
} satisfies Preset;
