/**
 * `npm start -- --provider NAME`, for every name there is: it connects the newcomer's connection, and tokens are
 * renewed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { connectDemo, demoConnection, startDemoProvider } from '../../local/demo/demo.ts';
import { type DemoProviderName, demoProviders } from '../../local/demo/index.ts';
import type { TokenCall } from '../../local/simulators/oidc/authorization-server.ts';
import { welcomeTo } from '../../local/welcome.ts';
import { newBrowser } from '../handlers/browser.ts';
import { type ProviderBroker, startProviderBroker } from './provider-broker.ts';

let world: ProviderBroker;
beforeAll(async () => {
  world = await startProviderBroker();
});
afterAll(() => world.close());

test.each(Object.keys(demoProviders) as DemoProviderName[])('%s', async (name) => {
  const directory = mkdtempSync(join(tmpdir(), 'demo-'));
  const database = new DatabaseSync(join(directory, 'provider.sqlite'));
  const calls: TokenCall[] = [];
  const redirectUri = `${world.broker.url}/oauth/callback`;
  const provider = await startDemoProvider(name, {
    database,
    directory,
    redirectUri,
    onTokenCall: (call) => calls.push(call),
  });
  onTestFinished(async () => {
    await provider.close();
    database.close();
    rmSync(directory, { recursive: true });
  });

  // Longer than the token function remembers the token of the provider before.
  await world.forward(6);
  await connectDemo(world.broker.fetch, provider);
  expect(await world.status(demoConnection)).toMatchObject({
    provider: provider.connection.provider,
    state: 'active',
    renewal: 'always',
  });
  const { access_token, generation, expires_in } = await world.served(demoConnection);
  // Who has no token endpoint is never called, and its token stays.
  const renewed = calls.length > 0;
  await world.forward(Number(expires_in));
  const next = await world.served(demoConnection);
  expect([next.access_token !== access_token, next.generation === Number(generation) + 1]).toEqual([renewed, true]);
  expect(calls.filter(({ status }) => status >= 400)).toEqual([]);

  const puts = (): number => world.log.filter((line) => line.includes('"connection_put"')).length;
  const before = puts();
  await connectDemo(world.broker.fetch, provider);
  // At the next start, a connection that is there stays as it is. Keys might have changed.
  expect(puts() - before).toBe(renewed ? 0 : 1);
});

test('what the terminal says at the start connects another connection by a login, and reads with its token', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'demo-'));
  const database = new DatabaseSync(join(directory, 'provider.sqlite'));
  const redirectUri = `${world.broker.url}/oauth/callback`;
  const provider = await startDemoProvider('oidc-provider', { database, directory, redirectUri });
  onTestFinished(async () => {
    await provider.close();
    database.close();
    rmSync(directory, { recursive: true });
  });
  const { url, credentials, deployment, fetch: signed } = world.broker;
  const text = welcomeTo({ url, credentials, deployment, provider });

  const login = async (body: string): Promise<void> => {
    expect((await signed('/connections/another', { method: 'PUT', body })).status).toBeLessThan(300);
    const made = await (await signed('/connections/another/authorizations', { method: 'POST' })).json();
    const { connect_url: link } = made as { connect_url: string };
    const browser = newBrowser();
    const back = await browser.login(await browser.begin(link), 'allow', redirectUri);
    expect(back.pathname).toBe('/oauth/callback/another');
    // A victim of the one who began the login: the browser has no cookie of the page.
    expect(await (await newBrowser().open(back.href)).text()).toContain('did not begin in this browser');
    expect(await (await browser.open(back.href)).text()).toContain('<h1>Connected</h1>');
  };
  const [, body = ''] = /-X PUT \S+\/connections\/another -d '(.+)'$/m.exec(text) ?? [];
  expect(text).toContain(`-X POST ${url}/connections/another/authorizations`);
  await login(body);
  const { client } = JSON.parse(body);
  expect(text).toContain(`client ${client.client_id}, secret ${client.client_secret}, redirect URI ${redirectUri}`);

  const { access_token: token } = await world.served('another');
  const [, api = ''] = /-H "Authorization: Bearer ACCESS_TOKEN" (\S+)/.exec(text) ?? [];
  const read = await fetch(api, { headers: { authorization: `Bearer ${token}` } });
  expect([read.status, await read.json()]).toEqual([200, { sub: 'newcomer' }]);

  // The sample of docs/providers.md#discovery.
  await login(
    JSON.stringify({ provider: 'generic-oauth2', settings: { issuer: provider.url, scope: 'offline_access' }, client }),
  );
});
