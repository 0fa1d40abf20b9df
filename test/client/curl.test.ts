/** The recipes for curl, with the curl of this machine. */
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { curlMajor, run, without } from './programs.ts';
import { environment, SignedBroker } from './signed-broker.ts';

const server = new SignedBroker();
beforeAll(() => server.start());
afterAll(() => server.close());
beforeEach(() => server.forget());

vi.setConfig({ testTimeout: 120_000 });

describe.skipIf(without.curl)('examples/curl', () => {
  const example = (more = {}) =>
    run('examples/curl/call_api.sh', ['demo', `${server.origin}/api/me`], {
      ...environment,
      AWS_REGION: 'us-east-1',
      TOKEN_BROKER_URL: server.origin,
      ...more,
    });

  test('calls an API', async () => {
    expect(await example()).toEqual({ code: 0, stdout: '{"name":"Jansen"}\n', stderr: '' });
    expect(server.calls).toEqual(['GET /token/demo', 'GET /api/me']);
    expect(server.faults).toEqual([]);
  });

  test('reports a token that the API refuses, and goes on with the newer one', async () => {
    server.refusedUpTo = 1;
    expect(await example()).toMatchObject({ code: 0, stdout: '{"name":"Jansen"}\n' });
    expect(server.calls).toEqual(['GET /token/demo', 'GET /api/me', 'POST /token/demo/rejections', 'GET /api/me']);
    expect(JSON.parse(server.seen[2]?.body ?? '')).toEqual({ generation: 1, status: 401 });
    expect(server.faults).toEqual([]);
  });

  test('reports once, and says what the API answered', async () => {
    server.refusedUpTo = 99;
    expect(await example()).toMatchObject({ code: 22, stderr: 'the API answered 401\n' });
    expect(server.calls.filter((call) => call.startsWith('POST'))).toHaveLength(1);
  });

  test('sends a session token', async () => {
    expect(await example({ AWS_SESSION_TOKEN: 'session/token+with==' })).toMatchObject({ code: 0 });
    expect(server.seen[0]?.headers['x-amz-security-token']).toBe('session/token+with==');
    expect(server.faults).toEqual([]);
  });

  test('is refused with other keys, and says so', async () => {
    const { code, stderr } = await example({ AWS_SECRET_ACCESS_KEY: 'another-secret' });
    expect({ code, stderr }).toMatchObject({ code: 22, stderr: expect.stringMatching(/Forbidden/) });
    expect(stderr).not.toMatch(/another-secret/);
  });
});

describe.skipIf(without.curl)('the traps of curl', () => {
  const curl = (query: string) =>
    run('curl', [
      '--silent',
      '--aws-sigv4',
      'aws:amz:us-east-1:execute-api',
      '--user',
      `${environment.AWS_ACCESS_KEY_ID}:${environment.AWS_SECRET_ACCESS_KEY}`,
      `${server.origin}/token/demo?${query}`,
    ]);

  test('a query whose parameters stand in the order of their names is signed right by any version', async () => {
    await curl('min_ttl=60&wait=5');
    expect(server.faults).toEqual([]);
  });

  test.skipIf(curlMajor >= 8)('curl 7 signs a query wrongly that stands in another order', async () => {
    await curl('wait=5&min_ttl=60');
    expect(server.faults).toEqual([expect.stringMatching(/query parameters are not sorted by name/)]);
  });
});
