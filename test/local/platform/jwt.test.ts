/** The local gateway's JWT authorizer, against tokens of a real issuer. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RouteDefinition } from '../../../local/platform/deployment.ts';
import { type Gateway, type Refusal, startGateway } from '../../../local/platform/gateway.ts';
import { jwtVerifier } from '../../../local/platform/jwt.ts';
import { type Lambda, startLambda } from '../../../local/platform/lambda.ts';
import { signedFetch } from '../../../local/platform/signed-fetch.ts';
import { fixtureFunction } from './fixtures/functions.ts';
import { audience, type JwtIssuer, newKey, startJwtIssuer } from './jwt-issuer.ts';

const credentials = { accessKeyId: 'LOCALKEY', secretAccessKey: 'secret' };
const seconds = Math.floor(Date.now() / 1_000);

let issuer: JwtIssuer;
let foreign: JwtIssuer;
let gateway: Gateway;
let lambda: Lambda;

beforeAll(async () => {
  issuer = await startJwtIssuer();
  foreign = await startJwtIssuer();
  lambda = startLambda([fixtureFunction('http')], { variables: {} });
  gateway = await startGateway(0);
  const authorizer = { issuer: issuer.issuer, audience: ['another', audience] };
  const route = (routeKey: string, authorization: RouteDefinition['authorization']) => ({
    routeKey,
    authorization,
    functionName: 'http',
    timeoutMs: 5_000,
  });
  gateway.serve({
    routes: [route('GET /token', authorizer), route('GET /items', authorizer), route('GET /signed', 'AWS_IAM')],
    lambda,
    credentials,
    onRefusal: (refusal) => refusals.push(refusal),
  });
});

/** What the person at the terminal is told. */
const refusals: Refusal[] = [];
beforeEach(() => void refusals.splice(0));

afterAll(async () => {
  await lambda.close(0);
  await gateway.close();
  await issuer.close();
  await foreign.close();
});

const get = (authorization?: string, path = '/token') =>
  fetch(gateway.url + path, { headers: authorization === undefined ? {} : { authorization } });

/** The challenge, after all that is true of every refusal. */
async function refusalOf(authorization?: string): Promise<string | null> {
  const response = await get(authorization);
  expect([response.status, await response.json()]).toEqual([401, { message: 'Unauthorized' }]);
  return response.headers.get('www-authenticate');
}

test('the terminal says why a token is refused, and does not show it', async () => {
  const token = await issuer.sign({ exp: 1 });
  await refusalOf();
  await refusalOf(`Bearer ${token}`);
  expect(refusals).toEqual([
    { request: 'GET /token', status: 401, reason: `it has no JWT of ${issuer.issuer} in its Authorization header` },
    { request: 'GET /token', status: 401, reason: 'its JWT is refused: "exp" claim timestamp check failed' },
  ]);
});

describe('a token of the issuer', () => {
  test('opens a route, and its claims reach the function as text', async () => {
    const response = await get(`Bearer ${await issuer.issue('token:exact-nl token:other')}`);
    expect(response.status).toBe(200);
    const { requestContext } = JSON.parse(await response.text());
    expect(requestContext.authorizer).toEqual({
      jwt: {
        claims: {
          iss: issuer.issuer,
          aud: audience,
          sub: 'worker',
          client_id: 'worker',
          scope: 'token:exact-nl token:other',
          jti: expect.any(String),
          iat: expect.stringMatching(/^\d{10}$/),
          exp: expect.stringMatching(/^\d{10}$/),
        },
        scopes: null,
      },
    });
  });

  test('has lists, numbers and objects in it written as API Gateway does, and what is null left out', async () => {
    const response = await get(
      await issuer.sign({
        scp: ['token:a', 'token:b'],
        aud: [audience],
        level: 7,
        admin: false,
        act: { sub: 'x' },
        none: null,
      }),
    );
    const { claims } = JSON.parse(await response.text()).requestContext.authorizer.jwt;
    expect(claims).toMatchObject({
      scp: '[token:a token:b]',
      aud: `[${audience}]`,
      level: '7',
      admin: 'false',
      act: '{"sub":"x"}',
    });
    expect(claims).not.toHaveProperty('none');
  });

  test('may come with Bearer or without', async () => {
    const token = await issuer.issue('token:*');
    for (const authorization of [token, `Bearer ${token}`, `bearer ${token}`])
      expect((await get(authorization)).status).toBe(200);
    expect(await refusalOf(`Basic ${token}`)).toMatch(/^Bearer .*error="invalid_token"/);
  });

  test('is good whatever its scope: that is the handler’s to judge', async () => {
    expect((await get(await issuer.sign({ scope: undefined }))).status).toBe(200);
  });

  test.each<[string, object, object?]>([
    ['one of several audiences', { aud: ['elsewhere', 'another'] }],
    ['no audience, but a client that is one', { aud: undefined, client_id: audience }],
    ['another RSA algorithm', {}, { alg: 'RS512' }],
    ['nbf that is past', { nbf: seconds - 60 }],
  ])('is good with %s', async (_, claims, header) => {
    expect((await get(await issuer.sign(claims, header))).status).toBe(200);
  });

  test('does not open a route that wants a signature, nor a signature one that wants a token', async () => {
    const token = await issuer.issue('token:*');
    expect((await get(`Bearer ${token}`, '/signed')).status).toBe(403);
    const signed = signedFetch(gateway.url, credentials);
    expect((await signed('/signed')).status).toBe(200);
    expect((await signed('/token')).status).toBe(401);
  });
});

describe('refused is', () => {
  test('a request without a token', async () => {
    expect(await refusalOf()).toBe('Bearer');
  });

  test('a token for nobody here, in the words that are known of API Gateway', async () => {
    expect(await refusalOf(await issuer.sign({ aud: 'elsewhere' }))).toBe(
      'Bearer scope="" error="invalid_token" error_description="the token does not have a valid audience"',
    );
  });

  const none = (token: string): string =>
    `${Buffer.from('{"alg":"none","kid":"signing"}').toString('base64url')}.${token.split('.')[1]}.`;
  const tampered = (token: string): string => {
    const [header, , signature] = token.split('.');
    const payload = { iss: issuer.issuer, aud: audience, exp: seconds + 600, scope: 'token:*' };
    return `${header}.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.${signature}`;
  };

  test.each<[string, () => Promise<string>]>([
    ['expired', () => issuer.sign({ exp: seconds - 1 })],
    ['without an end', () => issuer.sign({ exp: undefined })],
    ['not good yet', () => issuer.sign({ nbf: seconds + 600 })],
    ['issued in the future', () => issuer.sign({ iat: seconds + 600 })],
    ['whose end is a text', () => issuer.sign({ exp: `${seconds + 600}` })],
    ['whose end is nothing', () => issuer.sign({ exp: null })],
    ['whose end is a list', () => issuer.sign({ exp: [seconds + 600] })],
    ['whose beginning is a text', () => issuer.sign({ nbf: `${seconds - 60}` })],
    ['whose issue is a text', () => issuer.sign({ iat: `${seconds - 60}` })],
    ['whose issuer is a list', () => issuer.sign({ iss: [issuer.issuer] })],
    ['whose issuer is in capitals', () => issuer.sign({ iss: issuer.issuer.toUpperCase() })],
    ['for an empty list of audiences', () => issuer.sign({ aud: [] })],
    ['for an audience in an object', () => issuer.sign({ aud: { 0: audience } })],
    ['for an audience in a list of a list', () => issuer.sign({ aud: [[audience]] })],
    ['for an audience with a space more', () => issuer.sign({ aud: `${audience} ` })],
    ['for two audiences in one text', () => issuer.sign({ aud: `${audience},elsewhere` })],
    ['beside another one', async () => `${await issuer.sign()} ${await issuer.sign()}`],
    ['beside another one, as a list of headers is joined', async () => `${await issuer.sign()}, Bearer x`],
    ['with a part more', async () => `${await issuer.sign()}.x`],
    ['of another issuer', () => foreign.issue('token:*')],
    ['of another issuer, which says that it is this one', () => foreign.sign({ iss: issuer.issuer })],
    ['that says nothing of its issuer', () => issuer.sign({ iss: undefined })],
    ['whose issuer has a slash more', () => issuer.sign({ iss: `${issuer.issuer}/` })],
    ['for no audience', () => issuer.sign({ aud: undefined })],
    ['for another audience, of a client that is one', () => issuer.sign({ aud: 'elsewhere', client_id: audience })],
    ['that names no key', () => issuer.sign({}, { kid: undefined })],
    ['that names another key', () => issuer.sign({}, { kid: 'other' })],
    ['signed by another key', () => issuer.sign({}, {}, newKey())],
    [
      'signed by a key of the issuer that is no RSA key (ES256)',
      () => issuer.sign({}, { alg: 'ES256', kid: 'elliptic' }, issuer.ellipticKey),
    ],
    ['signed by a secret (HS256)', () => issuer.sign({}, { alg: 'HS256' }, Buffer.alloc(32, 1))],
    ['not signed (none)', async () => none(await issuer.sign())],
    ['changed after it was signed', async () => tampered(await issuer.issue('token:other'))],
    ['that is none', async () => 'not.a.token'],
  ])('a token %s', async (_, token) => {
    expect(await refusalOf(`Bearer ${await token()}`)).toMatch(
      /^Bearer scope="" error="invalid_token" error_description="[^"]+"$/,
    );
  });
});

test('the issuer’s keys are fetched once for all routes, however many tokens come', async () => {
  const token = await issuer.issue('token:*');
  await get(token);
  const before = issuer.keyRequests();
  for (const path of ['/token', '/items', '/token', '/items']) expect((await get(token, path)).status).toBe(200);
  expect(issuer.keyRequests()).toBe(before);
});

test('an issuer that could not say its keys is asked again with the next token', async () => {
  const token = await issuer.issue('token:*');
  const verify = jwtVerifier({ issuer: issuer.issuer, audience: [audience] });
  issuer.fail(true);
  expect(await verify(token)).toMatchObject({
    challenge: expect.stringContaining('the keys of the issuer could not be fetched'),
  });
  issuer.fail(false);
  expect(await verify(token)).toMatchObject({ claims: { sub: 'worker' } });
});
