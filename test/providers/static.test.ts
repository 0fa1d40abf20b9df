import { describe, expect, test } from 'vitest';
import { openedTextOf, sealedTextOf } from '../../shared/application/sealed-token.ts';
import { Secret } from '../../shared/domain/secret.ts';
import { requestHeaders } from '../../shared/providers/headers.ts';
import { profileOf } from '../../shared/providers/profile.ts';
import { now, obtain, tokensOf } from './loopback.ts';

const keys = { api_key: 'tenant-key', account_key: 'account-key' };

/** The headers after the token was sealed by one function and opened by another. */
async function headersOf(
  provider: string,
  settings: Record<string, unknown>,
  secrets: Record<string, string>,
): Promise<Record<string, string>> {
  const tokens = tokensOf(await obtain(provider, settings, secrets));
  const { accessToken, companions } = openedTextOf(sealedTextOf(tokens));
  return requestHeaders(
    { provider, settings, renewal: 'always' },
    { accessToken, tokenType: tokens.tokenType, ...companions },
  );
}

describe('a stored key', () => {
  test('is the access token: no call is made', async () => {
    const tokens = tokensOf(await obtain('maesn', {}, keys));
    expect(tokens).toMatchObject({
      tokenType: 'N_A',
      requestedAt: now,
      receivedAt: now,
      expiresAt: now + 30 * 86_400_000,
    });
    expect(tokens.accessToken.reveal()).toBe('account-key');
    expect(JSON.stringify(tokens)).not.toMatch(/tenant-key|account-key/);
  });

  test('that is not there is told by its name', async () => {
    expect(await obtain('maesn', {}, { api_key: 'k' })).toEqual({
      kind: 'failure',
      class: 'transient',
      code: 'account_key_missing',
    });
  });

  test('has no refresh token: no slots, no waiting for earlier holders', () => {
    const config = { provider: 'maesn', settings: {}, renewal: 'always' } as const;
    expect(profileOf({ config } as Parameters<typeof profileOf>[0])).toMatchObject({
      grant: 'static',
      slots: 1,
      ambiguousRetry: 'at_once',
    });
  });
});

describe('headers', () => {
  test('of Maesn are both keys', async () => {
    expect(await headersOf('maesn', {}, keys)).toEqual({ 'X-API-KEY': 'tenant-key', 'X-ACCOUNT-KEY': 'account-key' });
  });

  test('of an IXON service account name its application, and a company if there is one', async () => {
    const settings = { application_id: 'aB3dE6gH9jK2' };
    const headers = { Authorization: 'Bearer t', 'Api-Version': '2', 'Api-Application': 'aB3dE6gH9jK2' };
    expect(await headersOf('ixon-service-account', settings, { token: 't' })).toEqual(headers);
    const company = '1111-2222-3333-4444-5555';
    expect(await headersOf('ixon-service-account', { ...settings, company_id: company }, { token: 't' })).toEqual({
      ...headers,
      'Api-Company': company,
    });
  });

  test.each([
    ['sage-intacct-rest', { entity_id: 'E1' }, { Authorization: 'Bearer t', 'X-IA-API-Param-Entity': 'E1' }],
    ['sage-intacct-rest', {}, { Authorization: 'Bearer t' }],
    ['sage-intacct-xml', {}, {}],
    ['exact-online', { country: 'nl' }, { Authorization: 'Bearer t' }],
    ['gone', {}, { Authorization: 'Bearer t' }],
  ])('of %s with %j', (provider, settings, headers) => {
    expect(
      requestHeaders({ provider, settings, renewal: 'always' }, { accessToken: new Secret('t'), tokenType: 'Bearer' }),
    ).toEqual(headers);
  });
});

describe('what is sealed', () => {
  test('is the token alone, where nothing goes with it', () => {
    expect(sealedTextOf({ accessToken: new Secret('t') }).reveal()).toBe('t');
    expect(openedTextOf(new Secret('t')).accessToken.reveal()).toBe('t');
  });

  test('is opened as it was, even if the token looks like JSON', () => {
    const opened = openedTextOf(sealedTextOf({ accessToken: new Secret('{"a":1}') }));
    expect(opened.accessToken.reveal()).toBe('{"a":1}');
  });

  test('has the secrets and the endpoint with it', () => {
    const companions = { secrets: { key: new Secret('k') }, endpoint: 'https://a.example/' };
    const opened = openedTextOf(sealedTextOf({ accessToken: new Secret('t'), companions }));
    expect(opened.accessToken.reveal()).toBe('t');
    expect(opened.companions?.secrets?.key?.reveal()).toBe('k');
    expect(opened.companions?.endpoint).toBe('https://a.example/');
  });
});
