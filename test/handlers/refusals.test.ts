import { beforeAll, describe, expect, test } from 'vitest';
import { limits } from '../../shared/domain/limits.ts';
import { lifetimeSeconds } from './provider.ts';
import { type Answer, handlerWorld, hunt } from './world.ts';

const world = await handlerWorld();
beforeAll(async () => {
  await world.call('PUT /connections/exact', sound());
  await world.call('GET /token/exact?wait=0');
  await world.refresh('exact');
});

/** A request that is accepted, but for `more`. */
const sound = (more: object = {}) => ({
  provider: 'generic-oauth2',
  settings: { token_endpoint: world.provider.tokenEndpoint },
  client: { client_id: 'app', client_secret: world.secret('client') },
  refresh_token: world.secret('refresh'),
  ...more,
});
const endpoint = (url: string) => sound({ settings: { token_endpoint: url } });

/**
 * The faulty fields, after all that is true of every refusal: it says what is wrong with each, and nothing was changed.
 */
async function refused(request: string, body?: unknown): Promise<Record<string, string>> {
  const before = await world.stored();
  const answer: Answer = await world.call(request, body);
  expect(answer).toMatchObject({
    status: 400,
    body: { code: 'invalid_request', retryable: false, downstream_errors: [] },
  });
  expect(await world.stored()).toEqual(before);
  const faults = answer.body.faults as { readonly path: string; readonly message: string }[];
  for (const { path } of faults) expect(answer.body.detail).toContain(path);
  return Object.fromEntries(faults.map(({ path, message }) => [path, message]));
}

describe('PUT refuses, and names every faulty field', () => {
  test.each<[string, () => unknown, string[]]>([
    ['nothing at all', () => undefined, ['body']],
    ['what is not JSON', () => `refresh_token=${world.secret('refresh')}`, ['body']],
    ['JSON that is no object', () => JSON.stringify(world.secret('refresh')), ['body']],
    ['no provider', () => sound({ provider: undefined, renewal: 'daily' }), ['provider', 'renewal']],
    ['unknown fields', () => sound({ refreshToken: world.secret('refresh'), ttl: 1 }), ['refreshToken', 'ttl']],
    [
      'wrong types',
      () =>
        sound({ settings: [], client: world.secret('client'), refresh_token: 5, renewal: true, margin_seconds: '60' }),
      ['settings', 'client', 'refresh_token', 'renewal', 'margin_seconds'],
    ],
    ['an unknown provider', () => sound({ provider: 'exakt' }), ['provider']],
    ['no client', () => sound({ client: undefined }), ['client.client_id']],
    [
      'a client without its id',
      () => sound({ client: { client_secret: world.secret('client') } }),
      ['client.client_id'],
    ],
    [
      'a refresh token with a line break',
      () => sound({ refresh_token: `${world.secret('refresh')}\n` }),
      ['refresh_token'],
    ],
    ['a margin that is too short', () => sound({ margin_seconds: 9 }), ['margin_seconds']],
    ['plain http', () => endpoint('http://example.com/token'), ['settings.token_endpoint']],
    ['a private address', () => endpoint('https://10.0.0.7/token'), ['settings.token_endpoint']],
    [
      'the address of the metadata service',
      () => endpoint('https://169.254.169.254/token'),
      ['settings.token_endpoint'],
    ],
    [
      'credentials in the URL',
      () => endpoint(`https://app:${world.secret('client')}@example.com/token`),
      ['settings.token_endpoint'],
    ],
  ])('%s', async (_, body, paths) => {
    expect(Object.keys(await refused('PUT /connections/exact', body())).toSorted()).toEqual(paths.toSorted());
  });

  test('a name and a body that are both wrong, in one answer', async () => {
    const faults = await refused('PUT /connections/Exact', {
      ...endpoint('http://example.com'),
      renewal: 'daily',
      margin_seconds: 3_601,
      token: 1,
    });
    expect(Object.keys(faults).toSorted()).toEqual([
      'connection',
      'margin_seconds',
      'renewal',
      'settings.token_endpoint',
      'token',
    ]);
  });

  test('a new connection whose client has no secret, and creates none', async () => {
    expect(await refused('PUT /connections/new', sound({ client: { client_id: 'app' } }))).toEqual({
      'client.client_secret': expect.any(String),
    });
  });

  test('a body of one byte too many', async () => {
    const padded = (bytes: number): string => JSON.stringify(sound()).padEnd(bytes);
    expect(await refused('PUT /connections/exact', padded(limits.bodyBytes + 1))).toEqual({
      body: expect.stringContaining('16384 bytes'),
    });
    expect((await world.call('PUT /connections/large', padded(limits.bodyBytes))).status).toBe(201);
  });
});

describe('a connection’s name', () => {
  test.each(['-exact', 'exact-', 'Exact', 'exact_nl', 'exact%2Fnl', 'exact%20nl', `%00`, 'x'.repeat(64)])(
    'is not %s',
    async (name) => {
      for (const request of [`PUT /connections/${name}`, `GET /connections/${name}`, `GET /token/${name}`]) {
        expect(await refused(request, request.startsWith('PUT') ? sound() : undefined)).toEqual({
          connection: expect.stringContaining('1 to 63'),
        });
      }
    },
  );

  test.each(['x', '0', 'a--b', 'x'.repeat(63)])('may be %s', async (name) => {
    expect((await world.call(`GET /connections/${name}`)).status).toBe(404);
  });

  test('that is a secret by mistake is not repeated', async () => {
    await refused(`GET /token/${world.secret('Refresh')}`);
  });
});

describe('GET /token', () => {
  test.each([
    ['min_ttl=4', ['min_ttl']],
    ['min_ttl=3601', ['min_ttl']],
    ['min_ttl=', ['min_ttl']],
    ['min_ttl=10.5', ['min_ttl']],
    ['min_ttl=10&min_ttl=20', ['min_ttl']],
    ['wait=-1', ['wait']],
    ['wait=26', ['wait']],
    ['generation=3&constructor=1', ['generation', 'constructor']],
    ['min_ttl=1h&wait=soon&ttl=5', ['min_ttl', 'wait', 'ttl']],
  ])('refuses ?%s', async (query, paths) => {
    expect(Object.keys(await refused(`GET /token/exact?${query}`)).toSorted()).toEqual(paths.toSorted());
  });

  test.each(['min_ttl=5', 'wait=0', 'min_ttl=570&wait=25'])('takes ?%s', async (query) => {
    expect((await world.call(`GET /token/exact?${query}`)).status).toBe(200);
  });

  test('refuses more life than a token of the connection ever has', async () => {
    expect(await refused(`GET /token/exact?min_ttl=${lifetimeSeconds + 1}`)).toEqual({
      min_ttl: 'is more than the lifetime of a token',
    });
  });

  test('names a wrong name and a wrong query in one answer', async () => {
    expect(Object.keys(await refused('GET /token/Exact?min_ttl=x')).toSorted()).toEqual(['connection', 'min_ttl']);
  });
});

test.each<[string, unknown, string[]]>([
  ['no generation', {}, ['generation']],
  ['a generation that was never issued', { generation: 2 }, ['generation']],
  [
    'wrong types, and what it does not know',
    { generation: '1', status: 99, detail: 1, token: 'x' },
    ['generation', 'status', 'detail', 'token'],
  ],
])('POST /token/{connection}/rejections refuses %s', async (_, body, paths) => {
  expect(Object.keys(await refused('POST /token/exact/rejections', body)).toSorted()).toEqual(paths.toSorted());
});

test('GET /connections refuses a page that nobody named, and what it does not know, all at once', async () => {
  const faults = await refused('GET /connections?after=Exact&limit=101&state=activ&provider=exact-online,exact&page=2');
  expect(Object.keys(faults).toSorted()).toEqual(['after', 'limit', 'page', 'provider', 'state']);
  expect(faults.state).toContain('did you mean active?');
  expect(Object.keys(await refused('GET /connections?limit=0'))).toEqual(['limit']);
  expect(Object.keys(await refused('GET /connections?limit=1.5'))).toEqual(['limit']);
});

hunt(() => world);
