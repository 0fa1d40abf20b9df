/** NetSuite, machine to machine: refresh tokens live seven days there and do not slide, so a certificate it is. */
import type { Preset } from '../preset.ts';

export default {
  name: 'netsuite',
  title: 'NetSuite (certificate)',
  facts: {
    grant: 'client_credentials', // [V] docs.oracle.com, NetSuite online help, section_162755359851
    tokenEndpoint: 'https://{account}.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token', // [V] the same
    clientAuthentication: 'private_key_jwt', // [V] the same
    assertionAlgorithm: 'PS256', // [V] section_162790605110: PS256 to PS512, ES256 to ES512; RS256 is not among them.
    assertionClaims: { scope: '{scope}' }, // [V] the same: separated by commas
    lifetimeSeconds: 3_600, // [V] NangoHQ documentation; replies tell.
    expiresInUnit: 'seconds', // [V] section_162755359851
    minTokenAgeSeconds: 0, // [NF]
    marginSeconds: 60, // [ours]
    rotation: 'none', // [V] There is no refresh token.
  },
  settings: {
    account: {
      kind: 'text',
      required: true,
      pattern: '[A-Za-z0-9-]+',
      description: 'The account id as it is in host names: 1234567, or 1234567-sb1.',
    },
    private_key: {
      kind: 'secret',
      required: true,
      format: 'private_key',
      description: 'The private key of the certificate: PEM, or a JWK as JSON text.',
    },
    key_id: { kind: 'text', required: true, description: 'The Certificate ID that NetSuite gave the certificate.' },
    scope: {
      kind: 'text',
      default: 'rest_webservices',
      description: 'restlets, rest_webservices, suite_analytics, separated by commas.',
    },
  },
  errorRules: [],
} satisfies Preset;
