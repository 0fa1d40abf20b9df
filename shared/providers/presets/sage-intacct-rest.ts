/**
 * Sage Intacct, REST API with an authorization by a person. The access token is a JWT that carries a session id, so it
 * serves the XML API too, with sender credentials (NangoHQ/integration-templates, integrations/sage-intacct/README.md).
 */
import { intacctRest, throttledByIntacct } from '../families/sage-intacct.ts';
import type { Preset } from '../preset.ts';

export default {
  name: 'sage-intacct-rest',
  title: 'Sage Intacct (REST)',
  facts: {
    grant: 'refresh_token', // [V2] nango.dev; the server's metadata does not list it.
    tokenEndpoint: 'https://api.intacct.com/ia/api/v1/oauth2/token', // [V] Sage's documentation, clients
    // Sage's documentation and Nango; the metadata has /ia/authorize.
    authorizationEndpoint: 'https://api.intacct.com/ia/api/v1/oauth2/authorize', // [C]
    // No revocation endpoint: theirs kills all tokens of the user and company, also those of other applications
    // (nango.dev).
    clientAuthentication: 'client_secret_post', // [V] node-intacct-rest-api src/core/auth.ts
    pkce: 'S256', // [V2] The metadata offers it; needed of public clients only.
    scope: 'offline_access', // [V] Sage's documentation: without it there is no refresh token.
    // Nango, June 2026: the newest authorization of user and company wins, the older dies silently.
    exclusivePer: 'client_and_user', // [V2]
    // Replies tell: 43,200 in fixtures. 1 h by knowledgelib.io: the shorter of the two, where one does not tell.
    lifetimeSeconds: 3_600, // [C]
    expiresInUnit: 'seconds', // [V] the fixtures
    minTokenAgeSeconds: 0, // [NF]
    marginSeconds: 300, // [ours]
    // A new one comes with each use (Keboola, SDK samples); whether the old one dies is not documented: the worst.
    rotation: 'single_use', // [V2]
    refreshTokenIdleSeconds: 90 * 86_400, // [C] 90 days in a C# client, 6 months by knowledgelib.io
    keepAliveSeconds: 14 * 86_400, // [ours]
  },
  settings: {
    entity_id: {
      kind: 'text',
      description:
        'Entity whose data the requests are about, for the header X-IA-API-Param-Entity; the top level if absent.',
    },
    scope: {
      kind: 'text',
      replaces: 'scope',
      description: 'Scopes, separated by spaces; offline_access must be among them.',
    },
  },
  ...intacctRest,
  errorRules: [
    throttledByIntacct,
    {
      name: 'client_refused',
      when: { status: ['4xx'], body: 'REST-1216' },
      class: 'misconfigured',
      cause: 'invalid_client',
      comment: 'Wrong client credentials, or the company has not authorized the client.',
      source: 'nango.dev/blog/fix-sage-intacct-oauth-token-invalid-refresh-failures',
    },
    {
      name: 'tenant_inactive',
      when: { status: ['4xx'], body: 'GW-0011' },
      class: 'misconfigured',
      cause: 'invalid_client',
      comment: 'Sender, client or tenant is inactive.',
      source: 'nango.dev/blog/fix-sage-intacct-oauth-token-invalid-refresh-failures',
    },
    {
      name: 'grant_replaced',
      when: { status: ['4xx'], body: 'REST-2102|REST-1206' },
      class: 'dead_grant',
      cause: 'invalid_grant',
      comment: 'The token is not valid: mostly another authorization of the same user has replaced this one.',
      source:
        'nango.dev/blog/fix-sage-intacct-oauth-token-invalid-refresh-failures; seen at the API, assumed of the ' +
        'token endpoint',
    },
    {
      name: 'invalid_client',
      when: { status: ['4xx'], error: ['invalid_client'] },
      class: 'misconfigured',
      cause: 'invalid_client',
      comment: `Can also be a dead refresh token: the same client worked after a new authorization. The refresh token is
        kept; authorize again before the secret is changed.`,
      source: 'nango.dev/blog/fix-sage-intacct-oauth-token-invalid-refresh-failures',
    },
  ],
} satisfies Preset;
