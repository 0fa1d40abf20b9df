/** Grants that leave a deployment in a sealed file, and go on in another one. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteItemCommand, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { marshall } from '@aws-sdk/util-dynamodb';
import { decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Broker, type Description } from '../../cli/broker.ts';
import { entriesWithGrants } from '../../cli/commands/export.ts';
import { grantsIn } from '../../cli/export/grants.ts';
import { obstacleOf } from '../../cli/export/obstacle.ts';
import { opened, sealed } from '../../cli/export/sealed-file.ts';
import { entriesOf, faultsOf } from '../../cli/import-file.ts';
import { screenOf } from '../../cli/screen.ts';
import { newPassphrase } from '../../cli/secret-input.ts';
import { limits } from '../../shared/domain/limits.ts';
import { at, callsWith, connectionOf, myFence, now } from '../domain/fixtures.ts';
import { lifetimeSeconds } from '../handlers/provider.ts';
import { secretsInTable } from '../handlers/stores.ts';
import { handlerWorld, hunt, origin } from '../handlers/world.ts';

// Cold environments load their modules again.
vi.setConfig({ testTimeout: 90_000 });

const passphrase = 'a passphrase of words';

describe('a sealed file', () => {
  test('is opened by its passphrase, and by no other', async () => {
    const text = await sealed('{"refresh_token":"the-secret"}', passphrase);
    expect(text).not.toContain('the-secret');
    expect(await opened(`${text}\n`, passphrase, 'all.jwe')).toBe('{"refresh_token":"the-secret"}');
    await expect(opened(text, `${passphrase}!`, 'all.jwe')).rejects.toThrow(
      /^all\.jwe: the passphrase does not open it/,
    );
    await expect(opened('[]', passphrase, 'all.jwe')).rejects.toThrow(/was not written by token-broker export/);
    const [head, key, iv, ciphertext = '', tag] = text.split('.');
    const other = (ciphertext.startsWith('A') ? 'B' : 'A') + ciphertext.slice(1);
    await expect(opened([head, key, iv, other, tag].join('.'), passphrase, 'all.jwe')).rejects.toThrow(
      /does not open it/,
    );
  });

  test('costs who guesses 210,000 iterations a guess, and whoever opens it no more than ten times as many', async () => {
    const text = await sealed('[]', passphrase);
    expect(decodeProtectedHeader(text)).toMatchObject({ alg: 'PBES2-HS512+A256KW', p2c: 210_000 });
    const greedy = { ...decodeProtectedHeader(text), p2c: 1_000_000_000 };
    const head = Buffer.from(JSON.stringify(greedy)).toString('base64url');
    await expect(opened(text.replace(/^[^.]+/, head), passphrase, 'all.jwe')).rejects.toThrow(/all\.jwe/);
  });

  test('has no passphrase that could be guessed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'export-'));
    const file = join(folder, 'passphrase');
    const asked = async (text: string) => {
      writeFileSync(file, text);
      return newPassphrase(screenOf(false), 'all.jwe', file);
    };
    await expect(asked('eleven char')).rejects.toThrow(/fewer than 12 characters/);
    expect(await asked('twelve chars')).toBe('twelve chars');
    rmSync(folder, { recursive: true });
  });
});

describe('a grant is handed on', () => {
  const paused = { at: now, by: 'operator' };
  const lease = { owner: 'another', fence: myFence, until: at(1) };
  const attempt = {
    fence: myFence,
    slot: 0,
    versionId: 'v',
    startedAt: at(-1),
    generation: connectionOf().generation,
    sent: true,
    repeats: 0,
  };
  const codeAt = (ms: number) => callsWith({ codes: { login: at(ms) } });

  test.each([
    ['unless it is not paused', {}, /is not paused.*token-broker pause exact-nl/],
    ['unless it is being deleted', { paused, deletion: { since: now, notBefore: now } }, /is being deleted/],
    ['unless a renewal is under way', { paused, lease }, /renewal is under way, until/],
    ['once its lease is over', { paused, lease: { ...lease, until: now } }, undefined],
    ['unless a renewal may have used the token', { paused, attempts: { [myFence]: attempt } }, /came of a renewal/],
    ['if it was not sent', { paused, attempts: { [myFence]: { ...attempt, sent: false } } }, undefined],
    [
      'unless a login is under way',
      { paused, calls: codeAt(1 - limits.refreshTimeoutMs) },
      /login is under way, until/,
    ],
    ['once the code has had its time', { paused, calls: codeAt(-limits.refreshTimeoutMs) }, undefined],
    ['paused and at rest', { paused }, undefined],
  ])('%s', (_title, more, expected) => {
    const said = obstacleOf(connectionOf(more as never), now);
    if (expected === undefined) expect(said).toBeUndefined();
    else expect(said).toMatch(expected);
  });
});

const world = await handlerWorld();

test('what only a login tells goes along, as the setting that an import takes', async () => {
  const books = { connection: 'books', provider: 'quickbooks', settings: {}, client: { client_id: 'app' } };
  const told = { ...books, values: { realmId: '4620816365' } } as unknown as Description;
  const grant = { refreshToken: 'r', client: { client_secret: 's' }, settings: {} };
  const [entry] = await entriesWithGrants([told], async () => grant);
  expect(entry).toMatchObject({ settings: { realm_id: '4620816365' }, refresh_token: 'r' });
  // As the file has it: what is undefined is not written.
  const { connection, ...body } = JSON.parse(JSON.stringify(entry));
  expect(
    faultsOf([{ place: 'entry 1', connection: String(connection), body }], { allowLoopback: false }, new Set()),
  ).toEqual([]);
});

describe('from a deployment', () => {
  let clients: { readonly table: DynamoDBClient; readonly secrets: SecretsManagerClient };
  beforeAll(() => {
    clients = { table: new DynamoDBClient({}), secrets: new SecretsManagerClient({}) };
  });
  afterAll(() => {
    clients.table.destroy();
    clients.secrets.destroy();
  });
  const broker = new Broker(origin, async (path, { method, body }) => {
    const { status, body: said } = await world.call(`${method} ${path}`, body && JSON.parse(body));
    return new Response(JSON.stringify(said), { status });
  });
  const write = async (item: object) => {
    const Item = marshall(item, { removeUndefinedValues: true });
    await clients.table.send(new PutItemCommand({ TableName: process.env.TABLE_NAME, Item }));
  };
  const sent = (): unknown[] => world.provider.calls.map(({ parameters }) => parameters.get('refresh_token'));

  async function renewed(connection: string): Promise<void> {
    world.later(lifetimeSeconds);
    await world.call(`GET /token/${connection}?wait=0`);
    await world.refresh(connection);
  }

  async function connect(connection: string, client_secret: string | readonly string[]): Promise<void> {
    await broker.put(connection, {
      provider: 'generic-oauth2',
      settings: { token_endpoint: world.provider.tokenEndpoint },
      client: {
        client_id: connection,
        client_secret,
        ...(Array.isArray(client_secret) && { client_secret_expires_at: ['2027-03-31', 0] }),
      },
      refresh_token: world.secret('refresh'),
      margin_seconds: 40,
    });
    await renewed(connection);
  }

  const exported = async () => entriesWithGrants(await broker.all(), grantsIn(process.env, clients));

  test('nothing is handed on while anything is in the way, and all of it is told', async () => {
    await connect('one', world.secret('client'));
    await connect('two', world.secret('client'));
    await expect(exported()).rejects.toMatchObject({
      exitCode: 4,
      message: expect.stringMatching(/^one: is not paused.*\ntwo: is not paused.*\nNothing was written\.$/),
    });
    await broker.pause('one');
    await expect(exported()).rejects.toThrow(/^two: is not paused/);
  });

  test('secrets for another endpoint than the settings name are not read', async () => {
    await broker.pause('two');
    const item = (await world.stores.items()).two;
    const read = grantsIn(process.env, clients);
    expect(await read('two')).toMatchObject({ refreshToken: expect.any(String) });
    const settings = { ...item?.config.settings, token_endpoint: 'https://elsewhere.example/token' };
    await write({ ...item, config: { ...item?.config, settings } });
    expect(await read('two')).toEqual({ fault: expect.stringMatching(/^cannot be read: the settings name https/) });
    await write({ ...item });
  });

  test('of a deployment with its secrets in a table, too', async () => {
    await world.stores.newSecretsTable();
    const client_secret = world.secret('client');
    await world.with(secretsInTable, async () => {
      await connect('tabled', client_secret);
      await broker.pause('tabled');
    });
    expect(await grantsIn(process.env, clients)('tabled')).toEqual({ fault: 'cannot be read: secrets unavailable.' });
    const read = grantsIn({ ...process.env, ...secretsInTable }, clients);
    expect(await read('tabled')).toMatchObject({ client: { client_secret }, refreshToken: expect.any(String) });
    // What was stored before the switch is read where it is.
    expect(await read('two')).toMatchObject({ refreshToken: expect.any(String) });
    await broker.delete('tabled');
    await world.with(secretsInTable, () => world.refresh('tabled'));
  });

  test('it goes on under other keys in an empty table, where it stopped: no refresh token is sent twice', async () => {
    const pair = [world.secret('client'), world.secret('client')];
    await connect('pair', pair);
    await broker.pause('pair');
    const file = await sealed(JSON.stringify(await exported()), passphrase);
    const entries = entriesOf('all.jwe', await opened(file, passphrase, 'all.jwe'));
    expect(faultsOf(entries, { allowLoopback: true }, new Set())).toEqual([]);
    expect(entries.map(({ connection }) => connection)).toEqual(['one', 'pair', 'two']);
    expect(entries[1]?.body).toMatchObject({
      client: { client_id: 'pair', client_secret: pair, client_secret_expires_at: ['2027-03-31T00:00:00.000Z', 0] },
      margin_seconds: 40,
    });
    const before = sent();
    for (const { connection } of entries)
      await clients.table.send(
        new DeleteItemCommand({ TableName: process.env.TABLE_NAME, Key: { connection: { S: connection } } }),
      );
    const keys = { SECRET_PREFIX: 'elsewhere/', ...(await world.stores.newSealingKeys('elsewhere-')) };
    await world.with(keys, async () => {
      for (const { connection, body } of entries) {
        await broker.put(connection, body);
        await renewed(connection);
        await renewed(connection);
        const { status, body: reply } = await world.call(`GET /token/${connection}?wait=0`);
        expect([status, reply.generation]).toEqual([200, 2]);
        world.known(String(reply.access_token));
      }
    });
    const all = sent();
    expect(all).toHaveLength(before.length + 2 * entries.length);
    expect(new Set(all).size).toBe(all.length);
  });
});

hunt(() => world);
