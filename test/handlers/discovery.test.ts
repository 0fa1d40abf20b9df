/**
 * Connections that name their authorization server by its issuer: a real one (oidc-provider), and some that misbehave.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { listen } from '../../local/platform/loopback.ts';
import {
  type AuthorizationServer,
  startAuthorizationServer,
} from '../../local/simulators/oidc/authorization-server.ts';
import { limits } from '../../shared/domain/limits.ts';
import { newBrowser } from './browser.ts';
import { hunt, openWorld } from './world.ts';

const redirectUri = 'https://test.execute-api.us-east-1.amazonaws.com/oauth/callback';
const directory = mkdtempSync(join(tmpdir(), 'discovery-'));
const database = new DatabaseSync(join(directory, 'server.sqlite'));
const closing: (() => Promise<unknown>)[] = [];

let world: Awaited<ReturnType<typeof openWorld>>;
let server: AuthorizationServer;

beforeAll(async () => {
  server = await startAuthorizationServer({ database, directory, redirectUri });
  world = await openWorld();
  world.known(server.client.clientSecret);
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
afterAll(async () => {
  await world.close();
  await server.close();
  database.close();
  rmSync(directory, { recursive: true });
});

const request = (settings: object) => ({
  provider: 'generic-oauth2',
  settings,
  client: { client_id: server.client.clientId, client_secret: server.client.clientSecret },
});
const put = (name: string, settings: object) => world.call(`PUT /connections/${name}`, request(settings));

describe('an issuer', () => {
  test('is asked once, and what it says can be seen in the settings', async () => {
    const { status, body } = await put('found', { issuer: server.issuer, scope: 'openid offline_access' });
    expect(status).toBe(201);
    expect(body.settings).toEqual({
      issuer: server.issuer,
      token_endpoint: server.tokenEndpoint,
      authorization_endpoint: server.authorizationEndpoint,
      revocation_endpoint: server.revocationEndpoint,
      iss_parameter: 'required',
      scope: 'openid offline_access',
    });
    expect((await world.call('GET /connections/found')).body.settings).toEqual(body.settings);
  });

  test('gives way to endpoints that the request gives itself', async () => {
    const { body } = await put('given', {
      issuer: server.issuer,
      revocation_endpoint: 'https://id.example.com/revoke',
      iss_parameter: 'optional',
    });
    expect(body.settings).toMatchObject({
      token_endpoint: server.tokenEndpoint,
      revocation_endpoint: 'https://id.example.com/revoke',
      iss_parameter: 'optional',
    });
  });

  test('serves client credentials too, for which nobody logs in', async () => {
    const { status, body } = await put('machine', { issuer: server.issuer, grant: 'client_credentials' });
    expect({ status, state: body.state }).toEqual({ status: 201, state: 'active' });
    expect(body.settings).toMatchObject({ token_endpoint: server.tokenEndpoint });
  });

  test('leads through a login and a renewal', async () => {
    await put('login', { issuer: server.issuer, scope: 'openid offline_access' });
    const link = await world.begin(await world.link('login'));
    const { searchParams } = await newBrowser().login(link.href, 'allow', redirectUri);
    world.known(searchParams.get('code') ?? '');
    expect(await world.open('login', searchParams)).toMatchObject({ status: 200, title: 'Connected' });
    expect(world.known(String((await world.call('GET /token/login')).body.access_token))).not.toBe('undefined');
    world.later(31);
    await world.refresh('login');
    expect((await world.call('GET /connections/login')).body).toMatchObject({ state: 'active', generation: 2 });
  });

  test('must come back with the code, letter by letter (RFC 9207)', async () => {
    await put('mixed-up', { issuer: server.issuer, scope: 'openid offline_access' });
    const link = await world.begin(await world.link('mixed-up'));
    const { searchParams } = await newBrowser().login(link.href, 'allow', redirectUri);
    world.known(searchParams.get('code') ?? '');
    for (const iss of [`${server.issuer}/`, `${server.issuer}/tenant`, '']) {
      const forged = new URLSearchParams({ ...Object.fromEntries(searchParams), iss });
      expect(await world.open('mixed-up', forged), iss).toMatchObject({
        status: 400,
        title: 'The answer came from somewhere else',
      });
    }
    const without = new URLSearchParams(searchParams);
    without.delete('iss');
    expect(await world.open('mixed-up', without)).toMatchObject({
      status: 400,
      title: 'The answer came from somewhere else',
    });
    expect(await world.open('mixed-up', searchParams)).toMatchObject({ status: 200 });
  });
});

describe('metadata', () => {
  /** A server on the loopback interface, and the paths that it was asked for. */
  async function misbehaving(answer: (issuer: string) => RequestListener) {
    const asked: string[] = [];
    let listener: RequestListener | undefined;
    const { url, close } = await listen(
      createServer((incoming, response) => {
        asked.push(`${incoming.method} ${incoming.url}`);
        listener?.(incoming, response);
      }),
    );
    closing.push(close);
    listener = answer(url);
    return { url, asked };
  }
  const json =
    (document: object, status = 200): RequestListener =>
    (_, response) =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(document));
  const oauth = 'GET /.well-known/oauth-authorization-server';

  /** What is said of the issuer; nothing may have changed by it. */
  async function faultOf(name: string, settings: object): Promise<string> {
    const before = await world.stored();
    const { status, body } = await put(name, settings);
    expect(await world.stored()).toEqual(before);
    expect(status).toBe(400);
    const [fault, ...others] = body.faults as { path: string; message: string }[];
    expect(others).toEqual([]);
    expect(fault?.path).toBe('settings.issuer');
    return String(fault?.message);
  }

  test('is found where RFC 8414 puts it, and there it is enough', async () => {
    const { url, asked } = await misbehaving((issuer) => json({ issuer, token_endpoint: `${issuer}/t` }));
    expect(await put('rfc-8414', { issuer: url })).toMatchObject({
      status: 201,
      body: { settings: { issuer: url, token_endpoint: `${url}/t` } },
    });
    expect(asked).toEqual([oauth]);
  });

  test('is found where OpenID Connect puts it, below a path too', async () => {
    const { url, asked } = await misbehaving((issuer) => (incoming, response) => {
      if (incoming.url !== '/tenant/.well-known/openid-configuration') response.writeHead(404).end();
      else json({ issuer: `${issuer}/tenant`, token_endpoint: `${issuer}/t` })(incoming, response);
    });
    expect(await put('openid', { issuer: `${url}/tenant` })).toMatchObject({
      status: 201,
      body: { settings: { token_endpoint: `${url}/t` } },
    });
    expect(asked).toEqual([`${oauth}/tenant`, 'GET /tenant/.well-known/openid-configuration']);
  });

  test('is written as the server writes it: a slash at the end is part of its name', async () => {
    const { url } = await misbehaving((issuer) => json({ issuer: `${issuer}/`, token_endpoint: `${issuer}/t` }));
    expect(await put('slash', { issuer: url })).toMatchObject({ body: { settings: { issuer: `${url}/` } } });
  });

  test('is asked for again by every PUT', async () => {
    let path = 'old';
    const { url, asked } = await misbehaving(
      (issuer) => (incoming, response) => json({ issuer, token_endpoint: `${issuer}/${path}` })(incoming, response),
    );
    await put('anew', { issuer: url });
    path = 'new';
    expect(await put('anew', { issuer: url })).toMatchObject({
      status: 200,
      body: { settings: { token_endpoint: `${url}/new` } },
    });
    expect(asked).toEqual([oauth, oauth]);
  });

  test('of another issuer is refused, and it is told whose it is', async () => {
    const { url } = await misbehaving((issuer) =>
      json({ issuer: 'https://other.example/tenant', token_endpoint: `${issuer}/t` }),
    );
    const fault = await faultOf('other', { issuer: url });
    expect(fault).toMatch(/^has no metadata that can be used: \/\.well-known\/oauth-authorization-server is that of /);
    expect(fault).toContain('oauth-authorization-server is that of another issuer, https://other.example/tenant, ');
  });

  test('without a token endpoint needs one that is given', async () => {
    const { url } = await misbehaving((issuer) => json({ issuer }));
    expect(await faultOf('no-token', { issuer: url })).toBe(
      'has no token_endpoint in its metadata: give settings.token_endpoint',
    );
    expect(await put('own-token', { issuer: url, token_endpoint: `${url}/own` })).toMatchObject({
      status: 201,
      body: { settings: { token_endpoint: `${url}/own` } },
    });
  });

  test('that names an endpoint which may not be called is refused', async () => {
    const { url } = await misbehaving((issuer) =>
      json({ issuer, token_endpoint: 'https://10.0.0.1/token', revocation_endpoint: 5 }),
    );
    const { body } = await put('inside', { issuer: url });
    expect(body.faults).toEqual([
      {
        path: 'settings.issuer',
        message:
          'names a token_endpoint in its metadata that must not name ' +
          'a private, loopback, link-local or otherwise reserved address',
      },
      { path: 'settings.issuer', message: 'names a revocation_endpoint in its metadata that must be a text: a URL' },
    ]);
  });

  test.each<[string, (issuer: string) => RequestListener, RegExp]>([
    [
      'a page for people',
      () => (_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
      /is no metadata in JSON/,
    ],
    ['JSON that is no metadata', () => json([1]), /is no metadata in JSON/],
    [
      '404',
      () => json({ error: 'no' }, 404),
      /\/oauth-authorization-server answered 404, .*openid-configuration answered 404/,
    ],
    [
      'a redirect',
      () => (_, response) =>
        void response.writeHead(302, { location: `${server.issuer}/.well-known/openid-configuration` }).end(),
      /answered 302/,
    ],
    ['nothing', () => (_, response) => void response.writeHead(204).end(), /answered 204/],
    [
      'too much',
      () => (_, response) => void response.end('x'.repeat(limits.replyBytes + 1)),
      /^did not tell its metadata \(reply_too_large\)/,
    ],
    [
      'a broken connection',
      () => (_, response) => void response.destroy(),
      /^did not tell its metadata \(connection_reset\): try again, or give token_endpoint/,
    ],
  ])('that is %s is refused', async (_, answer, expected) => {
    const { url } = await misbehaving(answer);
    expect(await faultOf('misbehaving', { issuer: url })).toMatch(expected);
  });

  test('is not asked for while something else in the request is wrong', async () => {
    const { url, asked } = await misbehaving((issuer) => json({ issuer, token_endpoint: `${issuer}/t` }));
    expect(await put('wrong', { issuer: url, grant: 'password' })).toMatchObject({
      status: 400,
      body: { faults: [{ path: 'settings.grant' }] },
    });
    expect(asked).toEqual([]);
  });

  test('is not asked for at an address that is not public', async () => {
    const { url, asked } = await misbehaving((issuer) => json({ issuer }));
    await world.with({ ALLOW_LOOPBACK_PROVIDERS: '' }, async () => {
      const { body } = await put('private', { issuer: url });
      expect(body.faults).toMatchObject([{ path: 'settings.issuer', message: 'must begin with https://' }]);
    });
    expect(asked).toEqual([]);
  });
});

hunt(() => world);
