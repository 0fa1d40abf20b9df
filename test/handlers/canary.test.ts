/** The canary as it is deployed, and the broker's functions as its client: what each fault of its schedule comes to. */
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createTable } from '../../local/aws/dynamodb/dynamodb.ts';
import { type Endpoint, listen } from '../../local/platform/loopback.ts';
import { eventOf } from '../../local/platform/payload.ts';
import type { CanaryReport } from '../../shared/canary/authorization-server.ts';
import type { CanaryConnection } from '../../shared/canary/connection.ts';
import type { CanaryOrder } from '../../shared/canary/serve.ts';
import { limits } from '../../shared/domain/limits.ts';
import { handlerWorld, hunt } from './world.ts';

const world = await handlerWorld();
const server = createServer(async (request, response) => {
  const body = await buffer(request);
  const routed = {
    routeKey: 'POST /token',
    path: '/token',
    rawQuery: '',
    pathParameters: {},
    body,
    caller: undefined,
  };
  const reply = (await handler(eventOf(request, routed))) as APIGatewayProxyStructuredResultV2;
  response.writeHead(reply.statusCode ?? 0, { 'content-type': 'application/json' }).end(reply.body);
});
let endpoint: Endpoint;
let handler: Awaited<typeof import('../../lambdas/canary.ts')>['handler'];
const slept: number[] = [];

beforeAll(async () => {
  await createTable(process.env.AWS_ENDPOINT_URL_DYNAMODB ?? '', {
    TableName: 'canary',
    AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
  });
  endpoint = await listen(server);
  vi.stubEnv('TABLE_NAME', 'canary');
  vi.stubEnv('TOKEN_ENDPOINT', `${endpoint.url}/token`);
  handler = (await import('../../lambdas/canary.ts')).handler;
  vi.unstubAllEnvs();
  const { systemClock } = await import('../../shared/adapters/system.ts');
  vi.spyOn(systemClock, 'sleep').mockImplementation(async (ms) => {
    if (ms === limits.canary.slowMs) slept.push(ms);
  });
});

afterAll(() => endpoint.close());

const order = async <T>(what: CanaryOrder): Promise<T> => (await handler(what)) as T;
const report = (): Promise<CanaryReport> => order({ order: 'report' });

/** Has the broker look at the connection as often as it takes to try again after two failures. */
async function renew(): Promise<void> {
  world.later(481);
  for (let looks = 0; looks < 4; looks += 1) {
    await world.refresh('canary');
    world.later(25);
  }
}

async function connect(): Promise<string> {
  const { verify, ...connection } = await order<CanaryConnection>({ order: 'grant' });
  expect(verify).toBe(true);
  const { client, refresh_token: refreshToken } = connection;
  for (const secret of [client.client_secret, refreshToken]) world.known(secret);
  expect(await world.call('PUT /connections/canary', connection)).toMatchObject({
    body: { connection: 'canary', provider: 'generic-oauth2' },
  });
  await world.refresh('canary');
  return new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: client.client_id,
    client_secret: client.client_secret,
    refresh_token: refreshToken,
  }).toString();
}

test('is nothing before a grant was asked for, and a schedule that disturbs nothing fails nothing', async () => {
  expect(await report()).toBeUndefined();
  expect(await order({ order: 'disturb' })).toBeUndefined();
});

test('each fault passes: one call for each lifetime, no token used twice, no grant lost, no alarm', async () => {
  await connect();
  for (let faults = 0; faults < 6; faults += 1) {
    await order({ order: 'disturb' });
    await renew();
    await renew();
  }
  const { counts, survived, endedAt, fault, met } = await report();
  expect(survived).toEqual({ lost: 2, down: 2, slow: 2 });
  expect(slept).toHaveLength(2);
  expect({ fault, met, endedAt }).toEqual({});
  expect(counts).toEqual({ on_time: 13, early: 0, repeated: 0, refused: 0, reused: 0, ended: 0, down: 4, lost: 2 });
  expect((await world.call('GET /connections/canary')).body).toMatchObject({ state: 'active', generation: 13 });
  for (const metric of ['RefreshFailing', 'ReauthorizationRequired', 'Misconfigured', 'ProviderDown', 'BudgetSpent'])
    expect(
      world.counted(metric).filter((value) => value !== 0),
      metric,
    ).toEqual([]);
});

test('a program that has the grant as well ends it, and both sides know', async () => {
  const stolen = await connect();
  await renew();
  const response = await fetch(`${endpoint.url}/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: stolen,
  });
  expect([response.status, await response.json()]).toEqual([400, { error: 'invalid_grant' }]);
  await renew();
  expect(await report()).toMatchObject({ endedAt: expect.any(Number), counts: { on_time: 2, reused: 1 } });
  expect((await world.call('GET /connections/canary')).body).toMatchObject({ state: 'reauthorization_required' });
});

test('a new grant begins anew, and the one before is worth nothing', async () => {
  const before = await connect();
  await connect();
  const event = { version: '2.0', body: before, isBase64Encoded: false } as Parameters<typeof handler>[0];
  expect(await handler(event)).toMatchObject({ statusCode: 401 });
  expect(await report()).toMatchObject({ counts: { on_time: 1, refused: 0 } });
});

hunt(() => world);
