/**
 * Google. An app whose consent screen is in "Testing" gets refresh tokens of seven days. The number of grants of a user
 * is limited, too.
 */
import type { Preset } from '../preset.ts';

export default {
  name: 'google',
  title: 'Google',
  facts: {
    grant: 'refresh_token', // [V2] developers.google.com, quoted
    tokenEndpoint: 'https://oauth2.googleapis.com/token', // [V2] the same
    authorizationEndpoint: 'https://accounts.google.com/o/oauth2/v2/auth', // [R]
    revocationEndpoint: 'https://oauth2.googleapis.com/revoke', // [R]
    revocationEnds: 'user_and_application', // [V2] AutoGPT#10493: all grants of that user and client.
    clientAuthentication: 'client_secret_post', // [R]
    pkce: 'S256', // [R]
    issuer: 'https://accounts.google.com', // [V2] openiddict/openiddict-core#2428, since February 2026
    // Without them there is no refresh token the second time.
    authorizationParameters: { access_type: 'offline', prompt: 'consent' }, // [R]
    lifetimeSeconds: 3_599, // [V2] developers.google.com, quoted
    expiresInUnit: 'seconds', // [V2] the same
    minTokenAgeSeconds: 0, // [NF]
    marginSeconds: 60, // [ours]
    rotation: 'none', // [V2] developers.google.com, quoted
    refreshTokenIdleSeconds: 180 * 86_400, // [V2] Six months.
    keepAliveSeconds: 30 * 86_400, // [ours]
  },
  settings: {
    scope: { kind: 'text', required: true, replaces: 'scope', description: 'Scopes, separated by spaces.' },
  },
  errorRules: [],
} satisfies Preset;
