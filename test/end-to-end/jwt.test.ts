/**
 * The token routes behind JWTs: `npm start` with an issuer, which synthesizes the template for it and wires the bundles
 * from that.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { audience, type JwtIssuer, newKey, startJwtIssuer } from '../local/platform/jwt-issuer.ts';
import { type RealServer, startOidcProvider } from './authorization-servers.ts';
import { type BrokerProcess, startBroker } from './broker-process.ts';

const directory = mkdtempSync(join(tmpdir(), 'token-broker-'));
const seconds = Math.floor(Date.now() / 1_000);

let issuer: JwtIssuer;
let foreign: JwtIssuer;
let provider: RealServer;
let broker: BrokerProcess;
const used: string[] = [];

beforeAll(async () => {
  [issuer, foreign, provider] = await Promise.all([
    startJwtIssuer(),
    startJwtIssuer(),
    startOidcProvider(directory, 600),
  ]);
  broker = await startBroker(
    directory,
    'none',
    '--jwt-issuer',
    issuer.issuer,
    '--jwt-audience',
    `elsewhere,${audience}`,
  );
  const connection = {
    provider: 'generic-oauth2',
    settings: { token_endpoint: provider.tokenEndpoint },
    client: provider.client,
    refresh_token: provider.firstRefreshToken,
  };
  // Administration is signed, as ever.
  expect(
    (await broker.fetch('/connections/exact-nl', { method: 'PUT', body: JSON.stringify(connection) })).status,
  ).toBe(201);
});

afterAll(async () => {
  const code = await broker.interrupt();
  for (const server of [issuer, foreign, provider]) await server.close();
  rmSync(directory, { recursive: true, force: true });
  expect(code).toBe(0);
});

async function call(
  request: string,
  token?: string,
  body?: object,
): Promise<{ status: number; challenge: string | null; body: Record<string, unknown> }> {
  const [method = '', path = ''] = request.split(' ');
  if (token !== undefined) used.push(token);
  const headers = {
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(body && { 'content-type': 'application/json' }),
  };
  const response = await fetch(broker.url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  return {
    status: response.status,
    challenge: response.headers.get('www-authenticate'),
    body: (await response.json()) as Record<string, unknown>,
  };
}

describe('a worker with a JWT', () => {
  test.each(['token:exact-nl', 'token:other token:exact-nl', 'token:*'])(
    'gets the token with the scope %s',
    async (scope) => {
      const answer = await call('GET /token/exact-nl?wait=25', await issuer.issue(scope));
      expect(answer).toMatchObject({
        status: 200,
        body: { connection: 'exact-nl', generation: 1, token_type: 'Bearer' },
      });
    },
  );

  test('gets it with a list of scopes, and reports that it was refused', async () => {
    const token = await issuer.sign({ scope: undefined, scp: ['openid', 'token:exact-nl'] });
    expect(await call('GET /token/exact-nl', token)).toMatchObject({ status: 200 });
    const report = await call('POST /token/exact-nl/rejections', token, { generation: 9 });
    expect(report).toMatchObject({ status: 400, body: { code: 'invalid_request', faults: [{ path: 'generation' }] } });
  });

  test.each([
    ['GET /token/exact-nl', 'token:exact-nl'],
    ['GET /token/nowhere', 'token:nowhere'],
    ['GET /token', 'token:default'],
    ['POST /token/exact-nl/rejections', 'token:exact-nl'],
  ])('with the scope of another connection is refused %s', async (request, missing) => {
    const answer = await call(
      request,
      await issuer.issue('token:other'),
      request.startsWith('POST') ? { generation: 1 } : undefined,
    );
    expect(answer).toMatchObject({
      status: 403,
      body: { code: 'forbidden', detail: expect.stringContaining(missing) },
    });
  });

  test.each<[string, () => Promise<string | undefined>]>([
    ['no token', async () => undefined],
    ['an expired token', () => issuer.sign({ exp: seconds - 1 })],
    ['the token of another issuer', () => foreign.issue('token:*')],
    ['a token of another issuer in the name of this one', () => foreign.sign({ iss: issuer.issuer })],
    ['a token for another audience', () => issuer.sign({ aud: 'urn:another' })],
    ['a token that a secret signed', () => issuer.sign({}, { alg: 'HS256' }, Buffer.from(issuer.issuer))],
    ['a token that another key signed', () => issuer.sign({}, {}, newKey())],
    [
      'a token that nobody signed',
      async () => `${Buffer.from('{"alg":"none"}').toString('base64url')}.${(await issuer.sign()).split('.')[1]}.`,
    ],
  ])('with %s is not known', async (_, token) => {
    expect(await call('GET /token/exact-nl', await token())).toMatchObject({
      status: 401,
      challenge: expect.stringMatching(/^Bearer\b/),
      body: { message: 'Unauthorized' },
    });
  });
});

test('administration takes signatures, and no JWT; the token routes take no signature', async () => {
  const token = await issuer.issue('token:*');
  for (const request of [
    'GET /connections',
    'GET /connections/exact-nl',
    'DELETE /connections/exact-nl',
    'POST /connections/exact-nl/authorizations',
  ])
    expect(await call(request, token)).toMatchObject({ status: 403, body: { message: 'Forbidden' } });
  expect(await (await broker.fetch('/connections/exact-nl')).json()).toMatchObject({
    connection: 'exact-nl',
    state: 'active',
  });
  expect((await broker.fetch('/token/exact-nl')).status).toBe(401);
  expect((await fetch(`${broker.url}/oauth/callback`)).headers.get('content-type')).toContain('text/html');
});

test('the welcome shows both ways in, and nothing that was printed shows a token', () => {
  const printed = broker.printed.join('\n');
  expect(printed).toContain(`curl -H "Authorization: Bearer $JWT" ${broker.url}/token/NAME`);
  expect(printed).toMatch(/curl --aws-sigv4 .*\/connections$/m);
  expect(used.length).toBeGreaterThan(10);
  expect(used.filter((token) => printed.includes(token))).toEqual([]);
});
