/**
 * Salesforce. Five grants for each user and app: a sixth revokes the oldest. Since 2026-05-11 partner apps in more than
 * two production orgs must use PKCE and rotation, and renewals come from the addresses of an allowlist.
 */
import type { Preset } from '../preset.ts';

export default {
  name: 'salesforce',
  title: 'Salesforce',
  facts: {
    grant: 'refresh_token', // [V] help.salesforce.com
    tokenEndpoint: 'https://{domain}.salesforce.com/services/oauth2/token', // [V] the same
    authorizationEndpoint: 'https://{domain}.salesforce.com/services/oauth2/authorize', // [R]
    revocationEndpoint: 'https://{domain}.salesforce.com/services/oauth2/revoke', // [R]
    clientAuthentication: 'client_secret_post', // [R]
    pkce: 'S256', // [R]
    scope: 'api refresh_token', // [R]
    // Replies do not tell ([R]); the shortest session that a policy can set, since ours is not known.
    lifetimeSeconds: 900, // [ours]
    expiresInUnit: 'seconds', // [ours] Of no use.
    minTokenAgeSeconds: 0, // [NF]
    marginSeconds: 60, // [ours]
    // For partner apps since 2026-05-11, where reuse revokes everything; of other apps it is not known.
    rotation: 'single_use', // [V]
    refreshTokenIdleSeconds: 30 * 86_400, // [V] secure_code_ac_eca, eca_limit_idle_refresh_token_ttl: since 2026-05-11.
    keepAliveSeconds: 14 * 86_400, // [ours] What a policy says of unused refresh tokens differs.
  },
  settings: {
    domain: {
      kind: 'text',
      pattern: '[a-z0-9-]+(?:\\.[a-z0-9-]+)*',
      default: 'login',
      description:
        'What stands before .salesforce.com: login, test, or a My Domain such as acme.my or acme--dev.sandbox.my.',
    },
    scope: {
      kind: 'text',
      replaces: 'scope',
      description: 'Scopes, separated by spaces; refresh_token must be among them.',
    },
    instance_url: {
      kind: 'text',
      pattern: 'https://[a-z0-9.-]+(?::[0-9]+)?(?:/[!-~]*)?',
      reply: 'instance_url',
      description: 'Where the API is called. Logins tell it, and most renewals do.',
    },
    lifetime_seconds: {
      kind: 'duration',
      least: 60,
      most: 86_400,
      replaces: 'lifetimeSeconds',
      description: "The session time-out of the app's policy.",
    },
    refresh_token_rotation: {
      kind: 'choice',
      choices: ['single_use', 'none'],
      replaces: 'rotation',
      description: "none: the app's policy does not rotate.",
    },
  },
  reply: { format: 'json', endpoint: { path: 'instance_url' } },
  errorRules: [
    {
      name: 'called_a_code',
      when: { error: ['invalid_grant'], words: 'expired authorization code' },
      class: 'transient',
      comment: 'Said of a refresh token, in an incident: there is no authorization code in a renewal.',
      source: 'forcedotcom/sfdx-core#1342',
    },
  ],
} satisfies Preset;
