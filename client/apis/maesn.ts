/** Maesn's unified API: its own errors, and those of the system behind it in `downstreamErrors`. */
import type { ApiPreset } from '../api-rules.ts';

const table = "Maesn's page on error handling";
/** A list with something in it. */
const downstream = '"downstreamErrors"\\s*:\\s*\\[\\s*[^\\]\\s]';

export default {
  providers: ['maesn'],
  format: 'json',
  descriptions: ['downstreamErrors.message', 'downstreamErrors', 'errors.message', 'errors'],
  rules: [
    {
      when: { status: [429] },
      do: 'retry',
      delaySeconds: 60,
      growth: 'exponential',
      comment: 'Too many requests, mostly at the system behind Maesn: one minute, then twice as long each time.',
      source: `${table}; docs.maesn.com/guides/error-handling-v2 (Retry-After)`,
    },
    {
      when: { status: [401] },
      do: 'reauthorize',
      comment:
        'The account key is not valid any more: the grant at the system behind Maesn has ended, and the end user ' +
        'has to reconnect.',
      source: table,
    },
    {
      when: { status: [403] },
      do: 'correct_request',
      comment: 'X-API-KEY or X-ACCOUNT-KEY is not the right one for this request, or the user is inactive.',
      source: `${table}; docs.maesn.com/guides/error-handling-v2`,
    },
    {
      when: { status: [404] },
      do: 'correct_request',
      comment: 'Maesn did not find it: look at path and host.',
      source: table,
    },
    {
      when: { status: [405] },
      do: 'correct_request',
      comment: 'The system behind Maesn does not support this.',
      source: table,
    },
    {
      when: { status: ['5xx'], body: downstream },
      do: 'correct_request',
      comment:
        'An error of the system behind Maesn, for example a general ledger account that does not exist: ' +
        'downstreamErrors tells which.',
      source: table,
    },
    {
      when: { status: ['5xx'] },
      do: 'retry',
      delaySeconds: { from: 15, to: 30 },
      growth: 'exponential',
      mayHaveActed: true,
      comment: 'Maesn failed: 15 to 30 seconds, then twice as long each time. If it goes on, ask its support.',
      source: table,
    },
    {
      when: { status: ['4xx'] },
      do: 'correct_request',
      comment:
        'The request is wrong, or the system behind Maesn does not have what it is about; errors and ' +
        'downstreamErrors tell more.',
      source: table,
    },
  ],
} satisfies ApiPreset;
