import { generateKeyPairSync } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import { httpAuthorizationServer } from '../../shared/adapters/oauth/authorization-server.ts';
import { httpRevocation } from '../../shared/adapters/oauth/revocation-endpoint.ts';
import { httpTokenEndpoint } from '../../shared/adapters/oauth/token-endpoint.ts';
import type { ConnectionConfig } from '../../shared/domain/connection.ts';
import { Secret } from '../../shared/domain/secret.ts';
import { now, obtain, startLoopback, tokensOf } from './loopback.ts';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const ed = generateKeyPairSync('ed25519');
const pem = (key: typeof rsa.privateKey) => key.export({ type: 'pkcs8', format: 'pem' }).toString();
/** Node reads it, and finds out that its parts do not fit when it signs. */
const rsaJwk = rsa.privateKey.export({ format: 'jwk' });
const evenModulus = Buffer.from(rsaJwk.n ?? '', 'base64url').map((byte, at, all) =>
  at === all.length - 1 ? byte & 0xfe : byte,
);
const broken = { ...rsaJwk, n: Buffer.from(evenModulus).toString('base64url') };
const reply = '{"access_token":"at","expires_in":"3600"}';

async function asserted(provider: string, key: string, more: object = {}) {
  const { url, seen } = await startLoopback(200, reply);
  const outcome = await obtain(
    provider,
    { token_endpoint: `${url}/token`, ...more },
    { private_key: key },
    { clientId: 'client' },
  );
  const parameters = new URLSearchParams(seen[0]?.body);
  return { outcome, parameters, seen, audience: `${url}/token`, assertion: parameters.get('client_assertion') ?? '' };
}

describe('private_key_jwt', () => {
  test('at NetSuite: PS256, the certificate id, the scope in the assertion', async () => {
    const settings = { account: '1234567-sb1', key_id: 'cert-1', scope: 'restlets,rest_webservices' };
    const { outcome, parameters, assertion, audience, seen } = await asserted(
      'netsuite',
      pem(rsa.privateKey),
      settings,
    );
    expect(tokensOf(outcome).accessToken.reveal()).toBe('at');
    expect(parameters.get('grant_type')).toBe('client_credentials');
    expect(parameters.get('client_assertion_type')).toBe('urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
    expect(seen[0]?.headers).not.toHaveProperty('authorization');
    const { payload, protectedHeader } = await jwtVerify(assertion, rsa.publicKey, {
      audience,
      issuer: 'client',
      subject: 'client',
      currentDate: new Date(now),
    });
    expect(protectedHeader).toEqual({ alg: 'PS256', typ: 'JWT', kid: 'cert-1' });
    expect(payload).toMatchObject({
      scope: 'restlets,rest_webservices',
      iat: now / 1_000 - 10,
      jti: expect.any(String),
    });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBeLessThan(3_600);
  });

  const generic = { grant: 'client_credentials', client_authentication: 'private_key_jwt' };
  const jwk = { ...ec.privateKey.export({ format: 'jwk' }), kid: 'from-the-key' };
  test.each<[string, string, object]>([
    ['an RSA key in PEM', pem(rsa.privateKey), { alg: 'RS256' }],
    ['a key in JWK, which names itself', JSON.stringify(jwk), { alg: 'ES384', kid: 'from-the-key' }],
    ['an Ed25519 key', pem(ed.privateKey), { alg: 'EdDSA' }],
  ])('has the algorithm of its key: %s', async (_, key, header) => {
    const { assertion } = await asserted('generic-oauth2', key, generic);
    expect(decodeProtectedHeader(assertion)).toEqual({ typ: 'JWT', ...header });
  });

  test.each<[string, string]>([
    ['cannot be read', 'no key'],
    ['is too short', pem(generateKeyPairSync('rsa', { modulusLength: 1_024 }).privateKey)],
    ['is for another use', pem(generateKeyPairSync('x25519').privateKey)],
    ['can be read, and cannot sign', JSON.stringify(broken)],
  ])('with a key that %s asks for nothing, and waits for another', async (_, key) => {
    const { outcome, seen } = await asserted('generic-oauth2', key, generic);
    expect(outcome).toEqual({
      kind: 'failure',
      class: 'misconfigured',
      cause: 'invalid_client',
      code: 'private_key_unreadable',
    });
    expect(seen).toEqual([]);
  });

  test('with a key that cannot sign revokes nothing, and redeems no code', async () => {
    const { url, seen } = await startLoopback(200, reply);
    const settings = {
      token_endpoint: `${url}/token`,
      revocation_endpoint: `${url}/revoke`,
      client_authentication: 'private_key_jwt',
    };
    const config: ConnectionConfig = { provider: 'generic-oauth2', settings, renewal: 'always', clientId: 'client' };
    const credentials = { private_key: new Secret(JSON.stringify(broken)) };
    const surroundings = { clock: { now: () => now }, chance: { id: () => 'id' } };
    const policy = { allowLoopback: true };
    const revoked = await httpRevocation(policy, surroundings).revoke(config, new Secret('rt'), credentials);
    expect(revoked).toEqual({ kind: 'not_written', code: 'private_key_unreadable' });
    const server = httpAuthorizationServer(policy, surroundings);
    const response = server.readResponse(config, new URLSearchParams({ code: 'c', state: 's' }), 's');
    const { parameters } = response.kind === 'code' ? response : expect.fail('no code');
    const exchange = await server.redeem(config, {
      parameters,
      redirectUri: 'https://broker.example/cb',
      codeVerifier: new Secret('v'.repeat(43)),
      credentials,
    });
    expect(exchange).toEqual({ kind: 'not_written', code: 'private_key_unreadable' });
    expect(seen).toEqual([]);
  });
});

describe('an assertion is for', () => {
  const audiences = async (settings: object) => {
    const { url, seen } = await startLoopback(200, reply);
    const all = {
      token_endpoint: `${url}/token`,
      revocation_endpoint: `${url}/revoke`,
      client_authentication: 'private_key_jwt',
      ...settings,
    };
    const config: ConnectionConfig = {
      provider: 'generic-oauth2',
      settings: all,
      renewal: 'always',
      clientId: 'client',
    };
    const credentials = { private_key: new Secret(pem(ed.privateKey)) };
    const surroundings = { clock: { now: () => now }, chance: { id: () => 'id' } };
    const sent = { allowLoopback: true };
    await httpTokenEndpoint(sent, surroundings).request({
      config,
      grant: 'refresh_token',
      refreshToken: new Secret('rt'),
      credentials,
      timeoutMs: 1_000,
    });
    await httpRevocation(sent, surroundings).revoke(config, new Secret('rt'), credentials);
    const claims = seen.map(({ body }) => decodeJwt(new URLSearchParams(body).get('client_assertion') ?? '').aud);
    return claims.map((aud) => String(aud).replace(url, ''));
  };

  test('the endpoint that it is sent to, and no other', async () => {
    expect(await audiences({})).toEqual(['/token', '/revoke']);
  });

  test('the issuer where there is one, unless a setting says otherwise', async () => {
    const issuer = 'https://id.example.com';
    expect(await audiences({ issuer })).toEqual([issuer, issuer]);
    expect(await audiences({ issuer, assertion_audience: 'endpoint' })).toEqual(['/token', '/revoke']);
  });
});

test('Entra knows a certificate by its thumbprint', async () => {
  const thumbprint = 'a'.repeat(43);
  const { assertion } = await asserted('business-central-client-credentials', pem(rsa.privateKey), {
    tenant: 'contoso',
    client_authentication: 'private_key_jwt',
    certificate_thumbprint: thumbprint,
  });
  expect(decodeProtectedHeader(assertion)).toEqual({ alg: 'PS256', typ: 'JWT', 'x5t#S256': thumbprint });
});

test('nothing is revoked where that would end other grants', async () => {
  const config: ConnectionConfig = { provider: 'google', settings: {}, renewal: 'always', clientId: 'client' };
  const revocation = httpRevocation({ allowLoopback: true }, { clock: { now: () => now }, chance: { id: () => 'id' } });
  expect(await revocation.revoke(config, new Secret('rt'), { client_secret: new Secret('s') })).toEqual({
    kind: 'not_written',
    code: 'revocation_ends_other_grants',
  });
});

test('a request carries the parameters that the preset adds', async () => {
  const { url, seen } = await startLoopback(200, reply);
  const settings = { token_endpoint: url, username: 'ws@company|E1' };
  await obtain('sage-intacct-client-credentials', settings, { client_secret: 's' }, { clientId: 'client' });
  expect(Object.fromEntries(new URLSearchParams(seen[0]?.body))).toEqual({
    grant_type: 'client_credentials',
    username: 'ws@company|E1',
    client_id: 'client',
    client_secret: 's',
  });
});

test('a secret that has no encoding stops its connection, without a call and without an exception', async () => {
  const { url, seen } = await startLoopback(200, reply);
  const settings = { token_endpoint: url, grant: 'client_credentials' };
  expect(await obtain('generic-oauth2', settings, { client_secret: 'half \ud800' }, { clientId: 'client' })).toEqual({
    kind: 'failure',
    class: 'misconfigured',
    cause: 'invalid_client',
    code: 'request_not_written',
  });
  expect(seen).toEqual([]);
});
