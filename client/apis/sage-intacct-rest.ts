/**
 * Sage Intacct's REST API, whichever grant its token comes from. Errors come in three envelopes (node-intacct-rest-api
 * src/core/errors.ts).
 */
import { intacctRest } from '../../shared/providers/families/sage-intacct.ts';
import type { ApiPreset } from '../api-rules.ts';

const codes = 'nango.dev/blog/fix-sage-intacct-oauth-token-invalid-refresh-failures';
const token = 'GW-0040|REST-1206|REST-2102|TOKEN_IS_INVALID|tokenInvalid';

export default {
  providers: ['sage-intacct-rest', 'sage-intacct-client-credentials'],
  ...intacctRest.reply,
  resetHeaders: intacctRest.resetHeaders,
  rules: [
    {
      when: { status: [429] },
      do: 'retry',
      delaySeconds: 60,
      growth: 'exponential',
      comment: 'Throttled, or too many requests at once (GW-0010).',
      source: codes,
    },
    {
      when: { status: ['4xx'], body: token, failures: 1 },
      do: 'reauthorize',
      comment:
        'A renewed token was refused as well: mostly another authorization of the same user has replaced this one.',
      source: codes,
    },
    {
      when: { status: ['4xx'], body: token },
      do: 'report_token',
      comment: 'The access token is expired or replaced, whatever the status: REST-1206 comes as a 400.',
      source: codes,
    },
    {
      when: { status: ['4xx'], body: 'GW-0011' },
      do: 'reauthorize',
      comment: 'Sender, client or tenant is inactive: an administrator has to activate it at Sage Intacct.',
      source: codes,
    },
    {
      when: { status: ['4xx'], body: 'GW-0031|GW-0034' },
      do: 'correct_request',
      comment: 'The Authorization header or the path is malformed.',
      source: codes,
    },
    {
      when: { status: [409] },
      do: 'correct_request',
      comment: 'The same idempotency key or unique key was used before: it was done already.',
      source: "Sage's page on error handling",
    },
    {
      when: { status: [401], failures: 1 },
      do: 'reauthorize',
      comment: 'A renewed token was refused as well.',
      source: codes,
    },
  ],
} satisfies ApiPreset;
