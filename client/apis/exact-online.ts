/**
 * Exact Online's REST API (OData). Its errors of the classes 400, 401, 403 and 404 are counted: ten an hour block the
 * key for an hour.
 */
import type { ApiPreset } from '../api-rules.ts';

const limit = 'forums.invantive.com/t/1229, Invantive’s analysis of July 2021';

export default {
  providers: ['exact-online'],
  format: 'json',
  descriptions: ['error.message.value'],
  // Epoch milliseconds; on a minutely 429 the daily header is absent, and the other way round (picqer README, #646).
  resetHeaders: ['x-ratelimit-minutely-reset', 'x-ratelimit-reset'],
  rules: [
    {
      when: { status: [429] },
      do: 'retry',
      delaySeconds: 60,
      growth: 'exponential',
      comment: 'Too many calls in a minute or in a day; the reset headers tell when. The body is empty.',
      source: 'picqer/exact-php-client #528, #646',
    },
    {
      when: { status: [401], failures: 1 },
      do: 'reauthorize',
      comment:
        'A renewed token was refused as well. Each 401 counts towards ten errors an hour, so it is not tried a ' +
        'third time.',
      source: limit,
    },
    {
      when: { status: [401] },
      do: 'report_token',
      comment:
        'The access token was refused. It counts towards ten errors an hour that block the key: report it once, and ' +
        'do not loop.',
      source: limit,
    },
    {
      when: { status: ['4xx'] },
      do: 'correct_request',
      comment:
        'The request is wrong. 400, 403 and 404 count towards ten errors an hour that block the key: do not repeat it.',
      source: limit,
    },
    {
      when: { status: ['5xx'], safe: true },
      do: 'retry',
      delaySeconds: { from: 15, to: 30 },
      growth: 'exponential',
      comment: 'Perhaps an outage; a read does no harm when it is repeated, and a 5xx is not counted as an error.',
      source: limit,
    },
    {
      when: { status: ['5xx'] },
      do: 'correct_request',
      comment:
        'Exact answers errors of business logic with 500 and 503, for example a missing general ledger account: no ' +
        'outage, and the same again would fail again.',
      source: limit,
    },
  ],
} satisfies ApiPreset;
