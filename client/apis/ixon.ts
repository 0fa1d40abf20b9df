/** IXON Cloud APIv2, for users and service accounts. The statuses of single messages are not documented. */
import type { ApiPreset } from '../api-rules.ts';

const errors = "IXON's page on common errors";
const authorization = '"propertyName"\\s*:\\s*"Authorization"';
const message = (matches: string) => ({ path: 'data.message', matches });

export default {
  providers: ['ixon-user', 'ixon-service-account'],
  format: 'json',
  descriptions: ['data.message'],
  rules: [
    {
      when: { unanswered: true },
      do: 'retry',
      delaySeconds: { from: 1, to: 5 },
      growth: 'exponential',
      mayHaveActed: true,
      comment:
        'A network error: repeat with growing delays until there is an answer. If it always comes back, look at the ' +
        'network.',
      source: errors,
    },
    {
      when: { status: [429] },
      do: 'retry',
      delaySeconds: 600,
      growth: 'constant',
      comment:
        'The limit is per source address, and a block stays for ten minutes for all clients behind that address.',
      source: 'developer.ixon.cloud/docs/api-rate-limits',
    },
    {
      when: { status: ['4xx'], body: '2FA is required' },
      do: 'reauthorize',
      comment:
        'The token was made without the second factor that a role enforces: put settings.otp_seed, or use a service ' +
        'account.',
      source: errors,
    },
    {
      when: { status: ['4xx'], member: message('^Invalid value'), body: authorization, failures: 1 },
      do: 'reauthorize',
      comment:
        'A new token was refused as well: the credentials that it is made of are wrong, or the key was replaced. ' +
        'Put them.',
      source: errors,
    },
    {
      when: { status: ['4xx'], member: message('^Invalid value'), body: authorization },
      do: 'report_token',
      comment: 'The token has expired, or the credentials that it was made of were wrong.',
      source: errors,
    },
    {
      when: {
        status: ['4xx'],
        member: message('^Value is too (?:short|long)|must start with a type|does not match regex'),
        body: authorization,
        failures: 1,
      },
      do: 'correct_request',
      comment:
        'The header Authorization went wrong in its encoding, and a new token did not help: send the headers as GET ' +
        '/token gives them.',
      source: errors,
    },
    {
      when: {
        status: ['4xx'],
        member: message('^Value is too (?:short|long)|must start with a type|does not match regex'),
        body: authorization,
      },
      do: 'report_token',
      comment:
        'The token went wrong when it was made or encoded; IXON says to make it again. Look at how the header is ' +
        'sent, too.',
      source: errors,
    },
    {
      when: { status: ['4xx'], member: message('^Required header') },
      do: 'correct_request',
      comment: 'A header is missing; propertyName tells which, for example Api-Company.',
      source: errors,
    },
    {
      when: { status: ['4xx'] },
      do: 'correct_request',
      comment:
        'The request is invalid; message and propertyName tell which part, for example a wrong public id in ' +
        'Api-Company.',
      source: errors,
    },
    {
      when: { status: [504] },
      do: 'retry',
      delaySeconds: { from: 15, to: 30 },
      growth: 'exponential',
      mayHaveActed: true,
      comment: 'It took more than 60 seconds: ask for less at a time.',
      source: errors,
    },
    {
      when: { status: ['5xx'] },
      do: 'retry',
      delaySeconds: { from: 15, to: 30 },
      growth: 'exponential',
      mayHaveActed: true,
      comment: 'A server of IXON failed, most likely during an incident. The delay is our choice.',
      source: errors,
    },
  ],
} satisfies ApiPreset;
