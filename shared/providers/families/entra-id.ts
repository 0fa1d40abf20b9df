/** What the presets of Microsoft Entra ID have in common: how an application of a tenant authenticates. */
import type { Settings } from '../setting.ts';

export const entraClient = {
  tenant: {
    kind: 'text',
    required: true,
    pattern: '[A-Za-z0-9-]+(?:\\.[A-Za-z0-9-]+)*',
    description: "The tenant: its id, or one of its domains. An app's secret is of one tenant.",
  },
  client_authentication: {
    kind: 'choice',
    choices: ['client_secret_post', 'private_key_jwt'],
    replaces: 'clientAuthentication',
    description: 'private_key_jwt: by a certificate.',
  },
  private_key: {
    kind: 'secret',
    format: 'private_key',
    description: 'The private key of the certificate: PEM, or a JWK as JSON text.',
  },
  certificate_thumbprint: {
    kind: 'text',
    pattern: '[A-Za-z0-9_-]{43}',
    description: 'The SHA-256 thumbprint of the certificate, base64url without padding.',
  },
} as const satisfies Settings;
