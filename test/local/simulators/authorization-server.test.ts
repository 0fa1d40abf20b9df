import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  type AuthorizationServer,
  startAuthorizationServer,
  type TokenCall,
} from '../../../local/simulators/oidc/authorization-server.ts';
import { newBrowser } from '../../handlers/browser.ts';

const redirectUri = 'http://127.0.0.1:8790/oauth/callback';

let directory: string;
let database: DatabaseSync;
let server: AuthorizationServer;
let calls: TokenCall[];

const start = () =>
  startAuthorizationServer({ database, directory, redirectUri, onTokenCall: (call) => calls.push(call) });

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'authorization-server-'));
  database = new DatabaseSync(join(directory, 'broker.sqlite'));
  calls = [];
  server = await start();
});

afterEach(async () => {
  await server.close();
  database.close();
  rmSync(directory, { recursive: true });
});

async function refresh(refreshToken: string, clientSecret = server.client.clientSecret) {
  const authorization = `Basic ${Buffer.from(`${server.client.clientId}:${clientSecret}`).toString('base64')}`;
  const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken });
  const response = await fetch(server.tokenEndpoint, { method: 'POST', headers: { authorization }, body });
  const answer = (await response.json()) as Record<string, string>;
  return { ...answer, status: response.status, refresh_token: answer.refresh_token ?? '' };
}

describe('the authorization server', () => {
  test('rotates refresh tokens, and gives access tokens for a minute', async () => {
    const first = await server.issueRefreshToken();
    const answer = await refresh(first);
    expect(answer).toMatchObject({
      status: 200,
      token_type: 'Bearer',
      expires_in: 60,
      access_token: expect.any(String),
    });
    expect(answer.refresh_token).not.toBe(first);
    expect(await refresh(answer.refresh_token)).toMatchObject({ status: 200 });
  });

  test('revokes the grant when an old refresh token is used again', async () => {
    const first = await server.issueRefreshToken();
    const { refresh_token } = await refresh(first);
    expect(await refresh(first)).toMatchObject({ status: 400, error: 'invalid_grant' });
    expect(await refresh(refresh_token)).toMatchObject({ status: 400, error: 'invalid_grant' });
  });

  test('does not touch another grant by that', async () => {
    const [mine, other] = [await server.issueRefreshToken(), await server.issueRefreshToken()];
    await refresh(mine);
    await refresh(mine);
    expect(await refresh(other)).toMatchObject({ status: 200 });
  });

  test('refuses a client with another secret', async () => {
    expect(await refresh(await server.issueRefreshToken(), 'guess')).toMatchObject({
      status: 401,
      error: 'invalid_client',
    });
  });

  test('tells of each token call', async () => {
    const token = await server.issueRefreshToken();
    await refresh(token);
    await refresh(token);
    expect(calls).toEqual([
      { at: expect.any(Date), grantType: 'refresh_token', status: 200 },
      { at: expect.any(Date), grantType: 'refresh_token', status: 400, error: 'invalid_grant' },
    ]);
  });

  test('comes up again where it was: port, client and grants', async () => {
    const { refresh_token } = await refresh(await server.issueRefreshToken());
    const before = server;
    await server.close();
    server = await start();
    expect([server.issuer, server.client]).toEqual([before.issuer, before.client]);
    expect(await refresh(refresh_token)).toMatchObject({ status: 200 });
    expect(statSync(join(directory, 'authorization-server.json')).mode & 0o077).toBe(0);
  });

  test('takes another port, and stays there, when its own is taken', async () => {
    const { issuer } = server;
    await server.close();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(Number(new URL(issuer).port), '127.0.0.1', resolve));
    server = await start();
    expect(server.issuer).not.toBe(issuer);
    expect(await refresh(await server.issueRefreshToken())).toMatchObject({ status: 200 });
    const moved = server.issuer;
    await Promise.all([server.close(), new Promise((resolve) => other.close(resolve))]);
    server = await start();
    expect(server.issuer).toBe(moved);
  });

  test('writes nothing to the console', async () => {
    const spies = (['log', 'info', 'warn', 'error'] as const).map((level) => vi.spyOn(console, level));
    await server.close();
    server = await start();
    await refresh(await server.issueRefreshToken());
    for (const spy of spies) expect(spy).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  });
});

describe('a login', () => {
  /** Opens the login page, clicks "Allow", and returns where the browser is sent back to. */
  function allow(scope: string, redirect_uri = redirectUri): Promise<URL> {
    const link = new URL(server.authorizationEndpoint);
    const { clientId: client_id } = server.client;
    link.search = String(new URLSearchParams({ client_id, redirect_uri, response_type: 'code', scope }));
    return newBrowser().login(link.href, 'allow', redirectUri);
  }

  async function redeem(back: URL): Promise<Record<string, unknown>> {
    const { clientId, clientSecret } = server.client;
    const authorization = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
    const code = back.searchParams.get('code') ?? '';
    const body = new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri: redirectUri });
    const response = await fetch(server.tokenEndpoint, { method: 'POST', headers: { authorization }, body });
    return (await response.json()) as Record<string, unknown>;
  }

  test.each(['openid offline_access', 'offline_access', 'invoices.read', ''])(
    'with the scope "%s" brings a refresh token',
    async (scope) => {
      expect(await redeem(await allow(scope))).toMatchObject({ refresh_token: expect.any(String) });
    },
  );

  test('may end below its redirect URI, which is how connections have one each', async () => {
    const back = await allow('offline_access', `${redirectUri}/exact-nl`);
    expect([back.pathname, back.searchParams.has('code')]).toEqual(['/oauth/callback/exact-nl', true]);
  });

  test.each(['http://127.0.0.1:8790/oauth/callbacks', 'http://127.0.0.1:1/oauth/callback/a', `${redirectUri}/../a`])(
    'may not end elsewhere: %s',
    async (elsewhere) => {
      await expect(allow('offline_access', elsewhere)).rejects.toThrow(/answered 400: .*redirect_uri/s);
    },
  );
});
