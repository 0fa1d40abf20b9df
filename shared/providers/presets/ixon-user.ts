/**
 * IXON Cloud APIv2, as a user. A service account is what IXON recommends, see ixon-service-account. Minting again adds
 * a token and leaves the old one ([V], inferred). Whether a one-time password may be used twice is not known: nothing
 * here asks twice within its 30 s, but a refresher that dies in the call is followed after 18 s, perhaps with the same
 * one.
 */
import type { Preset } from '../preset.ts';

export default {
  name: 'ixon-user',
  title: 'IXON Cloud (user)',
  facts: {
    grant: 'mint', // [V] IXON's OpenAPI: POST /access-tokens; there is no refresh token.
    tokenEndpoint: 'https://{host}/api/access-tokens?fields=publicId,secretId,expiresOn', // [V] the same, `servers`; replies are sparse by default ([R])
    clientAuthentication: 'none', // [V2] The user is in the request itself.
    lifetimeSeconds: 86_400, // [ours] Replies tell; what is asked for by default.
    expiresInUnit: 'seconds', // [V] expiresOn is an instant.
    // The next token is never asked for with the same one-time password (RFC 6238 §5.2: it works once).
    minTokenAgeSeconds: 31, // [ours]
    marginSeconds: 60, // [ours]
    rotation: 'none', // [V] There is no refresh token.
  },
  settings: {
    host: {
      kind: 'choice',
      choices: ['portal.ixon.cloud', 'cloudvpn.acirroplus.com'],
      default: 'portal.ixon.cloud',
      description: 'The portal; the second is white-label.',
    },
    application_id: {
      kind: 'text',
      required: true,
      pattern: '[0-9a-zA-Z]{12}',
      description: 'The Application ID, for the header Api-Application.',
    },
    company_id: {
      kind: 'text',
      pattern: '(?:\\d{4}-){4}\\d{4}',
      description: 'The company, for the header Api-Company; absent for calls without one.',
    },
    email: { kind: 'text', required: true, pattern: '[^:@\\s]+@[^:@\\s]+', description: 'The user to sign in as.' },
    password: { kind: 'secret', required: true, description: "The user's password." },
    otp_seed: {
      kind: 'secret',
      format: 'totp_seed',
      description: 'The seed of the one-time passwords, where two factors are enforced.',
    },
    token_lifetime_seconds: {
      kind: 'duration',
      least: 60,
      most: 5_184_000,
      default: 86_400,
      description: 'How long an access token is to live.',
    },
  },
  request: {
    headers: { 'Api-Version': '2', 'Api-Application': '{application_id}' },
    // Three public C# clients; without a second factor the middle is empty.
    basic: '{email}:{otp}:{password}',
    oneTimePassword: 'otp_seed',
    body: { json: { expiresIn: '{token_lifetime_seconds}' } },
  },
  reply: {
    format: 'json',
    accessToken: 'data.secretId',
    expiry: 'data.expiresOn',
    // "Invalid value" alone says little: the header or property that it is about stands for the code.
    errors: ['data.propertyName'],
    descriptions: ['data.message'],
  },
  headers: {
    Authorization: 'Bearer {access_token}',
    'Api-Version': '2',
    'Api-Application': '{application_id}',
    'Api-Company': '{company_id}',
  },
  // A one-time password lives 30 s: the next attempt has another. After a 429 the source address is blocked for ten
  // minutes.
  retryDelaysSeconds: { default: 31, http_429: 600 },
  errorRules: [
    {
      name: 'second_factor_required',
      when: { body: '2FA is required' },
      class: 'misconfigured',
      cause: 'invalid_client',
      fix: 'A role of this user enforces two factors: give settings.otp_seed, or use the preset ixon-service-account.',
      comment: 'A role enforces two factors.',
      source: "IXON's page on common errors",
    },
    {
      name: 'credentials_refused',
      when: {
        member: { path: 'data.message', matches: '^Invalid value' },
        body: '"propertyName"\\s*:\\s*"Authorization"',
      },
      class: 'misconfigured',
      cause: 'invalid_client',
      fix: 'Check settings.email, settings.password and, where two factors are on, settings.otp_seed.',
      comment: 'E-mail address, password or one-time password is wrong. The status is not documented.',
      source: "IXON's page on common errors",
    },
    {
      name: 'credentials_encoding',
      when: {
        member: {
          path: 'data.message',
          matches: '^Value is too (?:short|long)|must start with a type|does not match regex',
        },
      },
      class: 'misconfigured',
      cause: 'invalid_request',
      comment: 'A credential went wrong in its encoding.',
      source: "IXON's page on common errors",
    },
    {
      name: 'request_refused',
      when: { member: { path: 'data.message', matches: '^(?:Required header|Invalid value)' } },
      class: 'misconfigured',
      cause: 'invalid_request',
      fix: 'Check settings.application_id and settings.company_id.',
      comment: 'Another header or value.',
      source: "IXON's page on common errors",
    },
    {
      name: 'address_blocked',
      when: { status: [429] },
      class: 'transient',
      retryAfterSeconds: 600,
      comment: 'The limit is per source address, and a block lasts ten minutes.',
      source: 'developer.ixon.cloud/docs/api-rate-limits',
    },
    {
      name: 'not_understood',
      when: { status: [400, 401, 403, 409, 418, 422] },
      class: 'transient',
      retryAfterSeconds: 1_800,
      comment: 'Not understood; our choice of a delay that locks no account.',
      source: "IXON's page on common errors says of 4xx only that the request is invalid",
    },
  ],
} satisfies Preset;
