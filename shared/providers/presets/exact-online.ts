/**
 * Exact Online. Read in clients' source code and in quotations of Exact's own pages, which cannot be reached by
 * machines; nothing was tried against the live endpoint. The marks are those of docs/providers.md.
 */
import type { Preset } from '../preset.ts';

export default {
  name: 'exact-online',
  title: 'Exact Online',
  facts: {
    grant: 'refresh_token', // [V] Authorization code with refresh; no client_credentials (ruby-client #59).
    // The host is the customer's country.
    // NangoHQ/nango providers.yaml; picqer Connection.php
    tokenEndpoint: 'https://start.exactonline.{country}/api/oauth2/token', // [V]
    authorizationEndpoint: 'https://start.exactonline.{country}/api/oauth2/auth', // [V] the same
    // What every client sends; HTTP Basic is accepted too (Nango ships it).
    clientAuthentication: 'client_secret_post', // [V]
    pkce: 'S256', // [ours] No refusal is known, and a server ignores what it does not know (RFC 6749 §3.1).
    exclusivePer: 'client_and_user', // [V2] forums.invantive.com/t/1838: a second authorization breaks the first.
    lifetimeSeconds: 600, // [V] "600", a text, in picqer's fixtures
    expiresInUnit: 'seconds', // [V] the same
    // 570 s from the receipt of the previous token (docs.maesn.com/rate-limits, forums.invantive.com/t/1229), and two
    // clocks' skew of 2 s each: 571 gave errors in simulation, 573 none. A renewal that is too early counts towards 10
    // errors an hour.
    minTokenAgeSeconds: 574, // [V2] 570; the rest is ours
    marginSeconds: 30, // [V2] What that rule leaves of 600 s.
    rotation: 'single_use', // [V2] forums.invantive.com/t/2903. No grace period was found.
    refreshTokenIdleSeconds: 30 * 86_400, // [V2] forums.invantive.com/t/2903
    keepAliveSeconds: 7 * 86_400, // [ours]
    errorsPerHour: 8, // [V] 10 block the API key (Invantive's analysis of July 2021); we stop before.
    // 200 were announced, but are not in Exact's final list: a soft cap of ours below them. A token in use needs 151.
    callsPerDay: 190, // [C]
  },
  settings: {
    country: {
      kind: 'choice',
      description:
        "The end of the customer's address, start.exactonline.…; another country's token endpoint does not know " +
        'the client.',
      choices: ['nl', 'be', 'de', 'fr', 'es', 'co.uk', 'com'],
    },
  },
  // Our choices, but for 429: one minute is the shortest window of Exact's rate limits.
  retryDelaysSeconds: { default: 5, time_out: 1, http_429: 60, http_500: 15 },
  // Epoch milliseconds; on a minutely 429 the daily header is absent, and the other way round (picqer README, #646).
  resetHeaders: ['x-ratelimit-minutely-reset', 'x-ratelimit-reset'],
  errorRules: [
    {
      name: 'too_early',
      when: { status: ['4xx'], body: 'TooEarlyToRefresh|access_token not expired' },
      class: 'too_early',
      comment: 'Exact says access_denied; nothing is denied, the token in hand stays good.',
      source: 'websmurf/laravel-exact-online #31',
    },
    {
      name: 'too_early_by_header',
      when: { status: ['4xx'], header: { name: 'reason', matches: 'TooEarlyToRefresh|access_token not expired' } },
      class: 'too_early',
      comment: 'The same in a header of its own.',
      source: 'picqer/exact-php-client parseExceptionForErrorMessages',
    },
    {
      name: 'refresh_token_used',
      when: { status: [400, 401], description: 'old refresh token used' },
      class: 'dead_grant',
      cause: 'refresh_token_reused',
      comment:
        'unauthorized_client by code, a used refresh token in fact: a race, a lost reply or a second authorization.',
      source: 'picqer/exact-php-client #644; as a 400 forums.invantive.com/t/1838',
    },
    {
      name: 'refresh_token_expired',
      when: { status: [400, 401], description: 'refresh token (?:has )?expired' },
      class: 'dead_grant',
      cause: 'refresh_token_expired',
      comment: 'invalid_request by code; not used for 30 days in fact.',
      source: 'websmurf/laravel-exact-online #22, #23',
    },
    {
      name: 'chain_replaced',
      when: { status: ['4xx'], description: 'chainId' },
      class: 'dead_grant',
      cause: 'invalid_grant',
      comment: 'Another authorization of the same user and app has replaced this one.',
      source: 'picqer/exact-php-client #471',
    },
    {
      name: 'invalid_grant',
      when: { status: ['4xx'], error: ['invalid_grant'] },
      class: 'dead_grant',
      cause: 'invalid_grant',
      comment: 'The code that RFC 6749 gives it.',
      source: 'websmurf/laravel-exact-online #25',
    },
    {
      name: 'invalid_client',
      when: { status: ['4xx'], error: ['invalid_client'] },
      class: 'misconfigured',
      cause: 'invalid_client',
      comment: 'Wrong or deleted client; the refresh token is kept.',
      source: 'websmurf/laravel-exact-online #28',
    },
    {
      name: 'another_country',
      when: { status: ['4xx'], body: 'client with identifier .*not found' },
      class: 'misconfigured',
      cause: 'invalid_client',
      fix: "Set settings.country to the customer's: its token endpoint does not know this client.",
      comment: 'The client is registered in another country.',
      source: 'picqer/exact-php-client #617',
    },
    {
      name: 'too_many_requests',
      when: { status: [429] },
      class: 'transient',
      comment: 'The body is empty; the reset headers tell when.',
      source: 'picqer/exact-php-client #528',
    },
    {
      name: 'gateway_fault',
      when: { body: '^\\s*\\{\\s*"fault"\\s*:' },
      class: 'in_doubt',
      comment: 'The gateway failed; Exact has been seen to rotate before that.',
      source: 'exactonline/exactonline-api-dotnet-client #152',
    },
    {
      name: 'not_understood',
      when: { status: [400, 401, 403, 409, 422] },
      class: 'transient',
      retryAfterSeconds: 1_800,
      comment:
        'Not understood. Two attempts an hour leave room below the 10 errors an hour that block the API key; our ' +
        'choice.',
      source: 'forums.invantive.com/t/1229 (the limit)',
    },
  ],
} satisfies Preset;
