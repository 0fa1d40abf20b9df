/**
 * Sage Intacct, XML Web Services: a session instead of a token. A client puts the session id (`access_token`) and its
 * own sender credentials into every request, and sends it to `endpoint`. Each call prolongs a session, but the broker
 * does not see the calls: it takes the time-out it was told for the end. A new session leaves the old one as it was
 * ([R]).
 */
import type { Preset } from '../preset.ts';

export default {
  name: 'sage-intacct-xml',
  title: 'Sage Intacct (XML)',
  facts: {
    grant: 'mint', // [V] getAPISession: developer.intacct.com/api/company-console/api-sessions
    tokenEndpoint: 'https://api.intacct.com/ia/xml/xmlgw.phtml', // [V] Sage's SDK, Endpoint.ts
    clientAuthentication: 'none', // [V] Sender and user are in the request itself.
    tokenType: 'N_A', // [ours] RFC 8693 §2.2.1: what is no OAuth access token.
    lifetimeSeconds: 3_600, // [ours] Replies tell; how long is a setting of user and company (24 h in Sage's example).
    expiresInUnit: 'seconds', // [V] sessiontimeout is an instant, ISO 8601 with its offset.
    minTokenAgeSeconds: 0, // [NF]
    marginSeconds: 300, // [ours] providers advise several minutes.
    rotation: 'none', // [V] There is no refresh token.
  },
  settings: {
    sender_id: { kind: 'text', required: true, description: 'The Web Services sender id.' },
    sender_password: { kind: 'secret', required: true, description: "The sender's password." },
    company_id: { kind: 'text', required: true, description: 'The company to sign in to.' },
    user_id: {
      kind: 'text',
      required: true,
      description: 'The user to sign in as. Its password expires unless the company says otherwise.',
    },
    user_password: { kind: 'secret', required: true, description: "The user's password." },
    entity_id: { kind: 'text', description: 'Entity (location id) of the session; the top level if absent.' },
  },
  request: {
    headers: {},
    body: {
      // Order and names: Sage's SDK, ControlBlock.ts and LoginAuthentication.ts; getAPISession must be the only
      // function.
      xml: {
        request: {
          control: {
            senderid: '{sender_id}',
            password: '{sender_password}',
            controlid: '{unique_id}',
            uniqueid: 'false',
            dtdversion: '3.0',
            includewhitespace: 'false',
          },
          operation: {
            authentication: {
              login: {
                userid: '{user_id}',
                companyid: '{company_id}',
                locationid: '{entity_id}',
                password: '{user_password}',
              },
            },
            content: { function: { '@controlid': '{unique_id}', getAPISession: '' } },
          },
        },
      },
    },
  },
  reply: {
    format: 'xml',
    accessToken: 'response.operation.result.data.api.sessionid',
    expiry: 'response.operation.authentication.sessiontimeout',
    // Sage's SDK refuses other hosts too: the session, and later the sender's password, would go there.
    endpoint: { path: 'response.operation.result.data.api.endpoint', hosts: ['.intacct.com'] },
    // At control, authentication and function level; that of the second is seen in two places.
    errors: [
      'response.errormessage.error.errorno',
      'response.operation.errormessage.error.errorno',
      'response.operation.authentication.errormessage.error.errorno',
      'response.operation.result.errormessage.error.errorno',
    ],
    descriptions: [
      'response.errormessage.error.description2',
      'response.operation.errormessage.error.description2',
      'response.operation.authentication.errormessage.error.description2',
      'response.operation.result.errormessage.error.description2',
    ],
  },
  headers: {},
  errorRules: [
    {
      name: 'throttled',
      when: { error: ['GW-0010'] },
      class: 'transient',
      retryAfterSeconds: 60,
      comment: 'Throttled; told with 429.',
      source: "Sage's page on error handling",
    },
    {
      name: 'tenant_inactive',
      when: { error: ['GW-0011'] },
      class: 'misconfigured',
      cause: 'invalid_client',
      comment: 'Invalid Request: sender, client or tenant is inactive.',
      source: 'nango.dev/blog/fix-sage-intacct-oauth-token-invalid-refresh-failures',
    },
    {
      name: 'sender_refused',
      when: { error: ['XL03000006'], member: { path: 'response.control.status', matches: '^failure$' } },
      class: 'misconfigured',
      cause: 'invalid_client',
      fix:
        'Check settings.sender_id and settings.sender_password, and that settings.company_id has authorized that ' +
        'sender.',
      comment: 'Wrong sender id or password, or the sender is not authorized for the company. Nothing was run.',
      source: "Sage's SDK tests and page on error handling",
    },
    {
      name: 'xml_refused',
      when: { error: ['XL03000003'] },
      class: 'misconfigured',
      cause: 'invalid_request',
      comment: 'The XML was not understood: the next would not be either.',
      source: "Sage's page on error handling",
    },
    {
      name: 'sign_in_refused',
      when: { member: { path: 'response.operation.authentication.status', matches: '^failure$' } },
      class: 'misconfigured',
      cause: 'invalid_client',
      fix: 'Check settings.company_id, settings.user_id and settings.user_password; the password may have expired.',
      comment: 'Sign-in refused: company, user or password. To repeat it may lock the account ([R]).',
      source: "Sage's SDK tests and page on error handling",
    },
    {
      name: 'session_refused',
      when: { member: { path: 'response.operation.result.status', matches: '^failure$' } },
      class: 'misconfigured',
      cause: 'invalid_request',
      fix: 'Check settings.entity_id, and the rights of the user.',
      comment: 'Signed in, but no session: the entity, or a right of the user.',
      source: "Sage's page on error handling",
    },
    {
      name: 'control_failure',
      when: { member: { path: 'response.control.status', matches: '^failure$' } },
      class: 'transient',
      retryAfterSeconds: 300,
      comment: 'Another failure at control level. Nothing was run; the delay is our choice.',
      source: "Sage's page on error handling",
    },
  ],
} satisfies Preset;
