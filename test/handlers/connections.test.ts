import { describe, expect, test } from 'vitest';
import { routed } from './request.ts';
import { handlerWorld, hunt, origin } from './world.ts';

const world = await handlerWorld();

const client = () => ({ client_id: 'app', client_secret: world.secret('client') });
const request = (more: object = {}) => ({
  provider: 'generic-oauth2',
  settings: { token_endpoint: world.provider.tokenEndpoint },
  client: client(),
  refresh_token: world.secret('refresh'),
  ...more,
});
const itemOf = async (connection: string) => {
  const item = (await world.stores.items())[connection];
  if (item === undefined) throw new Error(`there is no item ${connection}`);
  return item;
};

describe('PUT creates', () => {
  test('a connection, and describes it without its secrets', async () => {
    const { status, body } = await world.call(
      'PUT /connections/new',
      request({ renewal: 'always', margin_seconds: 60 }),
    );
    expect(status).toBe(201);
    expect(body).toEqual({
      connection: 'new',
      provider: 'generic-oauth2',
      settings: { token_endpoint: world.provider.tokenEndpoint },
      client: { client_id: 'app', client_secret: '[redacted]' },
      renewal: 'always',
      margin_seconds: 60,
      application: `generic-oauth2 ${world.provider.tokenEndpoint} app`,
      state: 'active',
      unproven: true,
      generation: 0,
      next_renewal_at: body.created_at,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    });
    expect(await world.call('GET /connections/new')).toEqual({ status: 200, headers: expect.anything(), body });
  });

  test('a connection that waits for its authorization, if there is no refresh token', async () => {
    const { status, body } = await world.call('PUT /connections/waiting', request({ refresh_token: undefined }));
    expect(status).toBe(201);
    expect(body).toMatchObject({ state: 'reauthorization_required', cause: 'not_authorized_yet' });
  });

  test('a connection of a client that has no secret, from a body in base64', async () => {
    const settings = { token_endpoint: world.provider.tokenEndpoint, client_authentication: 'none' };
    const { event } = routed('PUT /connections/public', request({ settings, client: { client_id: 'app' } }));
    const encoded = { ...event, body: Buffer.from(event.body ?? '').toString('base64'), isBase64Encoded: true };
    const { status, body } = await world.invoke('connections', encoded);
    expect(status).toBe(201);
    expect(body.client).toEqual({ client_id: 'app' });
  });
});

describe('the redirect URI that is to be registered', () => {
  const put = async (name: string, more: object) =>
    (await world.call(`PUT /connections/${name}`, request({ settings: login, ...more }))).body.redirect_uri;
  const login = { token_endpoint: world.provider.tokenEndpoint, authorization_endpoint: world.provider.tokenEndpoint };

  test.each<[string, object, string | undefined]>([
    ['is a path of its own', {}, `${origin}/oauth/callback/to-register`],
    ['is the shared one where that was put', { callback: 'shared' }, `${origin}/oauth/callback`],
    ['is none where there is no login', { settings: { token_endpoint: world.provider.tokenEndpoint } }, undefined],
  ])('%s', async (_what, more, expected) => {
    expect(await put('to-register', more)).toBe(expected);
    expect((await world.call('GET /connections/to-register')).body.redirect_uri).toBe(expected);
  });

  test('is at the deployment’s own address, if it has one', async () => {
    await world.with({ API_URL: 'https://tokens.example/v1' }, async () => {
      expect(await put('to-register', {})).toBe('https://tokens.example/v1/oauth/callback/to-register');
    });
  });
});

describe('a pause', () => {
  test('stops renewals, whatever is asked, and says so; its end has them go on', async () => {
    await world.call('PUT /connections/paused', request({ renewal: 'always' }));
    await world.refresh('paused');
    const { status, body } = await world.call('PUT /connections/paused/pause');
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { state: 'active', paused_since: expect.any(String) },
    });
    expect(body).not.toHaveProperty('next_renewal_at');
    // Sent again, it changes nothing.
    expect((await world.call('PUT /connections/paused/pause')).body.paused_since).toBe(body.paused_since);
    await world.refresh('paused');
    expect(world.stores.events().at(-1)?.detail).toMatchObject({ connection: 'paused', changed: ['paused'] });
    const calls = world.provider.calls.length;
    world.later(300);
    expect((await world.call('GET /token/paused')).body.warning).toContain('paused');
    world.later(300);
    const none = await world.call('GET /token/paused?wait=25');
    expect(none).toMatchObject({ status: 503, body: { code: 'temporarily_unavailable', retry_after: 60 } });
    expect(none.body.detail).toContain('is paused');
    await world.refresh('paused');
    // Settings that are put leave it paused.
    expect((await world.call('PUT /connections/paused', request({ refresh_token: undefined }))).body).toHaveProperty(
      'paused_since',
    );
    await world.refresh('paused');
    expect(world.provider.calls).toHaveLength(calls);
    expect((await itemOf('paused'))?.dueAt).toBeUndefined();
    const resumed = await world.call('DELETE /connections/paused/pause');
    expect(resumed.body).not.toHaveProperty('paused_since');
    await world.refresh('paused');
    await world.refresh('paused');
    expect((await world.call('GET /token/paused')).body).toMatchObject({ generation: 2 });
  });

  test('is of a connection that there is, and takes no body', async () => {
    expect((await world.call('PUT /connections/nowhere/pause')).status).toBe(404);
    expect((await world.call('PUT /connections/nowhere/pause', { paused: true })).status).toBe(400);
  });
});

describe('PUT replaces', () => {
  test('settings, and keeps the grant, its token and the client secret that was not sent', async () => {
    await world.call('PUT /connections/kept', request());
    await world.call('GET /token/kept?wait=0');
    await world.refresh('kept');
    const before = await itemOf('kept');
    const { status, body } = await world.call(
      'PUT /connections/kept',
      request({ client: { client_id: 'app' }, refresh_token: undefined, margin_seconds: 90 }),
    );
    expect(status).toBe(200);
    expect(body).toMatchObject({
      margin_seconds: 90,
      state: 'active',
      generation: 1,
      client: { client_secret: '[redacted]' },
    });
    const after = await itemOf('kept');
    const { grant, generation, tokens, refreshToken } = before;
    expect(after).toMatchObject({ grant, generation, tokens, refreshToken });
    expect(after.config).toEqual({ ...before.config, marginSeconds: 90 });
    expect((await world.call('GET /token/kept')).status).toBe(200);
  });

  test('the grant, if a refresh token comes with it: the old access token is served no more', async () => {
    await world.call('PUT /connections/imported', request());
    await world.call('GET /token/imported?wait=0');
    await world.refresh('imported');
    const refreshToken = world.secret('refresh');
    const { status, body } = await world.call('PUT /connections/imported', request({ refresh_token: refreshToken }));
    expect(status).toBe(200);
    expect(body).not.toHaveProperty('expires_at');
    expect((await world.call('GET /token/imported?wait=0')).status).toBe(503);
    await world.refresh('imported');
    expect(world.provider.calls.at(-1)?.parameters.get('refresh_token')).toBe(refreshToken);
    expect((await world.call('GET /token/imported')).body).toMatchObject({ generation: 2 });
  });

  test.each([
    ['provider', 'app', { provider: 'exact-online', settings: { country: 'nl' } }],
    ['token endpoint', 'app', { settings: { token_endpoint: 'https://example.com/token' } }],
    ['client', 'other', {}],
  ])(
    'no %s without a refresh token for it: the stored one would be sent to somebody else',
    async (what, clientId, changed) => {
      const name = `bound-${what.replace(' ', '-')}`;
      const more = { ...changed, client: { ...client(), client_id: clientId } };
      await world.call(`PUT /connections/${name}`, request());
      const before = await world.stored();
      const refused = await world.call(`PUT /connections/${name}`, request({ refresh_token: undefined, ...more }));
      expect(refused).toMatchObject({
        status: 400,
        body: { faults: [{ path: 'refresh_token', message: expect.stringMatching(/belongs to another/) }] },
      });
      expect(await world.stored()).toEqual(before);
      expect((await world.call(`PUT /connections/${name}`, request(more))).status).toBe(200);
    },
  );

  test('the client only together with its secret', async () => {
    await world.call('PUT /connections/other-client', request());
    const before = await world.stored();
    const { status, body } = await world.call(
      'PUT /connections/other-client',
      request({ client: { client_id: 'other' }, refresh_token: undefined }),
    );
    expect(status).toBe(400);
    expect(body.faults).toMatchObject([{ path: 'client.client_secret' }, { path: 'refresh_token' }]);
    expect(await world.stored()).toEqual(before);
  });

  test('what was misconfigured, which is then tried again', async () => {
    await world.call('PUT /connections/mended', request());
    world.provider.instead = () => ({ status: 401, body: { error: 'invalid_client' } });
    await world.call('GET /token/mended?wait=0');
    await world.refresh('mended');
    expect((await world.call('GET /connections/mended')).body).toMatchObject({
      state: 'misconfigured',
      cause: 'invalid_client',
    });
    world.provider.instead = undefined;
    const { status, body } = await world.call('PUT /connections/mended', request({ refresh_token: undefined }));
    expect({ status, ...body }).toMatchObject({ status: 200, state: 'active' });
    expect(body).not.toHaveProperty('cause');
    await world.call('GET /token/mended?wait=0');
    await world.refresh('mended');
    expect((await world.call('GET /token/mended')).status).toBe(200);
  });
});

describe('from one kind of grant to the other', () => {
  const byClient = (more: object = {}) =>
    request({ settings: { token_endpoint: world.provider.tokenEndpoint, grant: 'client_credentials' }, ...more });

  test('client credentials need no authorization: a connection that waits for one is active', async () => {
    await world.call('PUT /connections/no-person', request({ refresh_token: undefined }));
    const { body } = await world.call('PUT /connections/no-person', byClient({ refresh_token: undefined }));
    expect(body).toMatchObject({ state: 'active' });
    await world.call('GET /token/no-person?wait=0');
    await world.refresh('no-person');
    expect((await world.call('GET /token/no-person')).status).toBe(200);
  });

  test('a refresh token is needed where there was none', async () => {
    await world.call('PUT /connections/a-person', byClient({ refresh_token: undefined }));
    const before = await world.stored();
    const refused = await world.call('PUT /connections/a-person', request({ refresh_token: undefined }));
    expect(refused).toMatchObject({ status: 400, body: { faults: [{ path: 'refresh_token' }] } });
    expect(await world.stored()).toEqual(before);
  });
});

describe('GET', () => {
  test('lists every connection once, page by page, by name', async () => {
    const names = Array.from({ length: 7 }, (_, i) => `listed-${i}`);
    const settings = { token_endpoint: world.provider.tokenEndpoint, client_authentication: 'none' };
    for (const name of names.toReversed()) {
      const body = { provider: 'generic-oauth2', settings, client: { client_id: 'app' } };
      expect((await world.call(`PUT /connections/${name}`, body)).status).toBe(201);
    }
    const listed: unknown[] = [];
    let after: unknown;
    do {
      const { status, body } = await world.call(
        `GET /connections?limit=3${after === undefined ? '' : `&after=${after}`}`,
      );
      expect(status).toBe(200);
      const connections = body.connections as { readonly connection: string }[];
      expect(connections.length).toBeLessThanOrEqual(3);
      listed.push(...connections.map(({ connection }) => connection));
      after = body.next;
    } while (after !== undefined);
    const connections = Object.keys(await world.stores.items()).filter((key) => !key.startsWith('#'));
    expect(listed).toEqual(connections.toSorted());
    expect(listed).toEqual(expect.arrayContaining(names));
  });

  test('lists those in a state, or of a provider, in pages of a size', async () => {
    const settings = { token_endpoint: world.provider.tokenEndpoint };
    for (const name of ['z-1', 'z-3', 'z-5'])
      await world.call(`PUT /connections/${name}`, {
        provider: 'exact-online',
        settings,
        client: client(),
        account: name,
      });
    for (const name of ['z-2', 'z-4']) await world.call(`PUT /connections/${name}`, request());
    await world.call('DELETE /connections/z-4');
    const names = async (query: string) => {
      const { status, body } = await world.call(`GET /connections?${query}`);
      expect(status).toBe(200);
      return [(body.connections as { connection: string }[]).map(({ connection }) => connection), body.next];
    };
    expect(await names('after=z&provider=exact-online&limit=2')).toEqual([['z-1', 'z-3'], 'z-3']);
    expect(await names('after=z-3&provider=exact-online&limit=2')).toEqual([['z-5'], undefined]);
    expect(await names('after=z&state=active,deleting')).toEqual([['z-2', 'z-4'], undefined]);
    expect(await names('after=z&state=active&state=deleting')).toEqual([['z-2', 'z-4'], undefined]);
    expect(await names('after=z&state=reauthorization_required&provider=generic-oauth2')).toEqual([[], undefined]);
  });

  test('tells that there is no such connection', async () => {
    expect(await world.call('GET /connections/nowhere')).toMatchObject({
      status: 404,
      body: { code: 'connection_not_found', detail: expect.stringContaining('"nowhere"'), downstream_errors: [] },
    });
  });
});

describe('what fails', () => {
  test('secrets that cannot be stored: nothing points to them, and the client may try again', async () => {
    const before = await world.stored();
    world.stores.secretsManager.down = true;
    const answer = await world.call('PUT /connections/unlucky', request());
    world.stores.secretsManager.down = false;
    expect(answer).toMatchObject({
      status: 503,
      headers: { 'retry-after': '5' },
      body: { code: 'temporarily_unavailable' },
    });
    expect(await world.stored()).toEqual(before);
    expect(world.logged('request_failed').at(-1)).toMatchObject({
      level: 'ERROR',
      route: 'PUT /connections/{connection}',
      connection: 'unlucky',
    });
  });
});

hunt(() => world);
