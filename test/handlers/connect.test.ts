/** Links, their page, and attacks on a login: fixation (RFC 9700 §4.7) and mix-up (RFC 9700 §4.4). */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Browser, hunt, openWorld, origin } from './world.ts';

let world: Awaited<ReturnType<typeof openWorld>>;

beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const request = (more: object = {}) => ({
  provider: 'generic-oauth2',
  settings: {
    token_endpoint: world.provider.tokenEndpoint,
    authorization_endpoint: 'https://id.example.com/authorize',
    scope: 'offline_access',
  },
  client: { client_id: 'app', client_secret: world.secret('client') },
  ...more,
});

const put = async (name: string, more: object = {}) =>
  expect((await world.call(`PUT /connections/${name}`, request(more))).status).toBeLessThan(300);

const answered = (authorizeUrl: URL) =>
  new URLSearchParams({ state: authorizeUrl.searchParams.get('state') ?? '', code: world.secret('code') });

/** No call is made, and nothing changes, whatever the page says. */
async function unchanged<T>(act: () => Promise<T>): Promise<T> {
  const [before, calls] = [await world.stored(), world.provider.calls.length];
  const result = await act();
  expect(await world.stored()).toEqual(before);
  expect(world.provider.calls).toHaveLength(calls);
  return result;
}

describe('a link', () => {
  test('is good for ten minutes, or for as long as was asked', async () => {
    await put('life');
    for (const [body, seconds] of [
      [undefined, 600],
      [{}, 600],
      [{ expires_in: 60 }, 60],
      [{ expires_in: 604_800 }, 604_800],
    ] as const) {
      const answer = await world.call('POST /connections/life/authorizations', body);
      expect(answer).toMatchObject({ status: 201 });
      expect(answer.body).toEqual({
        connect_url: expect.stringMatching(/^https:\/\/[^/]+\/connect\/life\?link=[\w-]{171}$/),
        expires_at: expect.any(String),
      });
      expect(Math.abs(Date.parse(String(answer.body.expires_at)) - Date.now() - seconds * 1_000)).toBeLessThan(9_000);
    }
  });

  test.each([
    [{ expires_in: 59 }, 'expires_in'],
    [{ expires_in: 604_801 }, 'expires_in'],
    [{ expires_in: 60.5 }, 'expires_in'],
    [{ expires_in: '600' }, 'expires_in'],
    [{ expires_in: null }, 'expires_in'],
    [[], 'body'],
    ['null', 'body'],
    ['{', 'body'],
  ])('is not made for %j', async (body, path) => {
    await put('faulty');
    const answer = await unchanged(() => world.call('POST /connections/faulty/authorizations', body));
    expect(answer).toMatchObject({ status: 400, body: { faults: [{ path }] } });
  });

  test('is refused with every fault at once, and with what was meant', async () => {
    const answer = await world.call('POST /connections/FAULTY/authorizations?ttl=3600', {
      expiresin: 5,
      expires_in: 5,
    });
    expect(answer.body.faults).toEqual([
      expect.objectContaining({ path: 'connection' }),
      expect.objectContaining({ path: 'ttl' }),
      { path: 'expiresin', message: 'is not known; did you mean expires_in?' },
      expect.objectContaining({ path: 'expires_in' }),
    ]);
  });

  test('is not made where there is no login, with advice that can be followed', async () => {
    const secret = world.secret('assertion');
    await world.call('PUT /connections/machine', {
      ...request(),
      settings: { token_endpoint: world.provider.tokenEndpoint, grant: 'client_credentials' },
    });
    expect((await world.call('POST /connections/machine/authorizations')).body.faults).toEqual([
      { path: 'connection', message: expect.stringMatching(/without a login: PUT .* is all that it takes/) },
    ]);
    const maesn = { provider: 'maesn', settings: { api_key: secret, account_key: world.secret('key') } };
    expect((await world.call('PUT /connections/nb', maesn)).status).toBe(201);
    const { body } = await world.call('POST /connections/nb/authorizations');
    expect(JSON.stringify(body)).not.toContain('authorization_endpoint');
  });

  test('opens a page that changes nothing, however often it is opened, by whatever', async () => {
    await put('scanned', { account: 'ann' });
    const link = await world.link('scanned');
    await unchanged(async () => {
      for (const headers of [{}, { 'sec-purpose': 'prefetch' }, { 'user-agent': 'scanner' }]) {
        const { status, html } = await world.visit(link, { headers, browser: new Map() });
        expect({ status, html }).toEqual({ status: 200, html: expect.stringContaining('<dd>ann</dd>') });
        expect(html).toContain('<dd>role/worker</dd>');
      }
    });
    expect(await world.open('scanned', answered(await world.begin(link)))).toMatchObject({ title: 'Connected' });
  });

  test('tells before the login that it has expired, was withdrawn, replaced or used, or leads nowhere', async () => {
    await put('ends');
    const [expired, minute] = [await world.link('ends', { expires_in: 60 }), 60];
    world.later(minute - 2);
    expect(await world.visit(expired)).toMatchObject({ status: 200 });
    world.later(3);
    expect(await world.visit(expired)).toMatchObject({ status: 410, title: 'This link has expired', href: '' });
    const [replaced, withdrawn] = [await world.link('ends'), await world.link('ends')];
    const over = { status: 410, title: 'This link was replaced or withdrawn', href: '' };
    expect(await world.visit(replaced)).toMatchObject(over);
    const begun = await world.begin(withdrawn);
    expect((await world.call('DELETE /connections/ends/authorizations')).status).toBe(204);
    expect(await world.visit(withdrawn)).toMatchObject(over);
    expect(await unchanged(() => world.open('ends', answered(begun)))).toMatchObject({ status: 410 });
    const used = await world.link('ends');
    await world.open('ends', answered(await world.begin(used)));
    expect(await world.visit(used)).toMatchObject({ status: 410, title: 'Connected already', href: '' });
    const last = await world.link('ends');
    await put('ends', { margin_seconds: 20 });
    expect(await world.visit(last)).toMatchObject(over);
    expect((await world.call('DELETE /connections/nowhere/authorizations')).status).toBe(404);
    expect((await world.call('DELETE /connections/ends/authorizations?all=1')).status).toBe(400);
  });

  test('is for its connection only, and not to be guessed', async () => {
    await put('one');
    await put('two');
    const link = await world.link('one');
    const unknown = { status: 400, title: 'This link does not work' };
    for (const url of [link.replace('/one?', '/two?'), `${link}A`, link.slice(0, -1), `${origin}/connect/one`])
      expect(await world.visit(url)).toMatchObject(unknown);
  });

  test('speaks the language that the browser asks for', async () => {
    await put('language');
    const link = await world.link('language');
    const { html } = await world.visit(link, { headers: { 'accept-language': 'nl-BE,nl;q=0.9' } });
    expect(html).toContain('<html lang="nl">');
    expect(html).toContain('Verder naar id.example.com');
    const page = await world.open('language', answered(await world.begin(link)), {
      headers: { 'accept-language': 'de' },
    });
    expect(page.title).toBe('Verbunden');
  });
});

describe('fixation: the thief’s login, finished by a victim', () => {
  test('a login that the thief began, clicked by a victim, connects nothing', async () => {
    await put('thief');
    const [thief, victim]: [Browser, Browser] = [new Map(), new Map()];
    const begun = await world.begin(await world.link('thief'), thief);
    const query = answered(begun);
    const refused = { status: 403, title: 'This login did not begin in this browser' };
    expect(await unchanged(() => world.open('thief', query, { browser: victim }))).toMatchObject(refused);
    // A victim who has a cookie, of a login of their own.
    await put('victim');
    await world.begin(await world.link('victim'), victim);
    expect(await unchanged(() => world.open('thief', query, { browser: victim }))).toMatchObject(refused);
    expect(world.logged('authorization_failed').at(-1)).toMatchObject({
      reason: 'another_browser',
      connection: 'thief',
    });
  });

  test('a cookie that nobody here made is no browser', async () => {
    await put('forged');
    const browser = new Map([
      ['__Host-connect', 'x'],
      ['connect', '33333333-3333-4333-8333-333333333333'],
    ]);
    const begun = await world.begin(await world.link('forged'), browser);
    expect(browser.get('__Host-connect')).toMatch(/^[0-9a-f-]{36}$/);
    expect(await world.open('forged', answered(begun), { browser })).toMatchObject({ title: 'Connected' });
  });

  test('two links in one browser, and a page that is opened again, do not disturb each other', async () => {
    await put('tab-one');
    await put('tab-two');
    const link = await world.link('tab-one');
    const first = await world.begin(link);
    const second = await world.begin(await world.link('tab-two'));
    await world.begin(link);
    expect(await world.open('tab-two', answered(second))).toMatchObject({ title: 'Connected' });
    expect(await world.open('tab-one', answered(first))).toMatchObject({ title: 'Connected' });
  });
});

describe('mix-up: one provider’s code, taken to another', () => {
  const elsewhere = { status: 403, title: 'This answer is for another connection' };

  test('a state comes back to the redirect URI of another connection', async () => {
    await put('malicious');
    await put('honest');
    const query = answered(await world.begin(await world.link('malicious')));
    expect(await unchanged(() => world.open('honest', query))).toMatchObject(elsewhere);
    expect(await unchanged(() => world.visit(`${origin}/oauth/callback?${query}`))).toMatchObject(elsewhere);
    expect(await world.open('malicious', query)).toMatchObject({ title: 'Connected' });
  });

  test('the shared path is for connections that were put so, and for these only it is', async () => {
    await put('old', { callback: 'shared' });
    expect((await world.call('GET /connections/old')).body).toMatchObject({ callback: 'shared' });
    const begun = await world.begin(await world.link('old'));
    expect(begun.searchParams.get('redirect_uri')).toBe(`${origin}/oauth/callback`);
    const query = answered(begun);
    expect(await unchanged(() => world.open('old', query))).toMatchObject(elsewhere);
    expect(await world.visit(`${origin}/oauth/callback?${query}`)).toMatchObject({ title: 'Connected' });
    expect(world.provider.calls.at(-1)?.parameters.get('redirect_uri')).toBe(`${origin}/oauth/callback`);
  });

  test('a provider that always says who it is (RFC 9207) is not believed without', async () => {
    const google = { provider: 'google', settings: { scope: 'openid', token_endpoint: world.provider.tokenEndpoint } };
    await put('google', google);
    const query = answered(await world.begin(await world.link('google')));
    const refused = { status: 400, title: 'The answer came from somewhere else' };
    expect(await unchanged(() => world.open('google', query))).toMatchObject(refused);
    query.set('iss', 'https://accounts.google.com.example');
    expect(await unchanged(() => world.open('google', query))).toMatchObject(refused);
    query.set('iss', 'https://accounts.google.com');
    expect(await world.open('google', query)).toMatchObject({ title: 'Connected' });
  });
});

describe('a callback', () => {
  test('that a browser fetches ahead is left alone', async () => {
    await put('ahead');
    const query = answered(await world.begin(await world.link('ahead')));
    const { handler } = await import('../../lambdas/authorizations.ts');
    const { routed } = await import('./request.ts');
    for (const headers of [{ 'sec-purpose': 'prefetch;prerender' }, { purpose: 'prefetch' }, { 'x-moz': 'prefetch' }]) {
      const { event } = routed(`GET /oauth/callback/ahead?${query}`);
      const cookies = [...world.browser].map(([name, value]) => `${name}=${value}`);
      const answer = await unchanged(() => handler({ ...event, headers, cookies }));
      expect(answer).toEqual({ statusCode: 503, headers: { 'cache-control': 'no-store' } });
    }
    expect(await world.open('ahead', query)).toMatchObject({ title: 'Connected' });
  });

  test('names what was connected', async () => {
    await put('named', { account: 'ann@example.com' });
    const { html } = await world.open('named', answered(await world.begin(await world.link('named'))));
    for (const value of ['named', 'ann@example.com']) expect(html).toContain(`<dd>${value}</dd>`);
  });

  test.each([
    ['invalid_scope', 'scope'],
    ['redirect_uri_mismatch', 'redirect URI'],
    ['unauthorized_client', 'application'],
    ['server_error', 'Wait'],
    ['something_else', 'what it says here'],
  ])('with %s and no state tells the code and what to do, and the words go to the log', async (error, advice) => {
    const query = new URLSearchParams({ error, error_description: 'Call +1 555 0100 at once' });
    const { status, html } = await unchanged(() => world.open('anything', query));
    expect({ status, html }).toEqual({ status: 502, html: expect.stringContaining(error) });
    expect(html).toContain(advice);
    expect(html).not.toContain('555');
    expect(world.logged('authorization_failed').at(-1)).toMatchObject({
      reason: 'refused_without_state',
      connection: 'anything',
      code: error,
      description: expect.stringContaining('at once'),
    });
  });

  test('with an error that is none of the protocol’s shows nothing of it', async () => {
    const { html } = await world.open('anything', new URLSearchParams({ error: '<b>Call now</b>' }));
    expect(html).toContain('unknown_error');
    expect(html).not.toContain('Call now');
  });

  test('from another data centre names the region to put (asciisd/zoho#18)', async () => {
    await put('zoho', { provider: 'zoho', settings: { region: 'com' } });
    const query = answered(await world.begin(await world.link('zoho')));
    query.set('location', 'eu');
    query.set('accounts-server', 'https://accounts.zoho.eu');
    const { status, html } = await unchanged(() => world.open('zoho', query));
    expect({ status, html }).toEqual({
      status: 409,
      html: expect.stringContaining('&quot;region&quot;: &quot;eu&quot;'),
    });
  });
});

hunt(() => world);
