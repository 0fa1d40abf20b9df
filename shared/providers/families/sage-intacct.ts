/** What the presets of Sage Intacct's REST API share: headers of requests, envelopes of errors, and the throttle. */
import type { Preset } from '../preset.ts';

export const intacctRest = {
  headers: { Authorization: '{token_type} {access_token}', 'X-IA-API-Param-Entity': '{entity_id}' },
  reply: {
    format: 'json',
    errors: [
      'ia::result.ia::error.errorId',
      'ia::error.errorId',
      'error.errorId',
      'ia::result.ia::error.code',
      'ia::error.code',
    ],
    descriptions: ['ia::result.ia::error.message', 'ia::error.message'],
  },
  resetHeaders: [
    'x-ia-throttle-limit-retry-after',
    'x-ia-minute-rate-limit-retry-after',
    'x-ia-hour-rate-limit-retry-after',
    'x-ia-tenant-throttle-limit-retry-after',
  ],
} as const satisfies Partial<Preset>;

export const throttledByIntacct = {
  name: 'throttled',
  when: { body: 'GW-0010' },
  class: 'transient',
  retryAfterSeconds: 60,
  comment: 'Throttled, or too many requests at once; told with 429.',
  source: 'nango.dev/blog/fix-sage-intacct-oauth-token-invalid-refresh-failures',
} as const satisfies Preset['errorRules'][number];
