import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accessTo, type ScopeRule } from '../../lambdas/access.ts';
import { parseConnectionName } from '../../shared/domain/connection-name.ts';
import { hunt, openWorld } from './world.ts';

const exact = parseConnectionName('exact-nl');
const jwt = (claims: object) => ({ jwt: { claims: { iss: 'https://idp.example', ...claims }, scopes: null } });
const iam = { iam: { userArn: 'arn:aws:iam::000000000000:role/worker' } };

describe('access to a connection', () => {
  test.each<[string, unknown]>([
    ['a signature', iam],
    ['its scope', jwt({ scope: 'token:exact-nl' })],
    ['its scope among others', jwt({ scope: 'openid token:exact-nl profile' })],
    ['the scope for all of them', jwt({ scope: 'token:*' })],
    ['its scope in a list, as API Gateway writes it', jwt({ scope: '[openid token:exact-nl]' })],
    ['its scope as the only one of a list', jwt({ scope: '[token:exact-nl]' })],
    ['its scope in scp', jwt({ scp: '[token:exact-nl token:other]' })],
    ['its scope in scp, beside another in scope', jwt({ scope: 'openid', scp: 'token:exact-nl' })],
  ])('is given to a caller with %s', (_, authorizer) => {
    expect(accessTo(exact, authorizer)).toEqual({ allowed: true });
  });

  test.each<[string, unknown]>([
    ['no scope', jwt({})],
    ['an empty scope', jwt({ scope: '' })],
    ['an empty list', jwt({ scope: '[]' })],
    ['the scope of another connection', jwt({ scope: 'token:other' })],
    ['the scope of a connection whose name goes on', jwt({ scope: 'token:exact-nl-2' })],
    ['the scope of a connection whose name ends earlier', jwt({ scope: 'token:exact' })],
    ['a pattern', jwt({ scope: 'token:exact-*' })],
    ['another case', jwt({ scope: 'TOKEN:exact-nl Token:*' })],
    ['the name alone', jwt({ scope: 'exact-nl *' })],
    ['other separators', jwt({ scope: 'openid,token:exact-nl' })],
    ['a longer word', jwt({ scope: 'mytoken:exact-nl token:exact-nl.read' })],
    ['the scope in another claim', jwt({ scopes: 'token:exact-nl', permissions: '[token:*]', sub: 'token:*' })],
    ['a scope that is no text', jwt({ scope: { 'token:*': true } })],
    ['a scope in an object, as API Gateway writes it', jwt({ scope: 'map[a: token:* ]' })],
    ['a scope in an object of an object', jwt({ scope: 'map[a:map[b:x token:* y] c:d]' })],
    ['a scope in an object, as JSON', jwt({ scope: '{"a":" token:* "}' })],
    ['a scope in an object of a list', jwt({ scp: '[map[name:x token:* y]]' })],
    ['a scope in an object of a list, as JSON', jwt({ scp: '[{"name":"x token:* y"}]' })],
    ['a scope in a list of a list', jwt({ scp: '[[x token:* y]]' })],
    ['a scope beside an object', jwt({ scp: '[token:* map[name:x]]' })],
    ['a scope in quotes', jwt({ scope: '"a token:* b"' })],
    ['a scope after two spaces, where there was an empty one', jwt({ scope: 'openid  token:*' })],
    ['a scope beside a line break', jwt({ scope: 'openid\n token:*' })],
    ['a scope beside letters that no scope has', jwt({ scope: 'é token:*' })],
    ['no claims', { jwt: { scopes: ['token:*'] } }],
    ['nothing in place of the JWT', { jwt: null }],
    ['no scope, and a signature besides', { ...jwt({}), ...iam }],
  ])('is not given to a caller whose JWT has %s', (_, authorizer) => {
    expect(accessTo(exact, authorizer)).toEqual({ allowed: false, reason: 'scope_missing' });
  });

  test.each([
    undefined,
    null,
    {},
    'iam',
    { iam: null },
    { iam: {} },
    { lambda: { scope: 'token:*' } },
    { claims: { scope: 'token:*' } },
  ])('is not given to a caller of whom API Gateway says %j', (authorizer) => {
    expect(accessTo(exact, authorizer)).toEqual({ allowed: false, reason: 'not_authenticated' });
  });

  test.each<[string, ScopeRule, object, boolean]>([
    ['Cognito', { claims: ['scope', 'scp'], prefix: 'broker/' }, { scope: 'broker/exact-nl other/read' }, true],
    ['Cognito, every connection', { claims: ['scope', 'scp'], prefix: 'broker/' }, { scope: 'broker/*' }, true],
    [
      'Cognito, of another API',
      { claims: ['scope', 'scp'], prefix: 'broker/' },
      { scope: 'other/exact-nl token:*' },
      false,
    ],
    ['Entra', { claims: ['roles'], prefix: 'token:' }, { roles: '[token:exact-nl]' }, true],
    ['Entra, by another claim', { claims: ['roles'], prefix: 'token:' }, { scp: '[token:*]', scope: 'token:*' }, false],
    ['Auth0', { claims: ['permissions'], prefix: 'token:' }, { permissions: '[token:other token:exact-nl]' }, true],
    ['a claim that each object has', { claims: ['constructor'], prefix: 'token:' }, {}, false],
  ])('where an issuer has its own ways: %s', (_, rule, claims, allowed) => {
    expect(accessTo(exact, jwt(claims), rule).allowed).toBe(allowed);
  });

  test('to what no connection can be called takes a caller who may use all, to be told so', () => {
    expect(accessTo(undefined, jwt({ scope: 'token:*' }))).toEqual({ allowed: true });
    expect(accessTo(undefined, jwt({ scope: 'token:undefined token: token' }))).toEqual({
      allowed: false,
      reason: 'scope_missing',
    });
  });
});

describe('the token routes', () => {
  let world: Awaited<ReturnType<typeof openWorld>>;
  beforeAll(async () => {
    world = await openWorld();
    for (const name of ['exact-nl', 'default']) {
      await world.call(`PUT /connections/${name}`, {
        provider: 'generic-oauth2',
        settings: { token_endpoint: world.provider.tokenEndpoint },
        client: { client_id: 'app', client_secret: world.secret('client') },
        refresh_token: world.secret('refresh'),
      });
      await world.call(`GET /token/${name}?wait=0`);
      await world.refresh(name);
    }
  });
  afterAll(() => world.close());

  const rejection = { generation: 1 };
  const scope = (text: string) => jwt({ scope: text });

  test('serve a caller with the scope of the connection', async () => {
    expect(await world.call('GET /token/exact-nl', undefined, scope('token:exact-nl'))).toMatchObject({
      status: 200,
      body: { connection: 'exact-nl' },
    });
    expect(await world.call('GET /token', undefined, scope('token:default'))).toMatchObject({
      status: 200,
      body: { connection: 'default' },
    });
    expect(await world.call('GET /token/exact-nl', undefined, scope('token:*'))).toMatchObject({ status: 200 });
    expect(
      (await world.call('POST /token/exact-nl/rejections?wait=0', { generation: 9 }, scope('token:exact-nl'))).status,
    ).toBe(400);
  });

  test.each<[string, unknown, string]>([
    ['GET /token/exact-nl', undefined, 'token:exact-nl'],
    ['GET /token', undefined, 'token:default'],
    ['GET /token/nowhere', undefined, 'token:nowhere'],
    ['POST /token/exact-nl/rejections?wait=0', rejection, 'token:exact-nl'],
    ['POST /token/nowhere/rejections', { generation: 'faulty' }, 'token:nowhere'],
    ['GET /token/exact-nl?min_ttl=faulty', undefined, 'token:exact-nl'],
    ['GET /token/Not-A-Name', undefined, 'token:*'],
  ])('refuse %s without its scope, name that, and touch nothing', async (request, body, missing) => {
    const before = await world.stored();
    const answer = await world.call(request, body, scope('openid token:other'));
    expect(answer).toMatchObject({
      status: 403,
      body: {
        code: 'forbidden',
        retryable: false,
        detail: expect.stringContaining(`the scope ${missing} in its claim scope or scp.`),
      },
    });
    expect(Object.keys(answer.body).toSorted()).toEqual([
      'code',
      'detail',
      'downstream_errors',
      'retryable',
      'status',
      'title',
      'type',
    ]);
    expect(await world.stored()).toEqual(before);
  });

  test('say the same whether or not there is such a connection', async () => {
    const [there, nowhere] = await Promise.all(
      ['exact-nl', 'nowhere'].map((name) => world.call(`GET /token/${name}`, undefined, scope('openid'))),
    );
    expect(JSON.stringify(there).replaceAll('exact-nl', 'nowhere')).toBe(JSON.stringify(nowhere));
  });

  test('look for the scopes that the deployment says its issuer gives', async () => {
    await world.with({ JWT_CLAIM: 'roles', JWT_SCOPE_PREFIX: 'broker/' }, async () => {
      expect(await world.call('GET /token/exact-nl', undefined, jwt({ roles: '[broker/exact-nl]' }))).toMatchObject({
        status: 200,
      });
      expect(await world.call('GET /token/exact-nl', undefined, scope('token:*'))).toMatchObject({
        status: 403,
        body: { detail: expect.stringContaining('the scope broker/exact-nl in its claim roles.') },
      });
    });
  });

  test('refuse a request of which API Gateway says nothing', async () => {
    for (const request of ['GET /token', 'GET /token/exact-nl', 'GET /token/nowhere', 'GET /token/Not-A-Name'])
      expect(await world.call(request, undefined, null)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    expect(await world.call('POST /token/exact-nl/rejections', rejection, null)).toMatchObject({ status: 403 });
  });

  test('tell a caller who may use all connections what is wrong with a name', async () => {
    expect(await world.call('GET /token/Not-A-Name', undefined, scope('token:*'))).toMatchObject({
      status: 400,
      body: { code: 'invalid_request' },
    });
  });

  hunt(() => world);
});
