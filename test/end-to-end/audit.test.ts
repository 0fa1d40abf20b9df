/**
 * The audit log of the bundles that deploy, as a deployment that keeps one has them write it (which functions of its
 * template do is told in test/infra): a grant is imported, read, reported, paused and deleted.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type LocalBroker, startLocalBroker } from '../../local/broker.ts';
import { type RealServer, startOidcProvider } from './authorization-servers.ts';

const directory = mkdtempSync(join(tmpdir(), 'token-broker-'));
const lines: string[] = [];
const secrets: string[] = [];
let provider: RealServer;
let broker: LocalBroker;

beforeAll(async () => {
  provider = await startOidcProvider(directory, 600);
  broker = await startLocalBroker({
    port: 0,
    directory,
    provider: 'none',
    assembly: inject('assembly'),
    variables: { AUDIT: 'on' },
    onLog: (_function, line) => lines.push(line),
  });
  secrets.push(provider.client.client_secret, provider.firstRefreshToken);
});
afterAll(async () => {
  await broker?.close();
  await provider?.close();
  rmSync(directory, { recursive: true, force: true });
});

async function call(request: string, body?: object): Promise<number> {
  const [method = '', path = ''] = request.split(' ');
  const response = await broker.fetch(path, { method, ...(body && { body: JSON.stringify(body) }) });
  const { access_token: token } = (await response.json().catch(() => ({}))) as { access_token?: string };
  if (token !== undefined) secrets.push(token);
  return response.status;
}

test('says who read which generation and who changed what, and holds no secret', async () => {
  const { tokenEndpoint, client, firstRefreshToken } = provider;
  const settings = { token_endpoint: tokenEndpoint };
  const put = { provider: 'generic-oauth2', settings, client, refresh_token: firstRefreshToken };
  const calls: readonly (readonly [string, object?])[] = [
    ['PUT /connections/exact-nl', put],
    ['GET /token/exact-nl?wait=25'],
    // So soon after a renewal no other one is made.
    ['POST /token/exact-nl/rejections?wait=0', { generation: 1 }],
    ['PUT /connections/exact-nl/pause'],
    ['GET /token/nowhere'],
    ['DELETE /connections/exact-nl'],
  ];
  const statuses: number[] = [];
  for (const [request, body] of calls) statuses.push(await call(request, body));
  expect(statuses).toEqual([201, 200, 503, 200, 404, 200]);
  const found = lines.map((line) => JSON.parse(line)).filter(({ message }) => message === 'answered');
  const table = found.map(({ connection, generationBefore, generation, status, code }) =>
    [connection, generationBefore, generation, status, code].map((cell) => cell ?? '').join(' '),
  );
  expect(table).toEqual([
    'exact-nl  0 201 ',
    'exact-nl  1 200 ',
    'exact-nl 1  503 temporarily_unavailable',
    'exact-nl  1 200 ',
    'nowhere   404 connection_not_found',
    'exact-nl 1  200 no_revocation_endpoint',
  ]);
  expect(new Set(found.map(({ principal }) => principal)).size).toBe(1);
  expect(found[0].principal).toMatch(/^arn:aws:iam::\d{12}:/);
  expect(new Set(found.map(({ requestId }) => requestId)).size).toBe(calls.length);
  expect(secrets.length).toBe(3);
  expect(secrets.filter((secret) => lines.some((line) => line.includes(secret)))).toEqual([]);
});
