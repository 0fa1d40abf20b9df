/** A provider that is not in the product: all that it takes to add one. */
import type { Preset } from '../../shared/providers/preset.ts';

export const newPreset: Preset = {
  name: 'new-books',
  title: 'New Books',
  facts: {
    tokenEndpoint: 'https://id.newbooks.{region}/token',
    clientAuthentication: 'client_secret_post',
    grant: 'refresh_token',
    lifetimeSeconds: 900,
    expiresInUnit: 'milliseconds',
    minTokenAgeSeconds: 0,
    marginSeconds: 30,
    rotation: 'grace',
    graceSeconds: 60,
  },
  settings: { region: { kind: 'choice', choices: ['example', 'test'], description: 'Where the books are kept.' } },
  retryDelaysSeconds: { default: 7, http_503: 21 },
  resetHeaders: [],
  errorRules: [
    { name: 'teapot', when: { status: [418] }, class: 'too_early', comment: 'A teapot.', source: 'RFC 2324' },
  ],
};
