/** What one server wants of a request that another does not. */
import { generateKeyPairSync } from 'node:crypto';
import type { FieldCase } from '../case.ts';

const tokens = { body: { access_token: 'at-1', expires_in: 3_600 } };
const settled = { status: { state: 'active' }, served: { access_token: 'at-1' } };

const wants = (source: string, what: string, settings: object, form: object, headers: object = {}): FieldCase => ({
  source,
  what,
  settings: { ...settings },
  answers: [tokens],
  hours: 1,
  expected: { ...settled, request: { form, headers } },
});

const clientCredentials = { grant: 'client_credentials' };
const withoutGrant = { put: { refresh_token: null } };

export const requests: readonly FieldCase[] = [
  wants(
    'n8n#16573',
    'a form type without a character set',
    {},
    {},
    { 'content-type': 'application/x-www-form-urlencoded' },
  ),
  wants('windmill#8540', 'scope at a refresh', { scope: 'a b', scope_at_refresh: 'sent' }, { scope: 'a b' }),
  wants(
    'requests-oauthlib#437',
    'redirect_uri at a refresh',
    { refresh_redirect_uri: 'https://app.example/cb' },
    { redirect_uri: 'https://app.example/cb' },
  ),
  wants(
    'keycloak#20671',
    'audience at a refresh',
    { audience: 'https://api.example' },
    { audience: 'https://api.example' },
  ),
  wants(
    'RFC 8707',
    'resource at a refresh',
    { resource: 'https://api.example/' },
    { resource: 'https://api.example/' },
  ),
  {
    ...wants(
      'Duende foss#145',
      'audience and resource with client credentials',
      { ...clientCredentials, audience: 'https://api.example', resource: 'urn:x' },
      { grant_type: 'client_credentials', audience: 'https://api.example', resource: 'urn:x' },
    ),
    ...withoutGrant,
  },
  wants(
    'athenaFlex#55',
    'client_id in the body beside Basic',
    { client_id_in_body: 'sent' },
    { client_id: 'field' },
    { authorization: expect_basic() },
  ),
  {
    ...wants('of this kind', 'a JSON body', { request_format: 'json' }, {}, { 'content-type': 'application/json' }),
    expected: {
      ...settled,
      request: { body: '{"refresh_token":"rt-0","grant_type":"refresh_token"}' },
    },
  },
  {
    source: 'thunderid#4220',
    what: 'an audience that has no issuer',
    settings: { client_authentication: 'private_key_jwt', assertion_audience: 'issuer', private_key: key() },
    put: { client: { client_id: 'field' } },
    answers: [tokens],
    expected: { faults: [{ path: 'settings.assertion_audience' }] },
  },
];

function expect_basic(): unknown {
  return { asymmetricMatch: (value: unknown) => /^Basic /.test(String(value)), toString: () => 'Basic …' };
}

function key(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
