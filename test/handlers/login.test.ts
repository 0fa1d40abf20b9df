/** A person connects, and connects again, at a real authorization server (oidc-provider), through the handlers. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type AuthorizationServer,
  startAuthorizationServer,
  type TokenCall,
} from '../../local/simulators/oidc/authorization-server.ts';
import { limits } from '../../shared/domain/limits.ts';
import { newBrowser } from './browser.ts';
import { hunt, openWorld } from './world.ts';

const redirectUri = 'https://test.execute-api.us-east-1.amazonaws.com/oauth/callback';
const accessTokenSeconds = 60;
const directory = mkdtempSync(join(tmpdir(), 'login-'));
const database = new DatabaseSync(join(directory, 'server.sqlite'));
const calls: TokenCall[] = [];

let world: Awaited<ReturnType<typeof openWorld>>;
let server: AuthorizationServer;

beforeAll(async () => {
  server = await startAuthorizationServer({
    database,
    directory,
    redirectUri,
    accessTokenSeconds,
    onTokenCall: (call) => calls.push(call),
  });
  world = await openWorld();
  world.known(server.client.clientSecret);
});
afterAll(async () => {
  await world.close();
  await server.close();
  database.close();
  rmSync(directory, { recursive: true });
});

const connection = (more: object = {}) => ({
  provider: 'generic-oauth2',
  settings: {
    token_endpoint: server.tokenEndpoint,
    authorization_endpoint: server.authorizationEndpoint,
    scope: 'openid offline_access',
    ...more,
  },
  client: { client_id: server.client.clientId, client_secret: server.client.clientSecret },
});

const put = async (name: string, more: object = {}) =>
  expect((await world.call(`PUT /connections/${name}`, connection(more))).status).toBeLessThan(300);

async function linkFor(name: string): Promise<URL> {
  const { status, body } = await world.call(`POST /connections/${name}/authorizations`);
  expect(status).toBe(201);
  return new URL(String(body.authorize_url));
}

/** Logs in, and returns the query that the browser brings back. */
async function loggedIn(link: URL, answer: 'allow' | 'deny' = 'allow'): Promise<URLSearchParams> {
  const { searchParams } = await newBrowser().login(link.href, answer, redirectUri);
  const code = searchParams.get('code');
  if (code !== null) world.known(code);
  return searchParams;
}

async function connect(name: string): Promise<URLSearchParams> {
  const query = await loggedIn(await linkFor(name));
  expect(await world.open(String(query))).toMatchObject({ status: 200, title: 'Connected' });
  return query;
}

async function token(name: string) {
  const answer = await world.call(`GET /token/${name}?wait=0`);
  if (answer.status === 200) world.known(String(answer.body.access_token));
  return answer;
}

const itemOf = async (name: string) => (await world.stores.items())[name];

describe('a link', () => {
  test('asks for a code with PKCE, for this client, and back to this API', async () => {
    await put('asked');
    const { body } = await world.call('POST /connections/asked/authorizations');
    expect(body).toEqual({ authorize_url: expect.any(String), expires_at: expect.any(String) });
    expect(Math.abs(Date.parse(String(body.expires_at)) - Date.now() - limits.authorizationMs)).toBeLessThan(10_000);
    const url = new URL(String(body.authorize_url));
    expect(url.origin + url.pathname).toBe(server.authorizationEndpoint);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      response_type: 'code',
      client_id: server.client.clientId,
      redirect_uri: redirectUri,
      scope: 'openid offline_access',
      state: expect.stringMatching(/^[\w-]+\.\.[\w-]+\.[\w-]+\.[\w-]+$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    });
  });

  test('leads back to the address of the deployment’s own, with its path, whatever host the caller used', async () => {
    await put('elsewhere');
    await world.with({ API_URL: 'https://api.example/broker' }, async () => {
      const { body } = await world.call('POST /connections/elsewhere/authorizations');
      const { searchParams } = new URL(String(body.authorize_url));
      expect(searchParams.get('redirect_uri')).toBe('https://api.example/broker/oauth/callback');
    });
  });

  test('is not to be had for a connection that does not exist, or that nobody can log in for', async () => {
    expect((await world.call('POST /connections/nowhere/authorizations')).status).toBe(404);
    const { authorization_endpoint: _, ...settings } = connection().settings;
    await world.call('PUT /connections/no-endpoint', { ...connection(), settings });
    const refused = await world.call('POST /connections/no-endpoint/authorizations');
    expect(refused).toMatchObject({ status: 400, body: { faults: [{ path: 'settings.authorization_endpoint' }] } });
    await world.call('PUT /connections/machine', {
      ...connection(),
      settings: { ...settings, grant: 'client_credentials' },
    });
    expect(await world.call('POST /connections/machine/authorizations')).toMatchObject({
      status: 400,
      body: { faults: [{ path: 'connection' }] },
    });
  });
});

describe('a login', () => {
  test('connects: its token is served at once, without another call, and renewed when due', async () => {
    await put('new');
    const before = calls.length;
    await connect('new');
    const first = await token('new');
    expect(first).toMatchObject({ status: 200, body: { generation: 1 } });
    expect(Number(first.body.expires_in)).toBeGreaterThan(accessTokenSeconds - 10);
    expect((await world.call('GET /connections/new')).body).toMatchObject({ state: 'active', generation: 1 });
    // Nothing is due yet, so nothing is renewed.
    await world.refresh('new');
    expect(calls.slice(before)).toMatchObject([{ grantType: 'authorization_code', status: 200 }]);
    world.later(accessTokenSeconds / 2 + 1);
    await world.refresh('new');
    expect(calls.slice(before + 1)).toMatchObject([{ grantType: 'refresh_token', status: 200 }]);
    expect(await token('new')).toMatchObject({ status: 200, body: { generation: 2 } });
  });

  test('connects again: name, settings and history stay, the new grant replaces the old', async () => {
    await put('again', { lifetime_seconds: 1_234 });
    await connect('again');
    const before = await itemOf('again');
    const { body } = await token('again');
    const link = await linkFor('again');
    // Until the new grant is in hand the old one is served.
    expect((await token('again')).body).toMatchObject({ access_token: body.access_token });
    await world.open(String(await loggedIn(link)));
    const after = await itemOf('again');
    // As long as an environment may answer from memory.
    world.later(limits.memoryMs / 1_000);
    expect(after).toMatchObject({
      config: before?.config,
      createdAt: before?.createdAt,
      generation: 2,
      state: 'active',
    });
    expect(after?.grant.id).not.toBe(before?.grant.id);
    expect((await token('again')).body.access_token).not.toBe(body.access_token);
    expect(after).not.toHaveProperty('authorization');
  });

  test('brings what the callback tells: clients get it with the token, and it stays with the grant', async () => {
    await put('company', { business_id: 'of-an-import' });
    const query = await loggedIn(await linkFor('company'));
    query.set('businessId', '0b5c-1');
    query.set('shop', 'no value, with blanks');
    query.set('unheard_of', 'x');
    expect(await world.open(String(query))).toMatchObject({ status: 200 });
    expect((await token('company')).body.values).toEqual({ businessId: '0b5c-1' });
    expect((await world.call('GET /connections/company')).body).toMatchObject({ values: { businessId: '0b5c-1' } });
    world.later(accessTokenSeconds / 2 + 1);
    await world.refresh('company');
    expect((await token('company')).body).toMatchObject({ generation: 2, values: { businessId: '0b5c-1' } });
  });

  test('brings a dead grant back to life', async () => {
    await put('dead');
    await connect('dead');
    await token('dead');
    // As an administrator there could.
    database.exec(`DELETE FROM authorization_server WHERE model = 'Grant'`);
    world.later(accessTokenSeconds + 1);
    await world.refresh('dead');
    expect((await world.call('GET /connections/dead')).body).toMatchObject({
      state: 'reauthorization_required',
      cause: 'invalid_grant',
    });
    await connect('dead');
    expect((await world.call('GET /connections/dead')).body).toMatchObject({ state: 'active' });
    expect((await token('dead')).status).toBe(200);
  });

  test('that the person refuses changes nothing, and the link may be opened again', async () => {
    await put('refused');
    const link = await linkFor('refused');
    const before = await world.stored();
    expect(await world.open(String(await loggedIn(link, 'deny')))).toMatchObject({
      status: 403,
      title: expect.stringContaining('denied'),
    });
    expect(await world.stored()).toEqual(before);
    expect(await world.open(String(await loggedIn(link)))).toMatchObject({ status: 200 });
  });
});

describe('a callback redeems nothing', () => {
  /** Whatever the page says: no call is made, and nothing changes. */
  async function refused(
    query: URLSearchParams | string,
  ): Promise<{ readonly status: number; readonly title: string }> {
    const [before, callsBefore] = [await world.stored(), calls.length];
    const { status, title } = await world.open(String(query));
    expect(await world.stored()).toEqual(before);
    expect(calls).toHaveLength(callsBefore);
    return { status, title };
  }
  const used = { status: 410, title: 'This link was used already, or replaced' };
  const unknown = { status: 400, title: 'This link does not work' };

  test('the second time', async () => {
    await put('twice');
    const query = await connect('twice');
    expect(await refused(query)).toEqual(used);
    expect((await token('twice')).status).toBe(200);
  });

  test('when it comes twice at the same time: one of them redeems', async () => {
    await put('race');
    const query = String(await loggedIn(await linkFor('race')));
    const before = calls.length;
    const pages = await Promise.all([world.open(query), world.open(query), world.open(query)]);
    expect(pages.map(({ status }) => status).sort()).toEqual([200, 410, 410]);
    expect(calls.slice(before)).toMatchObject([{ grantType: 'authorization_code', status: 200 }]);
  });

  test('after the link has expired, and up to then it does', async () => {
    await put('late');
    const [first, second] = [await linkFor('late'), limits.authorizationMs / 1_000];
    world.later(second - 5);
    expect(await world.open(String(await loggedIn(first)))).toMatchObject({ status: 200 });
    const link = await linkFor('late');
    const query = await loggedIn(link);
    world.later(second + 1);
    expect(await refused(query)).toMatchObject({ status: 410, title: 'This link has expired' });
  });

  test('once a newer link was made, the grant replaced, or the settings changed', async () => {
    await put('newer');
    const outdated = await loggedIn(await linkFor('newer'));
    const newest = await loggedIn(await linkFor('newer'));
    expect(await refused(outdated)).toEqual(used);
    await put('newer', { lifetime_seconds: 99 });
    expect(await refused(newest)).toEqual(used);
    const more = await loggedIn(await linkFor('newer'));
    await connect('newer');
    expect(await refused(more)).toEqual(used);
  });

  test('with a state that was altered, is missing, is there twice, or belongs to no connection', async () => {
    await put('altered');
    const query = await loggedIn(await linkFor('altered'));
    const state = query.get('state') ?? '';
    const having = (value: string) => new URLSearchParams({ ...Object.fromEntries(query), state: value });
    expect(await refused(having(`${state.slice(0, -9)}AAAAAAAA${state.at(-1)}`))).toEqual(unknown);
    expect(await refused(having(''))).toEqual(unknown);
    expect(await refused('')).toEqual(unknown);
    expect(await refused(`${query}&state=${state}`)).toMatchObject({ status: 400 });
    expect(await refused(`${query}&code=another`)).toMatchObject({ status: 400 });
    // The untouched one still works: none of these has used it up.
    expect(await world.open(String(query))).toMatchObject({ status: 200 });
  });

  test('for another connection: a state connects the one that it was made for', async () => {
    await put('mine');
    await put('yours');
    const query = await loggedIn(await linkFor('mine'));
    await linkFor('yours');
    expect(await world.open(String(query))).toMatchObject({
      status: 200,
      html: expect.stringContaining('connection mine'),
    });
    expect((await token('mine')).status).toBe(200);
    expect(await token('yours')).toMatchObject({ status: 409, body: { code: 'reauthorization_required' } });
  });

  test('from another issuer (RFC 9207)', async () => {
    await put('mixed-up');
    const query = await loggedIn(await linkFor('mixed-up'));
    expect(query.get('iss')).toBe(server.issuer);
    const forged = new URLSearchParams(query);
    forged.set('iss', 'https://attacker.example');
    expect(await refused(forged)).toMatchObject({ status: 400, title: 'The answer came from somewhere else' });
    expect(await world.open(String(query))).toMatchObject({ status: 200 });
  });

  test('while the secrets are out of reach: the link is not used up by that', async () => {
    await put('outage');
    const query = await loggedIn(await linkFor('outage'));
    world.stores.secretsManager.down = true;
    const answer = await world
      .with({}, async () => expect(await refused(query)).toMatchObject({ status: 503 }))
      .finally(() => {
        world.stores.secretsManager.down = false;
      });
    expect(answer).toBeUndefined();
    expect(await world.open(String(query))).toMatchObject({ status: 200 });
  });
});

describe('the provider refuses', () => {
  test('a code that comes with another link’s verifier: it checks PKCE', async () => {
    await put('pkce');
    const query = await loggedIn(await linkFor('pkce'));
    const other = await linkFor('pkce');
    const crossed = new URLSearchParams({ ...Object.fromEntries(query), state: other.searchParams.get('state') ?? '' });
    const before = await itemOf('pkce');
    const { status, html } = await world.open(String(crossed));
    expect({ status, html }).toEqual({ status: 502, html: expect.stringContaining('invalid_grant') });
    expect(calls.at(-1)).toMatchObject({ grantType: 'authorization_code', status: 400, error: 'invalid_grant' });
    const after = await itemOf('pkce');
    expect(after?.grant.id).toBe(before?.grant.id);
    // The code was sent, so this link is used up.
    expect(await world.open(String(crossed))).toMatchObject({ status: 410 });
  });

  test('and the grant that there was is kept', async () => {
    await put('kept');
    await connect('kept');
    const link = await linkFor('kept');
    const query = new URLSearchParams({ state: link.searchParams.get('state') ?? '', code: world.secret('code') });
    expect(await world.open(String(query))).toMatchObject({ status: 502 });
    expect((await token('kept')).status).toBe(200);
    expect((await world.call('GET /connections/kept')).body).toMatchObject({ state: 'active', generation: 1 });
  });

  test('with an error of its own, whose words are shown as text', async () => {
    await put('error');
    const state = (await linkFor('error')).searchParams.get('state') ?? '';
    const { status, html } = await world.open(
      String(new URLSearchParams({ state, error: 'server_error', error_description: '<b>down</b>' })),
    );
    expect({ status, html }).toEqual({
      status: 502,
      html: expect.stringContaining('<blockquote>&lt;b&gt;down&lt;/b&gt;</blockquote>'),
    });
  });
});

test('what happened is in the log, and neither code nor state', () => {
  expect(world.logged('authorized').length).toBeGreaterThan(5);
  expect(world.logged('authorization_failed').map(({ reason }) => reason)).toEqual(
    expect.arrayContaining(['link_used', 'link_expired', 'denied', 'another_issuer', 'refused']),
  );
  expect(JSON.stringify(world.logged('authorization_failed'))).not.toMatch(/eyJ|code_verifier/);
});

hunt(() => world);
