/** The provider's side: for every provider that can run beside the broker, what can be seen and done there. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { type DemoProvider, startDemoProvider } from '../../local/demo/demo.ts';
import { type DemoProviderName, demoProviders } from '../../local/demo/index.ts';
import { startWeather } from '../../local/simulators/weather.ts';
import { serveTriggers, triggersOf } from '../../local/triggers.ts';

async function start(name: DemoProviderName) {
  const directory = mkdtempSync(join(tmpdir(), 'triggers-'));
  const database = new DatabaseSync(join(directory, 'provider.sqlite'));
  let now = 1_800_000_000_000;
  const weather = startWeather(() => now);
  const redirectUri = 'http://127.0.0.1:8790/oauth/callback';
  const provider = await startDemoProvider(name, { database, directory, redirectUri, weather });
  onTestFinished(async () => {
    await provider.close();
    database.close();
    rmSync(directory, { recursive: true });
  });
  const pass = (ms: number): void => {
    now += ms;
  };
  return { provider, triggers: triggersOf(provider, weather), pass };
}

/** Asks the token endpoint as the broker does, and returns the status. */
async function renew({ connection }: DemoProvider, refreshToken: string, secret = connection.client?.client_secret) {
  const reply = await fetch(String(connection.settings.token_endpoint), {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${connection.client?.client_id}:${secret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken }),
  });
  return { status: reply.status, ...((await reply.json()) as { refresh_token?: string; error?: string }) };
}

const granting = Object.keys(demoProviders).filter((name) =>
  ['oidc-provider', 'exact-online', 'sage-intacct'].includes(name),
) as DemoProviderName[];

test.each(granting)('%s: one grant is revoked, and then every one', async (name) => {
  const { provider, triggers } = await start(name);
  const refreshTokens = [(await provider.issueRefreshToken?.()) ?? ''];
  const [first] = (await triggers.look()).grants ?? [];
  expect(first).toMatchObject({ alive: true });
  expect(await triggers.pull('revoke', 'another')).toEqual({ said: 'The grant is revoked.' });
  const renewed = await renew(provider, refreshTokens[0] ?? '');
  expect(renewed.status).toBe(200);
  await triggers.pull('revoke', first?.id);
  expect((await renew(provider, renewed.refresh_token ?? '')).status).toBe(400);
  expect(((await triggers.look()).grants ?? []).filter(({ alive }) => alive)).toEqual([]);
  const next = (await provider.issueRefreshToken?.()) ?? '';
  await triggers.pull('revoke');
  expect((await renew(provider, next)).status).toBe(400);
});

test.each(granting)('%s: a secret that is rotated is the only good one', async (name) => {
  const { provider, triggers } = await start(name);
  const refreshToken = (await provider.issueRefreshToken?.()) ?? '';
  const before = String(provider.connection.client?.client_secret);
  const { said } = await triggers.pull('rotate');
  const [, secret = ''] = /: (\S+)\. /.exec(said) ?? [];
  expect([400, 401]).toContain((await renew(provider, refreshToken, before)).status);
  expect((await renew(provider, refreshToken, secret)).status).toBe(200);
});

test.each<[DemoProviderName, string[]]>([
  ['oidc-provider', ['revoke', 'rotate']],
  ['exact-online', ['revoke', 'rotate']],
  ['sage-intacct', ['revoke', 'rotate']],
  ['sage-intacct-xml', ['rotate']],
  ['ixon', ['revoke', 'rotate']],
  ['maesn', ['revoke']],
])('%s offers what it can do, and refuses the rest', async (name, kinds) => {
  const { triggers } = await start(name);
  expect(Object.keys((await triggers.look()).kinds)).toEqual([...kinds, 'down', 'slow', 'losing', 'well']);
  for (const kind of ['revoke', 'rotate'])
    if (kinds.includes(kind)) await triggers.pull(kind);
    else await expect(triggers.pull(kind)).rejects.toThrow('cannot do that');
  await expect(triggers.pull('explode')).rejects.toThrow('no such trigger');
});

test('bad weather is told with the time that is left, ends by itself, and is ended', async () => {
  const { provider, triggers, pass } = await start('oidc-provider');
  const refreshToken = (await provider.issueRefreshToken?.()) ?? '';
  await triggers.pull('down');
  pass(20_000);
  expect((await triggers.look()).weather).toEqual({ kind: 'down', forMs: 40_000 });
  expect((await fetch(String(provider.connection.settings.token_endpoint), { method: 'POST' })).status).toBe(503);
  pass(40_000);
  expect((await triggers.look()).weather).toBeUndefined();
  await triggers.pull('losing');
  await expect(renew(provider, 'unknown')).rejects.toThrow('fetch failed');
  await triggers.pull('well');
  expect((await renew(provider, refreshToken)).status).toBe(200);
});

test('is served to who has the key', async () => {
  const { triggers } = await start('maesn');
  const { url, close } = await serveTriggers(triggers, 'the-key');
  onTestFinished(close);
  const ask = (path: string, method: string, key = 'the-key') =>
    fetch(url + path, { method, headers: { authorization: `Bearer ${key}` } });
  expect((await ask('/', 'GET', 'a-key')).status).toBe(403);
  expect(await (await ask('/', 'GET')).json()).toMatchObject({ title: expect.stringContaining('Maesn') });
  expect(await (await ask('/revoke?grant=x', 'POST')).json()).toEqual({ said: 'The grant is revoked.' });
  expect([(await ask('/rotate', 'POST')).status, (await ask('/explode', 'POST')).status]).toEqual([409, 409]);
});
