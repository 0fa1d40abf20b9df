/** The audit log: a line for each answer to a caller, with whom API Gateway has verified, and no secret in it. */
import { describe, expect, test } from 'vitest';
import { lifetimeSeconds } from './provider.ts';
import { routed } from './request.ts';
import { handlerWorld, hunt } from './world.ts';

const world = await handlerWorld();
const worker = 'arn:aws:iam::000000000000:role/worker';

const request = (more: object = {}) => ({
  provider: 'generic-oauth2',
  settings: {
    token_endpoint: world.provider.tokenEndpoint,
    authorization_endpoint: world.provider.tokenEndpoint.replace('token', 'authorize'),
  },
  client: { client_id: 'app', client_secret: world.secret('client') },
  refresh_token: world.secret('refresh'),
  ...more,
});

/** What the audit log says of what is done, without what Powertools adds. */
async function audit(act: () => Promise<unknown>): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const before = world.logged('answered').length;
  await world.with({ AUDIT: 'on' }, async () => void (await act()));
  return world
    .logged('answered')
    .slice(before)
    .map(({ level, message, timestamp, service, sampling_rate, xray_trace_id, ...line }) => line);
}

const by = (line: object) => ({ principal: worker, requestId: 'request', ...line });

describe('the audit log says of', () => {
  test('each change who made it, of what, and from which generation to which', async () => {
    const lines = await audit(async () => {
      await world.call('PUT /connections/changed', request());
      await world.call('GET /token/changed?wait=0');
      await world.refresh('changed');
      await world.call('PUT /connections/changed', request({ account: 'ann' }));
      await world.call('PUT /connections/changed/pause');
      await world.call('DELETE /connections/changed/pause');
      await world.call('POST /connections/changed/authorizations');
      await world.call('DELETE /connections/changed/authorizations');
      await world.call('DELETE /connections/changed');
    });
    const of = (route: string, line: object) => by({ route, connection: 'changed', ...line });
    expect(lines).toEqual([
      of('PUT /connections/{connection}', { status: 201, generation: 0 }),
      of('GET /token/{connection}', { status: 503, code: 'temporarily_unavailable' }),
      of('PUT /connections/{connection}', { status: 200, generationBefore: 1, generation: 1 }),
      of('PUT /connections/{connection}/pause', { status: 200, generation: 1 }),
      of('DELETE /connections/{connection}/pause', { status: 200, generation: 1 }),
      of('POST /connections/{connection}/authorizations', { status: 201 }),
      of('DELETE /connections/{connection}/authorizations', { status: 204 }),
      of('DELETE /connections/{connection}', { status: 200, code: 'no_revocation_endpoint', generationBefore: 1 }),
    ]);
  });

  test('each reading which generation was handed out, and of a report which one was refused', async () => {
    await world.call('PUT /connections/default', request());
    await world.call('GET /token?wait=0');
    await world.refresh('default');
    world.later(lifetimeSeconds);
    await world.call('GET /token?wait=0');
    await world.refresh('default');
    const lines = await audit(async () => {
      await world.call('GET /token');
      await world.call('GET /token/default');
      await world.call('POST /token/default/rejections?wait=0', { generation: 1 });
      await world.call('GET /connections');
      await world.call('GET /connections/default');
    });
    const of = (route: string, line: object) =>
      by({ route, connection: 'default', status: 200, generation: 2, ...line });
    expect(lines).toEqual([
      of('GET /token', {}),
      of('GET /token/{connection}', {}),
      of('POST /token/{connection}/rejections', { generationBefore: 1 }),
      by({ route: 'GET /connections', status: 200 }),
      of('GET /connections/{connection}', {}),
    ]);
  });

  test('each refusal whom it was given to, and repeats nothing that is no name of a connection', async () => {
    const lines = await audit(async () => {
      await world.call('GET /token/nowhere');
      await world.call(`GET /token/${world.secret('NO-NAME')}`);
      await world.call(`PUT /connections/nowhere?x=${world.secret('query')}`, {
        refresh_token: world.secret('refresh'),
      });
      await world.with(
        { AUDIT: 'on', TABLE_NAME: 'gone' },
        async () => void (await world.call('GET /connections/nowhere')),
      );
    });
    expect(lines).toEqual([
      by({ route: 'GET /token/{connection}', connection: 'nowhere', status: 404, code: 'connection_not_found' }),
      by({ route: 'GET /token/{connection}', status: 400, code: 'invalid_request' }),
      by({ route: 'PUT /connections/{connection}', connection: 'nowhere', status: 400, code: 'invalid_request' }),
      by({
        route: 'GET /connections/{connection}',
        connection: 'nowhere',
        status: 503,
        code: 'temporarily_unavailable',
      }),
    ]);
  });
});

describe('the principal', () => {
  const claims = { iss: 'https://idp.example', scope: 'token:nowhere' };
  test.each<[what: string, authorizer: object | null, principal: string | undefined]>([
    ['is the subject of a JWT', { jwt: { claims: { ...claims, sub: 'worker-7' } } }, 'worker-7'],
    ['of a JWT is no signature beside it', { jwt: { claims }, iam: { userArn: worker } }, undefined],
    ['is no claim that is no text', { jwt: { claims: { ...claims, sub: { name: worker } } } }, undefined],
    ['is unknown where API Gateway names none', null, undefined],
    ['is unknown where a function let the caller in', { lambda: { principalId: worker } }, undefined],
  ])('%s', async (_what, authorizer, principal) => {
    const [line] = await audit(() => world.call('GET /token/nowhere', undefined, authorizer));
    expect(line?.principal).toBe(principal);
  });

  test('is none that a header names', async () => {
    const headers = { 'x-amzn-iam-user-arn': 'arn:aws:iam::000000000000:role/another', authorization: 'Bearer x' };
    const { event } = routed('GET /token/nowhere');
    const [line] = await audit(() => world.invoke('token', { ...event, headers }));
    expect(line?.principal).toBe(worker);
  });
});

test('a login is told with who asked for its link', async () => {
  await world.call('PUT /connections/login', request({ refresh_token: undefined }));
  const state = (await world.begin(await world.link('login'))).searchParams.get('state') ?? '';
  await world.open('login', new URLSearchParams({ state, code: world.secret('code') }));
  expect(world.logged('authorized').at(-1)).toMatchObject({
    connection: 'login',
    askedBy: worker,
    generationBefore: 0,
  });
});

test('no answer is logged where no audit log is kept, and what a caller gets is the same', async () => {
  const { event } = routed('GET /connections/nowhere');
  const answered = async () => (await import('../../lambdas/connections.ts')).handler(event);
  const before = world.logged('answered').length;
  const plain = await answered();
  expect(world.logged('answered')).toHaveLength(before);
  const lines = await audit(async () => expect(await answered()).toEqual(plain));
  expect(lines).toHaveLength(1);
  expect(Object.keys(plain).toSorted()).toEqual(['body', 'headers', 'statusCode']);
});

hunt(() => world);
