/**
 * Any authorization server that follows RFC 6749. Where a server may differ, there is a setting; its default is the
 * fact here.
 */
import type { Preset } from '../preset.ts';

export default {
  name: 'generic-oauth2',
  title: 'OAuth 2.0 (RFC 6749)',
  facts: {
    grant: 'refresh_token', // [ours] A setting changes it.
    // What every server that issues passwords to clients must support (RFC 6749 §2.3.1).
    clientAuthentication: 'client_secret_basic', // [V]
    // RFC 8707 §2; `audience` is Auth0's name for it.
    authorizationParameters: { audience: '{audience}', resource: '{resource}' }, // [V]
    tokenParameters: { audience: '{audience}', resource: '{resource}' }, // [V] the same
    refreshParameters: { redirect_uri: '{refresh_redirect_uri}' }, // [ours] For servers that want it.
    // A server that does not know it ignores it (RFC 6749 §3.1); RFC 9700 §2.1.1 wants it of every client.
    pkce: 'S256', // [V]
    lifetimeSeconds: 3_600, // [ours] The RFC's examples, and most providers.
    expiresInUnit: 'seconds', // [V] RFC 6749 §5.1
    minTokenAgeSeconds: 0, // [ours] The RFC knows no such rule.
    marginSeconds: 30, // [ours] Long enough for a killed refresher to be taken over.
    rotation: 'single_use', // [ours] Unknown, so the worst: a second use may revoke the grant (RFC 9700 §4.14.2).
    keepAliveSeconds: 7 * 86_400, // [ours] Shorter than most known idle limits.
  },
  settings: {
    issuer: {
      kind: 'issuer',
      description:
        'The authorization server (RFC 8414, OpenID Connect Discovery): endpoints that are not given are ' +
        'discovered when the connection is put.',
    },
    token_endpoint: {
      kind: 'url',
      required: true,
      replaces: 'tokenEndpoint',
      description: 'The token endpoint (RFC 6749 §3.2), https; or an issuer.',
    },
    authorization_endpoint: {
      kind: 'url',
      replaces: 'authorizationEndpoint',
      description: 'The authorization endpoint (RFC 6749 §3.1), to connect by a login.',
    },
    revocation_endpoint: {
      kind: 'url',
      replaces: 'revocationEndpoint',
      description: 'The revocation endpoint (RFC 7009).',
    },
    iss_parameter: {
      kind: 'choice',
      choices: ['required', 'optional'],
      description:
        'Whether whoever comes back from a login must bring the issuer along (RFC 9207). Discovered with an issuer.',
    },
    client_authentication: {
      kind: 'choice',
      choices: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
      replaces: 'clientAuthentication',
      description:
        'How the client authenticates. Some servers do not decode what client_secret_basic encodes; try ' +
        'client_secret_post there.',
    },
    private_key: {
      kind: 'secret',
      format: 'private_key',
      description: 'The key of private_key_jwt: PEM, or a JWK as JSON text.',
    },
    key_id: {
      kind: 'text',
      description: 'The key id (kid) that the server knows the public half by, if it asks for one.',
    },
    assertion_audience: {
      kind: 'choice',
      choices: ['issuer', 'endpoint'],
      replaces: 'assertionAudience',
      description:
        'Whom the assertion of private_key_jwt is for: the issuer (assumed where one is given), or the URL of ' +
        'the endpoint that it is sent to.',
    },
    client_id_in_body: {
      kind: 'choice',
      choices: ['sent', 'left_out'],
      replaces: 'clientIdInBody',
      description: 'sent: client_id is in the body, too, beside client_secret_basic.',
    },
    request_format: {
      kind: 'choice',
      choices: ['form', 'json'],
      replaces: 'requestFormat',
      description: 'json: for a server that wants the parameters of a token request as a JSON object.',
    },
    audience: { kind: 'text', description: 'The API that tokens are for, where a server asks for it by "audience".' },
    resource: { kind: 'text', description: 'The API that tokens are for, by its URI (RFC 8707).' },
    scope_at_refresh: {
      kind: 'choice',
      choices: ['sent', 'left_out'],
      replaces: 'refreshScope',
      description: 'sent: for a server that wants the scope at every refresh.',
    },
    refresh_redirect_uri: {
      kind: 'text',
      description: 'For a server that wants redirect_uri at every refresh: the one that the login was made with.',
    },
    business_id: {
      kind: 'text',
      callback: 'businessId',
      reply: 'businessId',
      description:
        'MYOB: the company file. A login tells it, and nothing else does; give it for a refresh token that is ' +
        'imported.',
    },
    selling_partner_id: {
      kind: 'text',
      callback: 'selling_partner_id',
      reply: 'selling_partner_id',
      description: 'Amazon Selling Partner API: the seller. A login tells it.',
    },
    shop: { kind: 'text', callback: 'shop', reply: 'shop', description: 'Shopify: the shop. A login tells it.' },
    realm_id: {
      kind: 'text',
      callback: 'realmId',
      reply: 'realmId',
      description: 'The company, as Intuit calls it. A login or a reply tells it.',
    },
    tenant_id: {
      kind: 'text',
      callback: 'tenant_id',
      reply: 'tenant_id',
      description: 'The tenant. A login or a reply tells it.',
    },
    company_id: {
      kind: 'text',
      callback: 'company_id',
      reply: 'company_id',
      description: 'The company. A login or a reply tells it.',
    },
    account_id: {
      kind: 'text',
      callback: 'account_id',
      reply: 'account_id',
      description: 'The account. A login or a reply tells it.',
    },
    instance_url: { kind: 'text', reply: 'instance_url', description: 'Where the API is called. Replies tell it.' },
    api_domain: { kind: 'text', reply: 'api_domain', description: 'Where the API is called. Replies tell it.' },
    pkce: {
      kind: 'choice',
      choices: ['S256', 'none'],
      replaces: 'pkce',
      description: 'none: for a server that refuses what it does not know.',
    },
    grant: {
      kind: 'choice',
      choices: ['refresh_token', 'client_credentials'],
      replaces: 'grant',
      description: 'How access tokens are obtained.',
    },
    scope: {
      kind: 'text',
      replaces: 'scope',
      description:
        'Scopes, separated by spaces. Asked for by a login and with client_credentials; a refresh keeps what was ' +
        'granted.',
    },
    refresh_token_rotation: {
      kind: 'choice',
      choices: ['single_use', 'grace', 'until_successor_used', 'none'],
      replaces: 'rotation',
      description:
        'single_use: a used refresh token is dead at once (assumed). grace: it may be sent again for ' +
        'grace_seconds. until_successor_used: until what it brought is used. none: it stays good.',
    },
    grace_seconds: {
      kind: 'duration',
      least: 0,
      most: 30 * 86_400,
      replaces: 'graceSeconds',
      description: 'How long a used refresh token may be sent again; needs refresh_token_rotation "grace".',
    },
    renewal_ends: {
      kind: 'choice',
      choices: ['previous_token', 'nothing'],
      replaces: 'renewalEnds',
      description:
        'previous_token: a renewal ends the access token of before at once. Then tokens are renewed late, and ' +
        'clients are told so.',
    },
    min_token_age_seconds: {
      kind: 'duration',
      least: 0,
      most: 86_400,
      replaces: 'minTokenAgeSeconds',
      description: 'The server refuses to renew a token that is younger. Add a few seconds: two clocks differ.',
    },
    lifetime_seconds: {
      kind: 'duration',
      least: 1,
      most: 366 * 86_400,
      replaces: 'lifetimeSeconds',
      description: 'Lifetime of an access token, where replies do not tell (expires_in).',
    },
    expires_in_unit: {
      kind: 'choice',
      choices: ['seconds', 'milliseconds'],
      replaces: 'expiresInUnit',
      description: 'Unit of expires_in.',
    },
  },
  errorRules: [],
} satisfies Preset;
