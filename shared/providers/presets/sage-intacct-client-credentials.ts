/**
 * Sage Intacct, REST API as a Web Services user, without a person. The user must be bound under Company > Security >
 * Authorized client applications.
 */
import { intacctRest, throttledByIntacct } from '../families/sage-intacct.ts';
import type { Preset } from '../preset.ts';

export default {
  name: 'sage-intacct-client-credentials',
  title: 'Sage Intacct (REST, client credentials)',
  facts: {
    grant: 'client_credentials', // [V] Sage's documentation; Nango providers.yaml
    tokenEndpoint: 'https://api.intacct.com/ia/api/v1/oauth2/token', // [V] the same
    clientAuthentication: 'client_secret_post', // [V] node-intacct-rest-api src/core/auth.ts
    tokenParameters: { username: '{username}' }, // [V] Nango providers.yaml
    lifetimeSeconds: 3_600, // [C] Replies tell; see sage-intacct-rest.
    expiresInUnit: 'seconds', // [V] the fixtures
    minTokenAgeSeconds: 0, // [NF]
    marginSeconds: 300, // [ours]
    rotation: 'none', // [V] There is no refresh token.
  },
  settings: {
    username: {
      kind: 'text',
      required: true,
      pattern: '[^@|\\s]+@[^@|\\s]+(?:\\|[^@|\\s]+)?',
      description: 'The Web Services user: userId@companyId, or userId@companyId|entityId.',
    },
    client_authentication: {
      kind: 'choice',
      choices: ['client_secret_post', 'client_secret_basic', 'private_key_jwt'],
      replaces: 'clientAuthentication',
      description: 'How the client authenticates. The metadata offers private_key_jwt with RS256.',
    },
    private_key: {
      kind: 'secret',
      format: 'private_key',
      description: 'The key of private_key_jwt: PEM, or a JWK as JSON text.',
    },
    key_id: { kind: 'text', description: 'The key id (kid) of private_key_jwt, if there are several.' },
    entity_id: {
      kind: 'text',
      description:
        'Entity whose data the requests are about, for the header X-IA-API-Param-Entity; the top level if absent.',
    },
  },
  ...intacctRest,
  errorRules: [
    throttledByIntacct,
    {
      name: 'client_refused',
      when: { status: ['4xx'], body: 'REST-1216|GW-0011' },
      class: 'misconfigured',
      cause: 'invalid_client',
      comment: 'Wrong client credentials, an inactive client or tenant, or the company has not authorized the client.',
      source: 'nango.dev/blog/fix-sage-intacct-oauth-token-invalid-refresh-failures',
    },
  ],
} satisfies Preset;
