/** A grant that is moved in: from fakes that speak the protocols of their sources, into the real handlers. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Broker } from '../../cli/broker.ts';
import { fileSource } from '../../cli/move-in/file.ts';
import { addressOf } from '../../cli/move-in/http-source.ts';
import { move } from '../../cli/move-in/move.ts';
import { nangoSource } from '../../cli/move-in/nango.ts';
import { oauthappSource } from '../../cli/move-in/oauthapp.ts';
import { secretSource } from '../../cli/move-in/secrets-manager.ts';
import type { FoundGrant, Source } from '../../cli/move-in/source.ts';
import { startSecretsManager } from '../../local/aws/secrets-manager/secrets-manager.ts';
import { emulatorClient } from '../../local/platform/account.ts';
import { listen } from '../../local/platform/loopback.ts';
import { handlerWorld, hunt, origin } from '../handlers/world.ts';

const world = await handlerWorld();

/** What the fakes were asked, in order, and what they hold. */
const asked: string[] = [];
const nango = { connection: undefined as object | undefined, key: 'nango-key', failing: false };
let sources: Awaited<ReturnType<typeof listen>>;
beforeAll(async () => {
  sources = await listen(
    createServer((request, response) => {
      const { method = '', url = '', headers } = request;
      asked.push(`${method} ${url}`);
      const answer = (status: number, body: object) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      if (url.startsWith('/v1/'))
        return headers['x-vault-token'] === 'root' && url === '/v1/oauth2/servers/exact'
          ? answer(200, { data: { client_id: 'app', provider: 'custom' } })
          : answer(404, { errors: [] });
      if (headers.authorization !== `Bearer ${nango.key}`) return answer(401, { error: { code: 'unknown_account' } });
      if (url.startsWith('/integrations/'))
        return answer(200, {
          data: { credentials: { type: 'OAUTH2', client_id: 'app', client_secret: clientSecret } },
        });
      if (url.startsWith('/connections?'))
        return answer(200, {
          connections: nango.connection ? [{ connection_id: '42', provider_config_key: 'exact' }] : [],
        });
      if (nango.connection === undefined) return answer(404, { error: { code: 'not_found' } });
      if (method === 'DELETE' && nango.failing) return answer(500, {});
      if (method === 'DELETE') nango.connection = undefined;
      return answer(200, method === 'DELETE' ? { success: true } : { credentials: nango.connection });
    }),
  );
});
afterAll(() => sources.close());

const clientSecret = world.secret('client');
/** The broker as the command line calls it; what is on its queue is worked off while it answers. */
const broker = new Broker(origin, async (path, { method, body }) => {
  let answered = false;
  asked.push(`broker: ${method} ${path}${body?.includes('"verify":true') ? ' verify' : ''}`);
  const answer = world.call(`${method} ${path}`, body === undefined ? undefined : JSON.parse(body)).finally(() => {
    answered = true;
  });
  const name = path.split('/')[2] ?? '';
  if (body?.includes('"verify":true')) while (!answered) await world.refresh(name);
  const { status, body: said } = await answer;
  return new Response(JSON.stringify(said), { status });
});
const bodyFor = async ({ refreshToken, clientId = 'app', clientSecret: secret = clientSecret }: FoundGrant) => ({
  provider: 'generic-oauth2',
  settings: { token_endpoint: world.provider.tokenEndpoint },
  client: { client_id: clientId, client_secret: secret },
  refresh_token: refreshToken,
});
const said: string[] = [];
const moving = (name: string, source: Source) =>
  move({ broker, name, source, bodyFor, tell: (line) => void said.push(line) });
const callsWith = (refreshToken: string) =>
  world.provider.calls.filter(({ parameters }) => parameters.get('refresh_token') === refreshToken).length;
const fromNango = (key = nango.key, url = sources.url) =>
  nangoSource(
    { name: 'Nango', url, headers: { authorization: `Bearer ${key}` } },
    { connectionId: '42', integration: 'exact' },
  );
function inNango(): string {
  const refreshToken = world.secret('refresh');
  nango.connection = { type: 'OAUTH2', access_token: 'a', refresh_token: refreshToken };
  asked.length = 0;
  return refreshToken;
}

describe('from Nango', () => {
  test('the broker has the grant first, Nango is stopped, and then it is renewed', async () => {
    const refreshToken = inNango();
    const source = fromNango();
    // What a person or standard input was asked for is there once.
    const asking = vi.fn(bodyFor);
    const item = await move({ broker, name: 'books', source, bodyFor: asking, tell: (line) => void said.push(line) });
    expect(asking).toHaveBeenCalledOnce();
    expect(item).toMatchObject({ state: 'active', generation: 1 });
    expect(callsWith(refreshToken)).toBe(1);
    const read = 'GET /connections/42?provider_config_key=exact&refresh_token=true';
    expect(asked.filter((one) => !one.includes('/integrations/'))).toEqual([
      read,
      'broker: GET /connections/books',
      'broker: PUT /connections/books',
      'broker: PUT /connections/books/pause',
      read,
      'DELETE /connections/42?provider_config_key=exact',
      'broker: DELETE /connections/books/pause',
      'broker: PUT /connections/books verify',
    ]);
    expect(nango.connection).toBeUndefined();
    expect(said.join()).toContain('books is paused');
  });
  test('again, where it was moved in before: nothing is lost, and it says so', async () => {
    await expect(fromNango().look()).rejects.toThrow(/moved in before/);
    await expect(moving('books', fromNango())).rejects.toThrow(/moved in before/);
    expect((await world.call('GET /connections/books')).body).toMatchObject({ state: 'active', generation: 1 });
  });
  test('a grant that Nango renewed between the look and the stop is the newer one', async () => {
    const first = inNango();
    const source = fromNango();
    let reads = 0;
    let second = '';
    const renewing: Source = {
      ...source,
      read: async () => {
        reads += 1;
        if (reads === 2) second = inNango();
        return source.read();
      },
    };
    expect(await moving('renewed', renewing)).toMatchObject({ state: 'active', generation: 1 });
    expect([callsWith(first), callsWith(second)]).toEqual([0, 1]);
  });
  test('Nango cannot be stopped: the broker has the grant unused, and the same again goes on', async () => {
    const refreshToken = inNango();
    nango.failing = true;
    await expect(moving('stuck', fromNango())).rejects.toThrow(/500.*unused, and is paused.*Run the same again/);
    expect(callsWith(refreshToken)).toBe(0);
    expect((await world.call('GET /connections/stuck')).body).toMatchObject({
      unproven: true,
      paused_since: expect.any(String),
    });
    nango.failing = false;
    expect(await moving('stuck', fromNango())).toMatchObject({ state: 'active', generation: 1 });
    expect(callsWith(refreshToken)).toBe(1);
  });
  test('the provider refuses the client: the grant is kept, and what is left to do is said', async () => {
    inNango();
    world.provider.instead = () => ({ status: 401, body: { error: 'invalid_client' } });
    await expect(moving('client', fromNango())).rejects.toThrow(/refuses the client.*keeps the refresh token.*stopped/);
  });
  test('the provider refuses the grant: it says on which side what is dead', async () => {
    inNango();
    world.provider.instead = () => ({ status: 400, body: { error: 'invalid_grant' } });
    await expect(moving('dead', fromNango())).rejects.toMatchObject({
      exitCode: 4,
      message: expect.stringMatching(/refuses the refresh token.*invalid_grant.*stopped for good.*reauthorize dead/),
    });
  });
  test('the provider does not answer: the broker goes on trying', async () => {
    inNango();
    world.provider.instead = () => ({ status: 503, body: {} });
    await expect(moving('later', fromNango())).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringMatching(/goes on trying.*Do not switch it on again/),
    });
  });
  test('a connection that clients use does not renew before the source is stopped', async () => {
    const first = world.secret('refresh');
    await broker.put('used', { ...(await bodyFor({ kind: 'found', refreshToken: first })), verify: true });
    const refreshToken = inNango();
    const source = fromNango();
    const { stop } = source;
    const asking: Source = {
      ...source,
      ...(stop && {
        stop: {
          ...stop,
          now: async () => {
            await world.call('GET /token/used?wait=0');
            await world.refresh('used');
            expect(callsWith(refreshToken)).toBe(0);
            await stop.now();
          },
        },
      }),
    };
    expect(await moving('used', asking)).toMatchObject({ state: 'active' });
    expect(callsWith(refreshToken)).toBe(1);
  });
  test('what was paused and stays so is told', async () => {
    const refreshToken = world.secret('refresh');
    await broker.put('resting', await bodyFor({ kind: 'found', refreshToken }));
    await broker.pause('resting');
    const source: Source = { ...fromNango(), read: async () => ({ kind: 'found', refreshToken }) };
    const { stop: _stop, ...still } = source;
    await expect(moving('resting', still)).rejects.toThrow(/resting is paused.*resume resting/);
  });
  test('a key that Nango refuses changes nothing, and is not told', async () => {
    inNango();
    await expect(moving('key', fromNango('wrong-key'))).rejects.toThrow(/^Nango refuses the key \(401\)/);
    expect((await world.call('GET /connections/key')).status).toBe(404);
  });
  test('a connection without a refresh token is none to move', async () => {
    nango.connection = { type: 'API_KEY', api_key: 'k' };
    await expect(moving('key', fromNango())).rejects.toThrow(/no refresh token to give: .*API_KEY/);
  });
  test('the client is the one that the connection has of its own, where it has one', async () => {
    const refreshToken = inNango();
    const found = { kind: 'found', refreshToken, clientId: 'app', clientSecret };
    expect(await fromNango().read()).toEqual(found);
    const own = { client_id: 'own', client_secret: world.secret('own') };
    nango.connection = { ...nango.connection, config_override: own };
    expect(await fromNango().read()).toEqual({ ...found, clientId: 'own', clientSecret: own.client_secret });
    // Nango writes the members also where there is no such client.
    nango.connection = { ...nango.connection, config_override: {} };
    expect(await fromNango().read()).toEqual(found);
  });
  test('an address may have a path', async () => {
    inNango();
    await expect(fromNango(nango.key, `${sources.url}/nango`).look()).rejects.toThrow(/no connection 42/);
    expect(asked).toEqual(['GET /nango/connections?connectionId=42']);
  });
  test('what the broker refuses leaves Nango as it is', async () => {
    inNango();
    const source = fromNango();
    const wrong = { broker, name: 'wrong', source, tell: () => {} };
    await expect(
      move({ ...wrong, bodyFor: async (grant) => ({ ...(await bodyFor(grant)), provider: 'unheard-of' }) }),
    ).rejects.toThrow(/invalid_request.*changed nothing.*left as it is/);
    expect(nango.connection).toBeDefined();
  });
});

describe('from the plugin oauthapp', () => {
  const from = (server: string | undefined) =>
    oauthappSource(
      { name: 'OpenBao or Vault', url: sources.url, headers: { 'x-vault-token': 'root' } },
      { mount: 'oauth2', credential: 'books', server },
      'books',
    );
  test('says what cannot be had, and how to log in instead', async () => {
    await from('exact').look();
    await expect(moving('plugin', from('exact'))).rejects.toMatchObject({
      exitCode: 4,
      message: expect.stringMatching(
        /cannot be had.*connect books --provider PRESET --client-id app.*delete oauth2\/creds\/books/s,
      ),
    });
    expect((await world.call('GET /connections/plugin')).status).toBe(404);
  });
  test('a server configuration that is not there is told', () =>
    expect(from('other').look()).rejects.toThrow(/no oauth2\/servers\/other/));
});

describe('from Secrets Manager', () => {
  const database = new DatabaseSync(':memory:');
  let endpoint: Awaited<ReturnType<typeof startSecretsManager>>;
  let client: SecretsManagerClient;
  beforeAll(async () => {
    endpoint = await startSecretsManager({ database });
    client = new SecretsManagerClient({ ...emulatorClient, endpoint: endpoint.url });
  });
  afterAll(async () => {
    await endpoint.close();
    database.close();
  });
  const stored = async (Name: string, SecretString: string) => {
    await client.send(new CreateSecretCommand({ Name, SecretString }));
    return secretSource(client, Name);
  };
  test('the members may be spelled as programs do', async () => {
    const refreshToken = world.secret('refresh');
    const source = await stored('books', JSON.stringify({ refreshToken, client_id: 'app', clientSecret }));
    expect(await moving('secret', source)).toMatchObject({
      state: 'active',
      generation: 1,
      client: { client_id: 'app' },
    });
    // The same again: the grant is left alone.
    expect(await moving('secret', source)).toMatchObject({ state: 'active', generation: 1 });
    expect(callsWith(refreshToken)).toBe(1);
  });
  test.each([
    ['no JSON', 'plain', /text that is no JSON/],
    ['no refresh token', '{"token":"t"}', /no member refresh_token/],
  ])('a text with %s is told without it', async (_title, text, message) =>
    expect((await stored(`faulty-${text.length}`, text)).read()).rejects.toThrow(message),
  );
  test('a secret that is not there is told', () =>
    expect(secretSource(client, 'nowhere').read()).rejects.toThrow(/cannot be read \(ResourceNotFoundException\)/));
});

describe('from a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'move-in-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, lines: readonly string[]): string => {
    writeFileSync(join(folder, name), lines.join('\n'));
    return join(folder, name);
  };
  test('takes the row of that name', async () => {
    const refreshToken = world.secret('refresh');
    const path = file('all.csv', ['connection,client_id,refresh_token', 'a,app,x', `row,app,${refreshToken}`]);
    expect(await moving('row', fileSource(path, 'row'))).toMatchObject({ state: 'active', generation: 1 });
    expect(callsWith(refreshToken)).toBe(1);
  });
  test('a row that is not there, or has no refresh token, is told by its line', () => {
    const path = file('bare.csv', ['connection,provider,refresh_token', 'bare,xero,']);
    expect(() => fileSource(path, 'none')).toThrow(/no connection none/);
    expect(() => fileSource(path, 'bare')).toThrow(/line 2: refresh_token is missing/);
  });
});

test('keys are sent to https alone, or to this machine', () => {
  expect(addressOf('https://api.nango.dev', '--source-url')).toBe('https://api.nango.dev');
  expect(addressOf('http://localhost:3003', '--source-url')).toBe('http://localhost:3003');
  expect(addressOf('https://tools.internal/nango/', '--source-url')).toBe('https://tools.internal/nango');
  expect(() => addressOf('http://nango.internal', '--source-url')).toThrow(/https/);
  expect(() => addressOf('https://nango.internal/?key=k', '--source-url')).toThrow(/without credentials or a query/);
});

test('an address with credentials in it is refused, and not repeated', () => {
  expect(() => addressOf('https://me:the-secret@nango.internal', '--source-url')).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining('the-secret') }),
  );
});

hunt(() => world);
