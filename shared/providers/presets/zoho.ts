/**
 * Zoho Books and its sisters. Twenty refresh tokens a user, and 15 to 30 access tokens alive for each: the oldest is
 * dropped.
 */
import type { Preset } from '../preset.ts';

export default {
  name: 'zoho',
  title: 'Zoho',
  facts: {
    grant: 'refresh_token', // [V] zoho.com, OAuth token validity
    tokenEndpoint: 'https://accounts.{region}/oauth/v2/token', // [V] the same
    authorizationEndpoint: 'https://accounts.{region}/oauth/v2/auth', // [R]
    revocationEndpoint: 'https://accounts.{region}/oauth/v2/token/revoke', // [R]
    clientAuthentication: 'client_secret_post', // [V] zoho.com, OAuth token validity
    pkce: 'S256', // [ours] No refusal is known, and a server ignores what it does not know (RFC 6749 §3.1).
    accountsServerParameter: 'accounts-server', // [V2] asciisd/zoho#18
    // Without them there is no refresh token the second time.
    authorizationParameters: { access_type: 'offline', prompt: 'consent' }, // [R]
    scope: 'ZohoBooks.fullaccess.all', // [R]
    lifetimeSeconds: 3_600, // [V] zoho.com, OAuth token validity
    expiresInUnit: 'seconds', // [V] the same
    minTokenAgeSeconds: 0, // [V] The limit is another: ten access tokens in ten minutes.
    marginSeconds: 60, // [ours]
    rotation: 'none', // [V] zoho.com, OAuth token validity: never expires
  },
  settings: {
    region: {
      kind: 'choice',
      choices: ['com', 'eu', 'in', 'com.au', 'jp', 'ca', 'sa', 'uk', 'com.cn'],
      standsFor: {
        com: 'zoho.com',
        eu: 'zoho.eu',
        in: 'zoho.in',
        'com.au': 'zoho.com.au',
        jp: 'zoho.jp',
        ca: 'zohocloud.ca',
        sa: 'zoho.sa',
        uk: 'zoho.uk',
        'com.cn': 'zoho.com.cn',
      },
      description: "The data centre of the account: what its address ends in. A login's callback names it as location.",
    },
    location: {
      kind: 'text',
      callback: 'location',
      description: 'The data centre of the account, as a login tells it.',
    },
    accounts_server: {
      kind: 'text',
      callback: 'accounts-server',
      description: "The data centre's address, as a login tells it.",
    },
    api_domain: {
      kind: 'text',
      pattern: 'https://[a-z0-9.-]+',
      reply: 'api_domain',
      description: 'Where the API is called. Replies tell it.',
    },
    scope: { kind: 'text', replaces: 'scope', description: 'Scopes, separated by commas.' },
  },
  reply: { format: 'json', endpoint: { path: 'api_domain' } },
  retryDelaysSeconds: { default: 5, time_out: 1, http_429: 60, http_500: 15, access_denied: 600 },
  errorRules: [
    {
      name: 'too_many_tokens',
      when: { error: ['Access Denied'] },
      class: 'transient',
      retryAfterSeconds: 600,
      comment: 'More than ten access tokens within ten minutes; "You have made too many requests continuously".',
      source: 'zoho.com, OAuth token validity',
    },
    {
      name: 'invalid_code',
      when: { error: ['invalid_code'] },
      class: 'dead_grant',
      cause: 'invalid_grant',
      comment: 'A revoked refresh token, or one of another data centre; told with 200 (recalled).',
      source: 'zoho.com, OAuth token validity',
    },
    {
      name: 'invalid_client',
      when: { error: ['invalid_client', 'invalid_client_secret'] },
      class: 'misconfigured',
      cause: 'invalid_client',
      comment: 'Also with 200, and where the client is registered in another data centre (recalled).',
      source: 'recalled',
    },
  ],
} satisfies Preset;
