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
import { newBrowser } from './browser.ts';
import { hunt, openWorld, origin } from './world.ts';

const redirectUri = `${origin}/oauth/callback`;
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

/** Makes a link, opens it, and returns where its page leads. */
const linkFor = async (name: string): Promise<URL> => world.begin(await world.link(name));

/** Logs in, and returns the query that the browser brings back. */
async function loggedIn(link: URL, answer: 'allow' | 'deny' = 'allow'): Promise<URLSearchParams> {
  const { searchParams } = await newBrowser().login(link.href, answer, redirectUri);
  const code = searchParams.get('code');
  if (code !== null) world.known(code);
  return searchParams;
}

async function connect(name: string): Promise<URLSearchParams> {
  const query = await loggedIn(await linkFor(name));
  expect(await world.open(name, query)).toMatchObject({ status: 200, title: 'Connected' });
  return query;
}

async function token(name: string) {
  const answer = await world.call(`GET /token/${name}?wait=0`);
  if (answer.status === 200) world.known(String(answer.body.access_token));
  return answer;
}

const itemOf = async (name: string) => (await world.stores.items())[name];

test('of two client secrets, the one that a login finds refused is not sent again: the next link connects', async () => {
  const { clientId: client_id, clientSecret } = server.client;
  const client = { client_id, client_secret: [world.secret('client'), clientSecret] };
  await world.call('PUT /connections/two-secrets', { ...connection(), client });
  const before = calls.length;
  const query = await loggedIn(await linkFor('two-secrets'));
  const refused = await world.open('two-secrets', query);
  expect(refused.title).not.toBe('Connected');
  // Its code was sent once, and is not sent again with the other secret.
  expect(calls.slice(before).map(({ status }) => status)).toEqual([401]);
  expect((await world.call('GET /connections/two-secrets')).body).toMatchObject({
    client: { client_secret_in_use: 'second' },
  });
  await connect('two-secrets');
  await world.call('DELETE /connections/two-secrets');
});

describe('a link', () => {
  test('asks for a code with PKCE, for this client, and back to this API', async () => {
    await put('asked');
    const url = await linkFor('asked');
    expect(url.origin + url.pathname).toBe(server.authorizationEndpoint);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      response_type: 'code',
      client_id: server.client.clientId,
      redirect_uri: `${redirectUri}/asked`,
      scope: 'openid offline_access',
      state: expect.stringMatching(/^[\w-]{171}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    });
    // A plus is no space outside forms.
    expect(url.search).toContain('scope=openid%20offline_access');
  });

  test('leads back to the address of the deployment’s own, with its path, whatever host the caller used', async () => {
    await put('elsewhere');
    await world.with({ API_URL: 'https://api.example/broker' }, async () => {
      const link = await world.link('elsewhere');
      expect(link).toMatch(/^https:\/\/api\.example\/broker\/connect\/elsewhere\?link=/);
      const { searchParams } = await world.begin(link.replace('https://api.example/broker', origin));
      expect(searchParams.get('redirect_uri')).toBe('https://api.example/broker/oauth/callback/elsewhere');
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
    await world.open('again', await loggedIn(link));
    const after = await itemOf('again');
    expect(after).toMatchObject({
      config: before?.config,
      createdAt: before?.createdAt,
      generation: 2,
      state: 'active',
    });
    expect(after?.grant.id).not.toBe(before?.grant.id);
    expect((await token('again')).body.access_token).not.toBe(body.access_token);
    expect(after?.authorization).toMatchObject({ outcome: { kind: 'connected' } });
  });

  test('brings what the callback tells: clients get it with the token, and it stays with the grant', async () => {
    await put('company', { business_id: 'of-an-import' });
    const query = await loggedIn(await linkFor('company'));
    query.set('businessId', '0b5c-1');
    query.set('shop', 'no value, with blanks');
    query.set('unheard_of', 'x');
    expect(await world.open('company', query)).toMatchObject({ status: 200 });
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
    expect(await world.open('refused', await loggedIn(link, 'deny'))).toMatchObject({
      status: 403,
      title: expect.stringContaining('denied'),
    });
    expect(await world.stored()).toEqual(before);
    expect(await world.open('refused', await loggedIn(link))).toMatchObject({ status: 200 });
  });
});

describe('a callback redeems nothing', () => {
  /** Whatever the page says: no call is made, and nothing changes. */
  async function refused(
    name: string,
    query: URLSearchParams | string,
  ): Promise<{ readonly status: number; readonly title: string }> {
    const [before, callsBefore] = [await world.stored(), calls.length];
    const { status, title } = await world.open(name, query);
    expect(await world.stored()).toEqual(before);
    expect(calls).toHaveLength(callsBefore);
    return { status, title };
  }
  const over = { status: 410, title: 'This link was replaced or withdrawn' };
  const unknown = { status: 400, title: 'This link does not work' };

  test('the second time, and says again what came of the first', async () => {
    await put('twice');
    const query = await connect('twice');
    expect(await refused('twice', query)).toEqual({ status: 200, title: 'Connected' });
    expect((await token('twice')).status).toBe(200);
  });

  test('when it comes twice at the same time: one of them redeems, and each tells it', async () => {
    await put('race');
    const query = await loggedIn(await linkFor('race'));
    const before = calls.length;
    const pages = await Promise.all([1, 2, 3].map(() => world.open('race', query)));
    expect(pages.map(({ title }) => title)).toEqual(['Connected', 'Connected', 'Connected']);
    expect(calls.slice(before)).toMatchObject([{ grantType: 'authorization_code', status: 200 }]);
  });

  test('of a login that took too long, though one that began in time may end later', async () => {
    await put('late');
    const minutes = (count: number) => world.later(count * 60);
    const [first, second] = [await world.link('late', { expires_in: 60 }), 10];
    const begun = await world.begin(first);
    minutes(second);
    expect(await world.open('late', await loggedIn(begun))).toMatchObject({ status: 200 });
    const query = await loggedIn(await linkFor('late'));
    minutes(10 + second + 1);
    expect(await refused('late', query)).toEqual({ status: 410, title: 'This link has expired' });
  });

  test('once a newer link was made, the grant replaced, or the settings changed', async () => {
    await put('newer');
    const outdated = await loggedIn(await linkFor('newer'));
    const newest = await loggedIn(await linkFor('newer'));
    expect(await refused('newer', outdated)).toEqual(over);
    await put('newer', { lifetime_seconds: 99 });
    expect(await refused('newer', newest)).toEqual(over);
    const more = await loggedIn(await linkFor('newer'));
    await connect('newer');
    expect(await refused('newer', more)).toEqual(over);
  });

  test('with a state that was altered, is missing, is there twice, or belongs to no connection', async () => {
    await put('altered');
    const query = await loggedIn(await linkFor('altered'));
    const state = query.get('state') ?? '';
    const having = (value: string) => new URLSearchParams({ ...Object.fromEntries(query), state: value });
    expect(await refused('altered', having(`${state.slice(0, -9)}AAAAAAAA${state.at(-1)}`))).toEqual(unknown);
    expect(await refused('altered', having(''))).toEqual(unknown);
    expect(await refused('altered', '')).toEqual(unknown);
    expect(await refused('altered', `${query}&state=${state}`)).toMatchObject({ status: 400 });
    expect(await refused('altered', `${query}&code=another`)).toMatchObject({ status: 400 });
    // The untouched one still works: none of these has used it up.
    expect(await world.open('altered', query)).toMatchObject({ status: 200 });
  });

  test('from another issuer (RFC 9207)', async () => {
    await put('mixed-up');
    const query = await loggedIn(await linkFor('mixed-up'));
    expect(query.get('iss')).toBe(server.issuer);
    const forged = new URLSearchParams(query);
    forged.set('iss', 'https://attacker.example');
    expect(await refused('mixed-up', forged)).toMatchObject({
      status: 400,
      title: 'The answer came from somewhere else',
    });
    expect(await world.open('mixed-up', query)).toMatchObject({ status: 200 });
  });

  test('while the secrets are out of reach: the link is not used up by that', async () => {
    await put('outage');
    const query = await loggedIn(await linkFor('outage'));
    world.stores.secretsManager.down = true;
    const answer = await world
      .with({}, async () => expect(await refused('outage', query)).toMatchObject({ status: 503 }))
      .finally(() => {
        world.stores.secretsManager.down = false;
      });
    expect(answer).toBeUndefined();
    expect(await world.open('outage', query)).toMatchObject({ status: 200 });
  });
});

describe('the provider refuses', () => {
  test('a code that comes with another link’s verifier: it checks PKCE', async () => {
    await put('pkce');
    const query = await loggedIn(await linkFor('pkce'));
    const other = await linkFor('pkce');
    const crossed = new URLSearchParams({ ...Object.fromEntries(query), state: other.searchParams.get('state') ?? '' });
    const before = await itemOf('pkce');
    const { status, html } = await world.open('pkce', String(crossed));
    expect({ status, html }).toEqual({ status: 502, html: expect.stringContaining('invalid_grant') });
    expect(calls.at(-1)).toMatchObject({ grantType: 'authorization_code', status: 400, error: 'invalid_grant' });
    const after = await itemOf('pkce');
    expect(after?.grant.id).toBe(before?.grant.id);
    // The code was sent, so this link is used up, and tells it again.
    const sent = calls.length;
    expect(await world.open('pkce', crossed)).toMatchObject({ status: 502, html });
    expect(calls).toHaveLength(sent);
  });

  test('and the grant that there was is kept', async () => {
    await put('kept');
    await connect('kept');
    const link = await linkFor('kept');
    const query = new URLSearchParams({ state: link.searchParams.get('state') ?? '', code: world.secret('code') });
    expect(await world.open('kept', query)).toMatchObject({ status: 502 });
    expect((await token('kept')).status).toBe(200);
    expect((await world.call('GET /connections/kept')).body).toMatchObject({ state: 'active', generation: 1 });
  });

  test('with an error of its own, whose words are shown as text', async () => {
    await put('error');
    const state = (await linkFor('error')).searchParams.get('state') ?? '';
    const { status, html } = await world.open(
      'error',
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
    expect.arrayContaining(['link_over', 'link_expired', 'denied', 'another_issuer', 'refused']),
  );
  expect(JSON.stringify(world.logged('authorization_failed'))).not.toMatch(/eyJ|code_verifier/);
});

hunt(() => world);
