/** The Python client: the table of cases, and its requests as they come over the wire. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { signatureFault } from '../../local/platform/signature.ts';
import { python, withoutPython } from './python.ts';

const keys = { accessKeyId: 'LOCALKEY', secretAccessKey: 'secret/with+signs' };
const environment = { AWS_ACCESS_KEY_ID: keys.accessKeyId, AWS_SECRET_ACCESS_KEY: keys.secretAccessKey };

interface Seen {
  readonly call: string;
  readonly body: string;
  /** What is wrong with its signature. */
  readonly fault: string | undefined;
  readonly headers: IncomingMessage['headers'];
}

const seen: Seen[] = [];
/** How many calls of the API with each token are refused. */
let refused = new Set<string>();
let generation = 1;
let server: Server;
let origin: string;

const token = () => ({
  connection: 'demo',
  access_token: `token-${generation}`,
  token_type: 'Bearer',
  expires_in: 600,
  expires_at: '2026-01-01T00:10:00.000Z',
  refresh_after: '2026-01-01T00:09:30.000Z',
  generation,
  headers: { Authorization: `Bearer token-${generation}` },
});

async function answer(request: IncomingMessage): Promise<readonly [status: number, body: unknown]> {
  const { method = '', url = '', headers } = request;
  const body = await buffer(request);
  const { pathname, searchParams } = new URL(url, origin);
  if (pathname === '/api/me') {
    seen.push({ call: `${method} ${url}`, body: body.toString(), fault: undefined, headers });
    return refused.has(String(headers.authorization)) ? [401, { error: 'invalid_token' }] : [200, { name: 'Jansen' }];
  }
  const signed = { method, path: pathname, query: Object.fromEntries(searchParams), headers, body };
  const fault = await signatureFault(signed, { ...keys });
  seen.push({ call: `${method} ${url}`, body: body.toString(), fault, headers });
  if (fault !== undefined) return [403, { message: 'Forbidden' }];
  if (method === 'POST') generation += 1;
  return [200, token()];
}

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const [status, body] = await answer(request);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => server.close());

beforeEach(() => {
  seen.splice(0);
  refused = new Set();
  generation = 1;
});

const calls = () => seen.map(({ call }) => call);
const faults = () => seen.map(({ fault }) => fault).filter((fault) => fault !== undefined);

/** Runs a few lines with a `broker`. */
const program = (lines: string, more: Readonly<Record<string, string>> = {}) =>
  python(
    [
      '-c',
      'import sys; sys.path.insert(0, "clients/python"); from token_broker import *\n' +
        `broker = TokenBroker("${origin}", region="us-east-1")\n${lines}`,
    ],
    { ...environment, ...more },
  );

describe.skipIf(withoutPython !== undefined)('the Python client', () => {
  test('behaves as the table says', async () => {
    const { code, stderr } = await python(['test/client/test_token_broker.py']);
    expect(stderr).toMatch(/^Ran \d{2,} tests/m);
    expect({ code, stderr }).toMatchObject({ code: 0 });
  });

  test('signs as another signer does: with a query, with a body, and with a session token', async () => {
    const lines = 'broker.token("demo", min_ttl=60)\nbroker.reject("demo", 1, status=401, detail="é \\"quoted\\"")';
    const session = { AWS_SESSION_TOKEN: 'session/token+with==' };
    for (const more of [{}, session]) {
      generation = 1;
      expect(await program(lines, more)).toMatchObject({ code: 0, stderr: '' });
    }
    expect(faults()).toEqual([]);
    expect(calls()).toEqual([
      'GET /token/demo?min_ttl=60',
      'POST /token/demo/rejections',
      'GET /token/demo?min_ttl=60',
      'POST /token/demo/rejections',
    ]);
    expect(JSON.parse(seen[1]?.body ?? '')).toEqual({ generation: 1, status: 401, detail: 'é "quoted"' });
    expect(seen[2]?.headers['x-amz-security-token']).toBe(session.AWS_SESSION_TOKEN);
    expect(String(seen[2]?.headers.authorization)).toMatch(/SignedHeaders=[^,]*x-amz-security-token/);
  });

  test('names what is wrong, and no secret, where it has no credentials or other ones', async () => {
    const lines = 'try: broker.token("demo")\nexcept TokenBrokerError as error: print(error.code, error)';
    const none = await program(lines, { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', HOME: '/nowhere' });
    expect(none).toMatchObject({ code: 0, stdout: expect.stringMatching(/^no_credentials There is nothing to sign/) });
    const other = await program(lines, { AWS_SECRET_ACCESS_KEY: 'another-secret' });
    expect(other).toMatchObject({ code: 0, stdout: expect.stringMatching(/^forbidden GET \/token\/demo was refused/) });
    expect(other.stdout + other.stderr).not.toMatch(/another-secret/);
  });

  test('keeps no process alive, and asks once for the threads of one', async () => {
    const lines =
      'from concurrent.futures import ThreadPoolExecutor\n' +
      'with ThreadPoolExecutor(50) as pool: print(len({t.generation for t in pool.map(broker.token, ["demo"] * 500)}))';
    expect(await program(lines)).toMatchObject({ code: 0, stdout: '1\n' });
    expect(calls()).toEqual(['GET /token/demo']);
  });
});

describe.skipIf(withoutPython !== undefined)('examples/python', () => {
  const example = (...words: string[]) =>
    python(['examples/python/call_api.py', ...words], {
      ...environment,
      TOKEN_BROKER_URL: origin,
      AWS_REGION: 'us-east-1',
    });

  test('calls an API, and reports a token that it refuses', async () => {
    refused = new Set(['Bearer token-1']);
    expect(await example('demo', `${origin}/api/me`)).toEqual({
      code: 0,
      stdout: '200 {"name":"Jansen"}\n',
      stderr: '',
    });
    expect(calls()).toEqual(['GET /token/demo', 'GET /api/me', 'POST /token/demo/rejections', 'GET /api/me']);
    expect(faults()).toEqual([]);
  });

  test('says what is wrong', async () => {
    const { code, stderr } = await example('No Name', `${origin}/api/me`);
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringMatching(/^invalid_request: connection/) });
  });
});
