/** Any authorization server that follows RFC 6749. Where a server may differ, there is a setting; its default is the fact here. */
import type { Preset } from '../preset.ts';

export default {
  name: 'generic-oauth2',
  title: 'OAuth 2.0 (RFC 6749)',
  facts: {
    // What every server that issues passwords to clients must support (§2.3.1).
    clientAuthentication: 'client_secret_basic',
    grant: 'refresh_token',
    // No verified fact: the RFC's examples, and most providers.
    lifetimeSeconds: 3_600,
    expiresInUnit: 'seconds',
    minTokenAgeSeconds: 0,
    // Our choice, long enough for a killed refresher to be taken over.
    marginSeconds: 30,
    // Unknown, so the worst: a second use may revoke the grant (RFC 9700 §4.14.2).
    rotation: 'single_use',
    // Our choice, shorter than most known idle limits.
    keepAliveSeconds: 7 * 86_400,
  },
  settings: {
    token_endpoint: { kind: 'url', required: true, replaces: 'tokenEndpoint', description: 'The token endpoint (RFC 6749 §3.2), https.' },
    client_authentication: {
      kind: 'choice',
      choices: ['client_secret_basic', 'client_secret_post', 'none'],
      replaces: 'clientAuthentication',
      description: 'How the client authenticates. Some servers do not decode what client_secret_basic encodes; try client_secret_post there.',
    },
    grant: { kind: 'choice', choices: ['refresh_token', 'client_credentials'], replaces: 'grant', description: 'How access tokens are obtained.' },
    scope: {
      kind: 'text',
      replaces: 'scope',
      description: 'Scopes, separated by spaces. Asked for with client_credentials; a refresh keeps what was granted.',
    },
    refresh_token_rotation: {
      kind: 'choice',
      choices: ['single_use', 'grace', 'none'],
      replaces: 'rotation',
      description: 'single_use: a used refresh token is dead at once (assumed). grace: it may be sent again for grace_seconds. none: it stays good.',
    },
    grace_seconds: {
      kind: 'duration',
      least: 0,
      most: 30 * 86_400,
      replaces: 'graceSeconds',
      description: 'How long a used refresh token may be sent again; needs refresh_token_rotation "grace".',
    },
    min_token_age_seconds: {
      kind: 'duration',
      least: 0,
      most: 86_400,
      replaces: 'minTokenAgeSeconds',
      description: 'The server refuses to renew a token that is younger. Add a few seconds: two clocks differ.',
    },
    lifetime_seconds: {
      kind: 'duration',
      least: 1,
      most: 366 * 86_400,
      replaces: 'lifetimeSeconds',
      description: 'Lifetime of an access token, where replies do not tell (expires_in).',
    },
    expires_in_unit: { kind: 'choice', choices: ['seconds', 'milliseconds'], replaces: 'expiresInUnit', description: 'Unit of expires_in.' },
  },
  // Our choices, after what integration platforms advise: a minute after a 429, 15 to 30 s after a 500.
  retryDelaysSeconds: { default: 5, time_out: 1, http_429: 60, http_500: 15 },
  resetHeaders: [],
  errorRules: [],
} satisfies Preset;
