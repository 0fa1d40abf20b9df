import { describe, expect, test } from 'vitest';
import { limits } from '../../shared/domain/limits.ts';
import { lifetimeSeconds } from './provider.ts';
import { handlerWorld, hunt, nobody } from './world.ts';

const world = await handlerWorld();

const put = (connection: string) =>
  world.call(`PUT /connections/${connection}`, {
    provider: 'generic-oauth2',
    settings: { token_endpoint: world.provider.tokenEndpoint },
    client: { client_id: 'app', client_secret: world.secret('client') },
    refresh_token: world.secret('refresh'),
  });
/** A client asks, and what it asked for is done. */
const used = async (connection: string): Promise<void> => {
  await world.call(`GET /token/${connection}?wait=0`);
  await world.refresh(connection);
};
const marginSeconds = limits.marginMs / 1_000;

describe('GET /token', () => {
  test('hands out the token, ready to be put on a request', async () => {
    await put('exact');
    await used('exact');
    const { status, body } = await world.call('GET /token/exact');
    expect(status).toBe(200);
    const { access_token: token, expires_in: seconds } = body;
    expect(body).toEqual({
      connection: 'exact',
      access_token: expect.stringMatching(/^access-/),
      token_type: 'Bearer',
      expires_in: seconds,
      expires_at: expect.any(String),
      refresh_after: expect.any(String),
      generation: 1,
      scope: 'invoices',
      headers: { Authorization: `Bearer ${token}` },
    });
    expect(seconds).toBeGreaterThan(lifetimeSeconds - 10);
    expect(seconds).toBeLessThan(lifetimeSeconds);
    // The margin, and what the renewal is spread over before it.
    const aheadMs = Date.parse(String(body.expires_at)) - Date.parse(String(body.refresh_after));
    expect(aheadMs).toBeGreaterThanOrEqual(limits.marginMs);
    expect(aheadMs).toBeLessThan(limits.marginMs + limits.spreadShare * lifetimeSeconds * 1_000);
  });

  test('renews ahead of its time, once, for callers who ask for more life than the margin leaves', async () => {
    await put('wished');
    await used('wished');
    const calls = world.provider.calls.length;
    const ask = () => world.call('GET /token/wished?min_ttl=400&wait=0');
    world.later(lifetimeSeconds / 2 - 20);
    expect(await ask()).toMatchObject({ status: 503, headers: { 'retry-after': expect.stringMatching(/^(19|20)$/) } });
    await world.refresh('wished');
    expect(world.provider.calls).toHaveLength(calls);
    world.later(20);
    for (let callers = 0; callers < 3; callers += 1) expect((await ask()).status).toBe(503);
    await world.refresh('wished');
    await world.refresh('wished');
    expect(await ask()).toMatchObject({ status: 200, body: { generation: 2 } });
    expect(world.provider.calls).toHaveLength(calls + 1);
  });

  test('without a name serves the connection named default', async () => {
    await put('default');
    await used('default');
    expect((await world.call('GET /token')).body).toMatchObject({ connection: 'default', generation: 1 });
    expect((await world.call('GET /token/default')).body).toMatchObject({ connection: 'default' });
  });

  test('tells that there is no such connection', async () => {
    expect(await world.call('GET /token/nowhere')).toMatchObject({
      status: 404,
      body: { code: 'connection_not_found', retryable: false },
    });
  });

  test('serves a token inside its margin, and asks for its renewal once, however many ask', async () => {
    await put('shared');
    await used('shared');
    world.later(lifetimeSeconds - marginSeconds + 1);
    const before = world.stores.messages().length;
    const answers = await Promise.all(Array.from({ length: 10 }, () => world.call('GET /token/shared')));
    expect(answers.map(({ status, body }) => [status, body.generation])).toEqual(answers.map(() => [200, 1]));
    expect(world.stores.messages().slice(before)).toEqual([{ body: '{"connection":"shared"}', delaySeconds: 0 }]);
  });
});

describe('a provider that fails', () => {
  const outage = () => ({ status: 503, body: { error_description: 'maintenance' } });

  test('while the token is valid: it is served with a warning', async () => {
    await put('warned');
    await used('warned');
    world.later(lifetimeSeconds - marginSeconds + 1);
    world.provider.instead = outage;
    await used('warned');
    const { status, body } = await world.call('GET /token/warned');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      generation: 1,
      warning: 'the last renewal failed (http_503); this token is valid until it expires',
    });
  });

  test('until it has expired: 503, and when to ask again', async () => {
    await put('expired');
    await used('expired');
    world.later(lifetimeSeconds + 1);
    world.provider.instead = outage;
    await used('expired');
    const [{ status, headers, body }, described] = await world.atOnce(async () => [
      await world.call('GET /token/expired?wait=0'),
      await world.call('GET /connections/expired'),
    ]);
    expect(status).toBe(503);
    expect(body).toMatchObject({
      code: 'temporarily_unavailable',
      retryable: true,
      downstream_errors: [{ status: 503, error: 'http_503', error_description: 'maintenance' }],
    });
    expect(Number(headers['retry-after'])).toBeGreaterThan(1);
    expect(Number(headers['retry-after'])).toBeLessThanOrEqual(limits.retryAfterSeconds.most);
    expect(headers['retry-after']).toBe(String(described.body.retry_after));
  });

  test('before there was a token: 503, and a refresh has been asked for', async () => {
    await put('first');
    const { status, headers, body } = await world.call('GET /token/first?wait=0');
    expect(status).toBe(503);
    expect(headers['retry-after']).toBe('1');
    expect(body.downstream_errors).toEqual([]);
    expect(world.stores.messages().at(-1)).toEqual({ body: '{"connection":"first"}', delaySeconds: 0 });
  });
});

describe('a connection that somebody has to mend', () => {
  test('by authorizing it again: 409, its cause, and the provider’s words without the token they quote', async () => {
    await put('dead');
    world.provider.instead = ({ parameters }) => ({
      status: 400,
      body: {
        error: 'invalid_grant',
        error_description: `refresh token ${parameters.get('refresh_token')} was revoked`,
      },
    });
    await used('dead');
    const { status, body } = await world.call('GET /token/dead');
    expect(status).toBe(409);
    expect(body).toMatchObject({
      code: 'reauthorization_required',
      cause: 'invalid_grant',
      retryable: false,
      downstream_errors: [
        {
          status: 400,
          error: 'invalid_grant',
          error_description: expect.stringMatching(/^refresh token .* was revoked$/),
        },
      ],
      detail: expect.stringContaining('PUT /connections/dead'),
    });
    expect(world.counted('ReauthorizationRequired')).toEqual([1]);
    const calls = world.provider.calls.length;
    await used('dead');
    expect(world.provider.calls).toHaveLength(calls);
  });

  test('by authorizing it the first time: the cause says so', async () => {
    await world.call('PUT /connections/waiting', {
      provider: 'generic-oauth2',
      settings: { token_endpoint: world.provider.tokenEndpoint, client_authentication: 'none' },
      client: { client_id: 'app' },
    });
    expect(await world.call('GET /token/waiting')).toMatchObject({
      status: 409,
      body: { cause: 'not_authorized_yet', downstream_errors: [] },
    });
  });

  test('by correcting its client: 409 misconfigured', async () => {
    await put('refused');
    world.provider.instead = () => ({ status: 401, body: { error: 'invalid_client' } });
    await used('refused');
    expect(await world.call('GET /token/refused')).toMatchObject({
      status: 409,
      body: {
        code: 'misconfigured',
        cause: 'invalid_client',
        detail: expect.stringMatching(
          /check client\.client_id, client\.client_secret\. Correct its settings with PUT \/connections\/refused/,
        ),
        retryable: false,
        downstream_errors: [{ status: 401, error: 'invalid_client' }],
      },
    });
    expect(world.counted('Misconfigured')).toEqual([1]);
  });

  test('later: what it has left is served until it expires', async () => {
    await put('dying');
    await used('dying');
    world.later(lifetimeSeconds - marginSeconds + 1);
    world.provider.instead = () => ({ status: 400, body: { error: 'invalid_grant' } });
    await used('dying');
    expect(await world.call('GET /token/dying')).toMatchObject({
      status: 200,
      body: { warning: expect.stringMatching(/^reauthorization_required/) },
    });
    world.later(marginSeconds);
    expect(await world.call('GET /token/dying')).toMatchObject({
      status: 409,
      body: { code: 'reauthorization_required' },
    });
  });
});

describe('POST /token/{connection}/rejections', () => {
  const rejected = (generation: number, more: object = {}) =>
    world.call('POST /token/distrusted/rejections?wait=0', { generation, ...more });

  test('notes a report once, does not log the token it quotes, and asks for a new token', async () => {
    await put('distrusted');
    await used('distrusted');
    world.later(limits.rejectionCoolDownMs / 1_000);
    const { body } = await world.call('GET /token/distrusted');
    const before = world.stores.messages().length;
    const reports = [
      await rejected(1, { status: 401, detail: `Bearer ${body.access_token} is invalid` }),
      await rejected(1),
    ];
    expect(reports).toMatchObject([{ status: 503 }, { status: 503 }]);
    expect(world.stores.messages().slice(before)).toEqual([{ body: '{"connection":"distrusted"}', delaySeconds: 0 }]);
    expect(world.logged('token_rejected')).toMatchObject([
      { level: 'WARN', connection: 'distrusted', generation: 1, status: 401 },
    ]);
  });

  test('answers with a newer token, if there is one', async () => {
    await world.refresh('distrusted');
    expect(await rejected(1)).toMatchObject({ status: 200, body: { generation: 2 } });
  });
});

describe('stores that cannot be reached', () => {
  test.each([
    ['table', { AWS_ENDPOINT_URL_DYNAMODB: nobody }, 'table unavailable: Error, ECONNREFUSED, attempts 3'],
    ['sealing key', { AWS_ENDPOINT_URL_SECRETS_MANAGER: nobody }, 'keys unavailable: Error, ECONNREFUSED, attempts 3'],
  ])('the %s: 503, and the log says which', async (_, variables, reason) => {
    await put('unlucky');
    await used('unlucky');
    await world.with(variables, async () => {
      const { status, headers, body } = await world.call('GET /token/unlucky');
      expect({ status, code: body.code, retryAfter: headers['retry-after'] }).toEqual({
        status: 503,
        code: 'temporarily_unavailable',
        retryAfter: '1',
      });
    });
    expect(world.logged('token_unavailable').at(-1)).toMatchObject({ level: 'ERROR', connection: 'unlucky', reason });
    expect((await world.call('GET /token/unlucky')).status).toBe(200);
  });
});

hunt(() => world);
