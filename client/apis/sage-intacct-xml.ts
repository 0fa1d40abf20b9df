/** Sage Intacct's XML gateway. What went wrong is inside the XML, at one of three levels, and often with status 200. */
import type { ApiPreset } from '../api-rules.ts';

const handling = "Sage's page on error handling";
const resubmit =
  'Resubmit the same request with <uniqueid>true</uniqueid> and the same control ids of its functions: those that ' +
  'were done are not done again.';
const failed = (level: string) => ({ path: `response.${level}status`, matches: '^failure$' });
const levels = ['', 'operation.', 'operation.authentication.', 'operation.result.'];

export default {
  providers: ['sage-intacct-xml'],
  format: 'xml',
  errors: levels.map((level) => `response.${level}errormessage.error.errorno`),
  descriptions: levels.flatMap((level) => [
    `response.${level}errormessage.error.description2`,
    `response.${level}errormessage.error.description`,
  ]),
  resetHeaders: [
    'x-ia-throttle-limit-retry-after',
    'x-ia-minute-rate-limit-retry-after',
    'x-ia-hour-rate-limit-retry-after',
    'x-ia-tenant-throttle-limit-retry-after',
  ],
  rules: [
    {
      when: { unanswered: true },
      do: 'retry',
      delaySeconds: { from: 15, to: 30 },
      growth: 'exponential',
      mayHaveActed: true,
      comment: `No reply: some functions may have been run, and a long request may still be running. ${resubmit}`,
      source: handling,
    },
    {
      when: { status: [429] },
      do: 'retry',
      delaySeconds: 60,
      growth: 'exponential',
      comment: 'The client has hit its rate limit (GW-0010). Nothing was run.',
      source: handling,
    },
    {
      when: { error: ['GW-0010'] },
      do: 'retry',
      delaySeconds: 60,
      growth: 'exponential',
      comment: 'The client has hit its rate limit. Nothing was run.',
      source: handling,
    },
    {
      when: { error: ['GW-0011'] },
      do: 'reauthorize',
      comment: 'Invalid Request: sender, client or tenant is inactive. Somebody has to activate it at Sage Intacct.',
      source: 'nango.dev/blog/fix-sage-intacct-oauth-token-invalid-refresh-failures',
    },
    {
      when: { error: ['XL03000003'] },
      do: 'correct_request',
      comment: 'The XML is not well formed. Nothing was run.',
      source: handling,
    },
    {
      when: { error: ['XL03000006'], member: failed('control.') },
      do: 'correct_request',
      comment:
        "Control level: wrong sender id or password in this request's control block, or the sender is not authorized " +
        'for the company. Nothing was run.',
      source: handling,
    },
    {
      when: { member: failed('control.') },
      do: 'correct_request',
      comment: 'Control level: the request was not accepted, and nothing was run.',
      source: handling,
    },
    {
      when: { member: failed('operation.authentication.'), failures: 1 },
      do: 'reauthorize',
      comment:
        'Authentication level: a new session was refused as well. Company, user or password is wrong; to repeat it ' +
        'may lock the account ([R]).',
      source: handling,
    },
    {
      when: { member: failed('operation.authentication.') },
      do: 'report_token',
      comment: 'Authentication level: the session was refused, and no function was run.',
      source: handling,
    },
    {
      when: { body: '<result>\\s*<status>\\s*failure' },
      do: 'correct_request',
      comment:
        'Function level: a function of this request failed, others in it may have succeeded: look at each result by ' +
        'its control id.',
      source: handling,
    },
    {
      when: { status: ['5xx'] },
      do: 'retry',
      delaySeconds: { from: 15, to: 30 },
      growth: 'exponential',
      mayHaveActed: true,
      comment: `Ended in the middle: some functions may have been run, or may still be. ${resubmit}`,
      source: handling,
    },
    {
      when: { status: ['2xx'], body: '^\\s*$' },
      do: 'retry',
      delaySeconds: { from: 15, to: 30 },
      growth: 'exponential',
      mayHaveActed: true,
      comment: `No XML came back: some functions may have been run. ${resubmit}`,
      source: handling,
    },
  ],
} satisfies ApiPreset;
