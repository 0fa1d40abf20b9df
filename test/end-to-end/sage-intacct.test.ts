/**
 * Sage Intacct when all is well: REST by login and by client credentials, and XML, each with its preset at its
 * simulator.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  answered,
  clientCredentialsBody,
  restBody,
  type SageBroker,
  startSageBroker,
  untilDue,
  vendors,
  vendorsByXml,
  xmlBody,
} from './sage-intacct-broker.ts';

let world: SageBroker;
beforeAll(async () => {
  world = await startSageBroker();
});
afterAll(() => world.close());

describe('connecting', () => {
  test('REST by login: the first token comes with it, and what the reply says to put on a request opens the API at the entity', async () => {
    const sage = await world.restFor('login');
    expect(await world.connect('login', restBody(sage, { entity_id: 'E100' }))).toMatchObject({
      state: 'reauthorization_required',
      cause: 'not_authorized_yet',
    });
    expect(await world.login('login')).toMatchObject({ status: 200, title: 'Connected' });
    const token = await world.served('login');
    expect(token.headers).toEqual({ Authorization: `Bearer ${token.access_token}`, 'X-IA-API-Param-Entity': 'E100' });
    expect(await vendors(sage, token)).toMatchObject({ status: 200, body: { 'ia::result': [{ entity: 'E100' }] } });
    expect(answered(sage)).toEqual([200]);
  });

  test('REST by a login that brings no refresh token: the page says that a scope is missing, and with it, it connects', async () => {
    const sage = await world.restFor('scope');
    await world.connect('scope', restBody(sage, { scope: 'openid' }));
    const page = await world.login('scope');
    expect(page).toMatchObject({ status: 502, title: 'The provider gave no refresh token' });
    expect(page.html).toContain('offline_access');
    expect(await world.status('scope')).toMatchObject({ state: 'reauthorization_required' });
    await world.connect('scope', restBody(sage, { scope: 'openid offline_access' }));
    expect(await world.login('scope')).toMatchObject({ title: 'Connected' });
  });

  test('REST by client credentials, without a person', async () => {
    const sage = await world.restFor('service');
    expect(await world.connect('service', clientCredentialsBody(sage))).toMatchObject({ state: 'active' });
    expect((await vendors(sage, await world.served('service'))).status).toBe(200);
    await world.forward(untilDue);
    await world.until('service', { generation: 2 });
    expect(answered(sage)).toEqual([200, 200]);
  });

  test('XML by credentials: the session is told with where to use it, and the client’s own sender credentials open the gateway', async () => {
    const sage = await world.xmlFor('session');
    const description = await world.connect('session', xmlBody(sage));
    expect(description).toMatchObject({
      state: 'active',
      secrets: expect.arrayContaining(['sender_password', 'user_password']),
    });
    const token = await world.served('session');
    expect(token).toMatchObject({
      token_type: 'N_A',
      headers: {},
      endpoint: 'https://api.intacct.com/ia/xml/xmlgw.phtml',
      generation: 1,
    });
    expect(sage.sessions.has(String(token.access_token))).toBe(true);
    expect(await vendorsByXml(sage, token)).toContain('<function>query</function>');
  });

  test.each<[string, object, Readonly<Record<string, RegExp>>]>([
    [
      'sage-intacct-rest',
      { entity: 'E100' },
      {
        'settings.entity': /^is not known; did you mean entity_id\?$/,
        'client.client_id': /is missing/,
        'client.client_secret': /is missing/,
      },
    ],
    [
      'sage-intacct-client-credentials',
      { username: 'broker' },
      {
        'settings.username': /^must look like this: /,
        'client.client_id': /is missing/,
        'client.client_secret': /is missing/,
      },
    ],
    [
      'sage-intacct-xml',
      { sender_id: 's', company_id: 'c', user_password: 'p' },
      { 'settings.user_id': /^is missing/, 'settings.sender_password': /missing/ },
    ],
    ['sage-intacct', {}, { provider: /^is not known; known are .*sage-intacct-rest/ }],
  ])('with faults is refused, field by field: %s', async (provider, settings, expected) => {
    const { status, body } = await world.put('faulty', { provider, settings });
    const faults = Object.fromEntries(
      (body.faults as { path: string; message: string }[]).map(({ path, message }) => [path, message]),
    );
    expect([status, body.code]).toEqual([400, 'invalid_request']);
    expect(faults).toEqual(
      Object.fromEntries(Object.entries(expected).map(([path, message]) => [path, expect.stringMatching(message)])),
    );
    expect((await world.token('faulty')).status).toBe(404);
  });
});

test('when all is well, each kind costs one call for each lifetime, and no error', async () => {
  const [byLogin, service, xml] = [
    await world.restInUse('rest'),
    await world.restFor('cc'),
    await world.xmlInUse('xml'),
  ];
  await world.connect('cc', clientCredentialsBody(service));
  await world.served('cc');
  const names = ['rest', 'cc', 'xml'];
  for (const generation of [2, 3, 4]) {
    await world.forward(untilDue);
    for (const name of names) await world.until(name, { generation });
    const tokens = await Promise.all([...names, ...names, ...names].map((name) => world.served(name)));
    expect(new Set(tokens.map((token) => token.generation))).toEqual(new Set([generation]));
  }
  for (const sage of [byLogin, service, xml]) expect(answered(sage)).toEqual([200, 200, 200, 200]);
  for (const name of names) expect(await world.status(name)).not.toHaveProperty('last_failure');
});

describe('what is not known of Intacct’s REST API is borne either way:', () => {
  test('a renewal that brings no refresh token leaves the old one in use', async () => {
    const sage = await world.restInUse('kept', { renewalBringsRefreshToken: false });
    for (const generation of [2, 3]) {
      await world.forward(untilDue);
      await world.until('kept', { generation });
    }
    expect(new Set(sage.ledger.map(({ refreshToken }) => refreshToken)).size).toBe(1);
  });

  test('twelve hours, or a lifetime that is not told: then an hour', async () => {
    await world.restInUse('half-day', { lifetimeSeconds: 43_200 });
    expect((await world.served('half-day')).expires_in).toBeGreaterThan(43_000);
    await world.restInUse('untold', { expiresIn: 'absent' });
    const { expires_in } = await world.served('untold');
    expect(expires_in).toBeGreaterThan(3_400);
    expect(expires_in).toBeLessThanOrEqual(3_600);
  });

  test('to delete a connection revokes nothing, as that would end all that its user has', async () => {
    const sage = await world.restInUse('deleted', { secondAuthorization: 'adds' });
    const { refreshToken } = sage.authorize();
    await world.remove('deleted');
    // Longer than the token function remembers what it has read.
    await world.forward(6);
    expect((await world.token('deleted')).status).toBe(404);
    expect(sage.accepts(refreshToken)).toBe(true);
    expect(sage.ledger.filter(({ path }) => path.endsWith('/revoke'))).toEqual([]);
  });
});

test('nothing secret is in what the functions wrote', () => {
  expect(world.secrets.length).toBeGreaterThan(8);
  expect(world.leaked(world.secrets)).toEqual([]);
});
