/** The Python client: the table of cases, and its requests as they come over the wire. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { run, without } from './programs.ts';
import { environment, SignedBroker } from './signed-broker.ts';

const server = new SignedBroker();
beforeAll(() => server.start());
afterAll(() => server.close());
beforeEach(() => server.forget());

/** Runs a few lines with a `broker`. */
const program = (lines: string, more: Readonly<Record<string, string>> = {}) =>
  run(
    'python3',
    [
      '-c',
      'import sys; sys.path.insert(0, "clients/python"); from token_broker import *\n' +
        `broker = TokenBroker("${server.origin}", region="us-east-1")\n${lines}`,
    ],
    { ...environment, ...more },
  );

// A start of Python takes seconds on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

describe.skipIf(without.python)('the Python client', () => {
  test('behaves as the table says', async () => {
    const { code, stderr } = await run('python3', ['test/client/test_token_broker.py']);
    expect(stderr).toMatch(/^Ran \d{2,} tests/m);
    expect({ code, stderr }).toMatchObject({ code: 0 });
  });

  test('signs as another signer does: with a query, with a body, and with a session token', async () => {
    const lines =
      'generation = broker.token("demo", min_ttl=60).generation\n' +
      'broker.reject("demo", generation, status=401, detail="é \\"quoted\\"")';
    const session = { AWS_SESSION_TOKEN: 'session/token+with==' };
    for (const more of [{}, session]) {
      expect(await program(lines, more)).toMatchObject({ code: 0, stderr: '' });
    }
    expect(server.faults).toEqual([]);
    expect(server.calls).toEqual([
      'GET /token/demo?min_ttl=60',
      'POST /token/demo/rejections',
      'GET /token/demo?min_ttl=60',
      'POST /token/demo/rejections',
    ]);
    expect(JSON.parse(server.seen[1]?.body ?? '')).toEqual({ generation: 1, status: 401, detail: 'é "quoted"' });
    expect(server.seen[2]?.headers['x-amz-security-token']).toBe(session.AWS_SESSION_TOKEN);
    expect(String(server.seen[2]?.headers.authorization)).toMatch(/SignedHeaders=[^,]*x-amz-security-token/);
  });

  test('names what is wrong, and no secret, where it has no credentials or other ones', async () => {
    const lines = 'try: broker.token("demo")\nexcept TokenBrokerError as error: print(error.code, error)';
    const none = await program(lines, { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', HOME: '/nowhere' });
    expect(none).toMatchObject({ code: 0, stdout: expect.stringMatching(/^no_credentials There is nothing to sign/) });
    const other = await program(lines, { AWS_SECRET_ACCESS_KEY: 'another-secret' });
    expect(other).toMatchObject({ code: 0, stdout: expect.stringMatching(/^forbidden GET \/token\/demo was refused/) });
    expect(other.stdout + other.stderr).not.toMatch(/another-secret/);
  });

  test('gives up in time where a broker does not answer', async () => {
    const silent = createServer(() => {});
    await once(silent.listen(0, '127.0.0.1'), 'listening');
    const { port } = silent.address() as AddressInfo;
    const asked = await program(
      `try: TokenBroker("http://127.0.0.1:${port}", bearer="jwt").token("demo", timeout=0.5)\n` +
        'except TokenBrokerError as error: print(error.code, error.retryable, error)',
    );
    silent.close();
    silent.closeAllConnections();
    const stdout = 'timed_out True The broker gave no token of connection "demo" within 0.5 s.\n';
    expect(asked).toEqual({ code: 0, stdout, stderr: '' });
  });

  test('keeps no process alive, and asks once for the threads of one', async () => {
    const lines =
      'from concurrent.futures import ThreadPoolExecutor\n' +
      'with ThreadPoolExecutor(50) as pool: print(len({t.generation for t in pool.map(broker.token, ["demo"] * 500)}))';
    expect(await program(lines)).toMatchObject({ code: 0, stdout: '1\n' });
    expect(server.calls).toEqual(['GET /token/demo']);
  });
});

describe.skipIf(without.python)('examples/python', () => {
  const example = (...words: string[]) =>
    run('python3', ['examples/python/call_api.py', ...words], {
      ...environment,
      TOKEN_BROKER_URL: server.origin,
      AWS_REGION: 'us-east-1',
    });

  test('calls an API, and reports a token that it refuses', async () => {
    server.refusedUpTo = 1;
    expect(await example('demo', `${server.origin}/api/me`)).toEqual({
      code: 0,
      stdout: '200 {"name":"Jansen"}\n',
      stderr: '',
    });
    expect(server.calls).toEqual(['GET /token/demo', 'GET /api/me', 'POST /token/demo/rejections', 'GET /api/me']);
    expect(server.faults).toEqual([]);
  });

  test('the sample of the README runs as it stands', async () => {
    const [, sample = ''] = /^```python\n(.*?)^```$/ms.exec(readFileSync('README.md', 'utf8')) ?? [];
    const here = sample
      .replaceAll('http://127.0.0.1:44849/me', `${server.origin}/api/me`)
      .replaceAll('http://127.0.0.1:8790', server.origin);
    const variables = { ...environment, AWS_REGION: 'us-east-1', PYTHONPATH: 'clients/python' };
    const { code, stdout } = await run('python3', ['-c', here], variables);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `200 {"name":"Jansen"}\n1 ['Authorization']\n` });
  });

  test('says what is wrong', async () => {
    const { code, stderr } = await example('No Name', `${server.origin}/api/me`);
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringMatching(/^invalid_request: connection/) });
  });
});
