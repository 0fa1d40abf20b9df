/** The examples, on the local broker and an API behind it; and whether openapi.json says what comes over the wire. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type LocalBroker, startLocalBroker } from '../../local/broker.ts';
import { connectDemo, startDemoProvider } from '../../local/demo/demo.ts';
import type { DemoProvider } from '../../local/demo/demo-provider.ts';
import { account } from '../../local/platform/account.ts';
import { run, without } from '../client/programs.ts';
import { undocumentedIn } from '../handlers/documented.ts';
import { routed } from '../handlers/request.ts';
import { dataDirectory } from './synthesized.ts';

const directory = dataDirectory(inject('assembly'));
const database = new DatabaseSync(join(directory, 'provider.sqlite'));
let provider: DemoProvider;
let broker: LocalBroker;

beforeAll(async () => {
  broker = await startLocalBroker({ port: 0, directory, provider: 'none' });
  provider = await startDemoProvider('oidc-provider', {
    database,
    directory,
    redirectUri: `${broker.url}/oauth/callback`,
  });
  await connectDemo(broker.fetch, provider);
});

afterAll(async () => {
  await broker.close();
  await provider.close();
  database.close();
  rmSync(directory, { recursive: true, force: true });
});

const environment = () => ({
  TOKEN_BROKER_URL: broker.url,
  AWS_REGION: account.region,
  AWS_ACCESS_KEY_ID: broker.credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: broker.credentials.secretAccessKey,
});

test.skipIf(without.python)('Python calls the API', async () => {
  const called = await run('python3', ['examples/python/call_api.py', 'demo', provider.apiUrl ?? ''], environment());
  expect(called).toEqual({ code: 0, stdout: expect.stringMatching(/^200 \{.*"sub":/), stderr: '' });
});

test.skipIf(without.curl)('curl calls the API', async () => {
  const called = await run('examples/curl/call_api.sh', ['demo', provider.apiUrl ?? ''], environment());
  expect(called).toEqual({ code: 0, stdout: expect.stringMatching(/^\{.*"sub":/), stderr: '' });
});

describe('openapi.json says what the gateway and the functions answer', () => {
  async function undocumented(call: string, reply: Response): Promise<readonly string[]> {
    const headers = Object.fromEntries(reply.headers);
    const text = await reply.text();
    const { routeKey } = routed(call).event;
    return undocumentedIn(routeKey, { statusCode: reply.status, headers, ...(text !== '' && { body: text }) });
  }

  test.each([
    ['GET /token/demo', 200],
    ['GET /token/nothing', 404],
    ['GET /token/demo?min_ttl=1', 400],
    ['GET /connections', 200],
    ['GET /connections/demo', 200],
    ['DELETE /connections/demo/authorizations', 204],
    ['GET /connect/demo', 400],
  ])('%s: %d', async (call, status) => {
    const [method = '', path = ''] = call.split(' ');
    const reply = await broker.fetch(path, { method });
    expect(reply.status).toBe(status);
    expect(await undocumented(call, reply)).toEqual([]);
  });

  test('GET /token/demo without a signature: 403', async () => {
    const reply = await fetch(`${broker.url}/token/demo`);
    expect(reply.status).toBe(403);
    expect(await undocumented('GET /token/demo', reply)).toEqual([]);
  });
});
