/**
 * Xero, a custom connection: machine to machine, with one organisation in Australia, New Zealand, the United Kingdom or
 * the United States.
 */
import type { Preset } from '../preset.ts';

export default {
  name: 'xero-custom-connection',
  title: 'Xero (custom connection)',
  facts: {
    grant: 'client_credentials', // [V] developer.xero.com/faq/custom-integration
    tokenEndpoint: 'https://identity.xero.com/connect/token', // [V] the same
    clientAuthentication: 'client_secret_basic', // [V] the same
    lifetimeSeconds: 1_800, // [V] the same
    expiresInUnit: 'seconds', // [V] the same
    minTokenAgeSeconds: 0, // [NF]
    marginSeconds: 60, // [ours]
    rotation: 'none', // [V] There is no refresh token.
  },
  settings: {
    scope: {
      kind: 'text',
      replaces: 'scope',
      description:
        'Scopes, separated by spaces; those of the app if absent. New custom connections have granular ones only ' +
        'since 2026-04-29.',
    },
  },
  errorRules: [],
} satisfies Preset;
