import { describe, expect, test } from 'vitest';
import { classify } from '../../shared/domain/classify.ts';
import { movedStatuses } from '../../shared/domain/common-error-rules.ts';
import { dialectOf } from '../../shared/providers/dialect.ts';
import { knownPresets } from '../../shared/providers/presets/index.ts';
import { now } from './loopback.ts';

const settings: Readonly<Record<string, Record<string, string>>> = {
  zoho: { region: 'eu' },
  'business-central': { tenant: 'contoso.onmicrosoft.com' },
  'sage-intacct-client-credentials': { username: 'ws@company' },
};

/** What a reply of the provider's token endpoint comes to. */
function outcome(provider: string, status: number, body: object, headers: Record<string, string> = {}) {
  const answer = { kind: 'reply', status, headers, body: JSON.stringify(body) } as const;
  return classify(
    answer,
    { requestedAt: now, receivedAt: now },
    [],
    dialectOf({ provider, settings: { token_endpoint: 'https://id.example.com/token', ...settings[provider] } }),
  );
}

const entra = (code: string, error = 'invalid_grant') => ({
  error,
  error_description: `${code}: the words for it. Trace ID: 1`,
});
const intacct = (errorId: string, code = 'invalidRequest') => ({
  'ia::result': { 'ia::error': { code, message: 'no', errorId } },
});

// The replies are those of the providers' pages and of clients' issues; the presets say of each where it was read.
describe('what a token endpoint says', () => {
  test.each<[string, number, object, object]>([
    [
      'sage-intacct-rest',
      400,
      intacct('REST-1216'),
      { class: 'misconfigured', cause: 'invalid_client', code: 'rest-1216', description: 'no' },
    ],
    [
      'sage-intacct-rest',
      401,
      { error: { code: 'tokenInvalid', errorId: 'REST-2102', message: 'x' } },
      { class: 'dead_grant', code: 'rest-2102' },
    ],
    ['sage-intacct-rest', 400, { error: 'invalid_grant' }, { class: 'dead_grant', cause: 'invalid_grant' }],
    ['sage-intacct-rest', 401, { error: 'invalid_client' }, { class: 'misconfigured', cause: 'invalid_client' }],
    ['sage-intacct-rest', 400, intacct('GW-0011'), { class: 'misconfigured' }],
    [
      'sage-intacct-client-credentials',
      400,
      { error: 'invalid_grant' },
      { class: 'misconfigured', cause: 'invalid_client' },
    ],
    [
      'hubspot',
      400,
      { status: 'BAD_REFRESH_TOKEN', message: 'missing or invalid refresh token' },
      { class: 'dead_grant', code: 'bad_refresh_token' },
    ],
    [
      'hubspot',
      400,
      { status: 'BAD_CLIENT_SECRET', message: 'x' },
      { class: 'misconfigured', cause: 'invalid_client' },
    ],
    ['zoho', 200, { error: 'invalid_code' }, { class: 'dead_grant', cause: 'invalid_grant', status: 200 }],
    ['zoho', 200, { error: 'invalid_client' }, { class: 'misconfigured' }],
    [
      'zoho',
      400,
      {
        error: 'Access Denied',
        error_description: 'You have made too many requests continuously. Please try again after some time.',
      },
      { class: 'transient', code: 'access_denied', retryAt: now + 600_000 },
    ],
    ['business-central', 400, entra('AADSTS700082'), { class: 'dead_grant', cause: 'refresh_token_expired' }],
    ['business-central', 400, entra('AADSTS50173'), { class: 'dead_grant', cause: 'invalid_grant' }],
    ['business-central', 400, entra('AADSTS50076'), { class: 'dead_grant', cause: 'invalid_grant' }],
    [
      'business-central',
      401,
      entra('AADSTS7000215', 'invalid_client'),
      { class: 'misconfigured', cause: 'invalid_client' },
    ],
    [
      'business-central',
      400,
      entra('AADSTS90033', 'temporarily_unavailable'),
      { class: 'transient', retryAt: now + 60_000 },
    ],
    [
      'fortnox',
      400,
      { error: 'invalid_request', error_description: 'Invalid refresh token' },
      { class: 'dead_grant', cause: 'invalid_grant' },
    ],
    [
      'generic-oauth2',
      400,
      { error: 'invalid_grant', error_description: 'Maximum allowed refresh token reuse exceeded' },
      { class: 'dead_grant', cause: 'refresh_token_reused' },
    ],
    [
      'generic-oauth2',
      400,
      { error: 'invalid_grant', error_description: 'Refresh token already exchanged.' },
      { class: 'dead_grant', cause: 'refresh_token_reused' },
    ],
    [
      'generic-oauth2',
      400,
      { error: 'invalid_grant', error_description: 'The refresh token is expired or was already used.' },
      { class: 'dead_grant', cause: 'invalid_grant' },
    ],
    ['quickbooks', 400, { error: 'invalid_grant' }, { class: 'dead_grant', cause: 'invalid_grant' }],
    [
      'google',
      400,
      { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' },
      { class: 'dead_grant' },
    ],
  ])('%s, %i %j', (provider, status, body, expected) => {
    expect(outcome(provider, status, body)).toMatchObject({ kind: 'failure', ...expected });
  });

  test('Intacct, throttled, says when to come back', () => {
    const answer = outcome('sage-intacct-rest', 429, intacct('GW-0010'), {
      'x-ia-minute-rate-limit-retry-after': '17',
    });
    expect(answer).toMatchObject({ class: 'transient', code: 'http_429', retryAt: now + 17_000 });
    const dated = outcome('sage-intacct-rest', 429, intacct('GW-0010'), {
      'x-ia-throttle-limit-retry-after': 'Sun, 01 Mar 2026 12:00:18 GMT',
    });
    expect(dated).toMatchObject({ retryAt: now + 18_000 });
  });
});

describe('what comes with a token', () => {
  test.each([
    ['salesforce', { instance_url: 'https://acme.my.salesforce.com' }, 'https://acme.my.salesforce.com/'],
    ['zoho', { api_domain: 'https://www.zohoapis.eu' }, 'https://www.zohoapis.eu/'],
  ])('%s tells where to call it', (provider, body, endpoint) => {
    expect(outcome(provider, 200, { access_token: 'a', ...body })).toMatchObject({
      kind: 'success',
      tokens: { companions: { endpoint } },
    });
  });

  test('an endpoint in clear text is refused, its refresh token is kept', () => {
    const answer = outcome('salesforce', 200, {
      access_token: 'a',
      refresh_token: 'r',
      instance_url: 'http://acme.my.salesforce.com',
    });
    if (answer.kind === 'success') throw new Error('a success');
    expect(answer).toMatchObject({ class: 'transient', code: 'endpoint_not_allowed' });
    expect(answer.refreshToken?.reveal()).toBe('r');
  });

  test('a reply without an endpoint is none the worse, where no host is prescribed', () => {
    expect(outcome('salesforce', 200, { access_token: 'a' })).toMatchObject({ kind: 'success' });
  });
});

test.each(Object.values(knownPresets).map(({ name }) => name))(
  'a token endpoint of %s that moved is known as such',
  (name) => {
    for (const status of movedStatuses) {
      expect(outcome(name, status, {})).toMatchObject({
        class: 'transient',
        rule: 'moved_endpoint',
        misconfiguredAfter: 8,
      });
      expect(outcome(name, status, { message: 'Not Found' })).toMatchObject({ rule: 'moved_endpoint' });
    }
  },
);
