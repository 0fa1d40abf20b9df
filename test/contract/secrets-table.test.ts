/**
 * What the table of secrets adds to the contract of refresh-token-store.test.ts: seals, writers that may not read, and
 * who is told what.
 */
import { DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { joseSealer, open } from '../../shared/adapters/sealing/jose-sealer.ts';
import { keyRing, type ReadKey } from '../../shared/adapters/sealing/key-ring.ts';
import { refreshTokens } from '../../shared/adapters/secrets/connection-secrets.ts';
import { dynamoDbVersions } from '../../shared/adapters/secrets/dynamodb-versions.ts';
import { withFallback } from '../../shared/adapters/secrets/fallback-versions.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import type { Slot, VersionId } from '../../shared/domain/ids.ts';
import type { EpochMs } from '../../shared/domain/time.ts';
import { SealBroken, Unavailable } from '../../shared/ports/errors.ts';
import type { SecretVersions } from '../../shared/ports/secret-versions.ts';
import { memoryVersions } from '../memory/memory-secrets.ts';
import { versionIdOf } from '../plain.ts';
import { keySecret, readKey, secretsTableWorld } from './secret-worlds.ts';
import { localClient } from './worlds.ts';

const version = (fence: number): string => versionIdOf('00000000-0000-4000-8000', fence);
const clock = { now: () => 1_800_000_000_000 as EpochMs };
const text = '{"refresh_token":"a-refresh-token-that-nobody-may-see"}';

let world: Awaited<ReturnType<typeof secretsTableWorld>>;
beforeAll(async () => {
  world = await secretsTableWorld();
});
afterAll(() => world.close());

let made = 0;
const newName = (kind = 'refresh-0'): string => {
  made += 1;
  return `connection-${made}/${kind}`;
};
interface Item {
  readonly name: string;
  readonly versionId: string;
  readonly sealed: string;
  readonly digest: string;
}
async function itemsOf(name: string): Promise<Item[]> {
  const { Items = [] } = await world.table.client.send(
    new ScanCommand({ TableName: world.table.tableName, ConsistentRead: true }),
  );
  return Items.map((item) => unmarshall(item) as Item).filter((item) => item.name === name);
}
async function only(name: string): Promise<Item> {
  const [item, ...others] = await itemsOf(name);
  if (item === undefined || others.length > 0)
    throw new Error(`${name} has ${others.length + (item ? 1 : 0)} versions`);
  return item;
}
/** The store as a role sees it that may use these operations only. */
function allowedOnly(...operations: readonly string[]): SecretVersions {
  const client = new DynamoDBClient(localClient(world.url));
  client.middlewareStack.add(
    (next, context) => (args) => {
      if (operations.includes(String(context.commandName))) return next(args);
      throw Object.assign(new Error(`not authorized to perform: ${context.commandName}`), {
        name: 'AccessDeniedException',
      });
    },
    { step: 'initialize' },
  );
  return dynamoDbVersions({ ...world.table, client }, readKey, clock);
}

describe('an item', () => {
  test('is what docs/storage.md says, and no text of it says what was sealed', async () => {
    const name = newName();
    await dynamoDbVersions(world.table, readKey, clock).write(name, version(2), text);
    const item = await only(name);
    expect(item).toEqual({
      name,
      versionId: version(2),
      sealed: expect.any(String),
      digest: expect.stringMatching(/^[\w-]{43}$/),
      writtenAt: clock.now(),
    });
    expect(decodeProtectedHeader(item.sealed)).toEqual({
      alg: 'dir',
      enc: 'A256GCM',
      kid: keySecret(1).versionId,
      name,
      ver: version(2),
    });
    // As docs/operations.md looks for what an old key has sealed.
    expect(
      item.sealed.startsWith(
        Buffer.from(`{"alg":"dir","enc":"A256GCM","kid":"${keySecret(1).versionId}`).toString('base64url'),
      ),
    ).toBe(true);
    const decoded = [item.digest, ...item.sealed.split('.')].map((part) =>
      Buffer.from(part, 'base64url').toString('latin1'),
    );
    for (const part of [JSON.stringify(item), ...decoded]) expect(part).not.toMatch(/nobody-may-see|refresh_token/);
  });

  test('of another name or version does not open, nor one that claims to be this', async () => {
    const [name, other] = [newName(), newName()];
    await world.versions.write(name, version(2), text);
    await world.versions.write(other, version(2), text);
    const { sealed } = await only(name);
    const [, ...rest] = sealed.split('.');
    const [foreignHeader] = (await only(other)).sealed.split('.');
    const put = (to: string, versionId: string, moved: string) =>
      world.table.client.send(
        new PutItemCommand({
          TableName: world.table.tableName,
          Item: {
            name: { S: to },
            versionId: { S: versionId },
            sealed: { S: moved },
            digest: { S: 'x' },
            writtenAt: { N: '1' },
          },
        }),
      );
    await put(other, version(2), sealed);
    await put(name, version(3), sealed);
    await put(other, version(4), [foreignHeader, ...rest].join('.'));
    for (const [to, versionId] of [
      [other, version(2)],
      [name, version(3)],
      [other, version(4)],
    ] as const) {
      await expect(world.versions.read(to, versionId)).rejects.toBeInstanceOf(SealBroken);
      const [connection, slot] = to.split('/refresh-');
      expect(
        await refreshTokens(world.versions).lookUp(
          connection as ConnectionName,
          Number(slot) as Slot,
          versionId as VersionId,
        ),
      ).toEqual({ kind: 'unreadable' });
    }
    expect(await world.versions.read(name, version(2))).toBe(text);
  });

  test('sealed under another key does not open, and is not absent', async () => {
    const name = newName();
    await dynamoDbVersions(world.table, async () => ({ ...keySecret(1), secret: keySecret(2).secret }), clock).write(
      name,
      version(2),
      text,
    );
    await expect(world.versions.read(name, version(2))).rejects.toBeInstanceOf(SealBroken);
  });

  test('has a key of its own, even where the same secret was given for another purpose', async () => {
    const [name, binding] = [
      newName(),
      { connection: 'exact-nl' as ConnectionName, versionId: version(2) as VersionId },
    ];
    await world.versions.write(name, version(2), text);
    const { sealed } = await only(name);
    for (const purpose of ['access', 'refresh'] as const) {
      await expect(open(keyRing(purpose, readKey, clock), sealed, { name, ver: version(2) })).rejects.toBeInstanceOf(
        SealBroken,
      );
      await expect(joseSealer(purpose, readKey, clock).open(sealed, binding)).rejects.toBeInstanceOf(SealBroken);
    }
    expect((await open(keyRing('secrets', readKey, clock), sealed, { name, ver: version(2) })).reveal()).toBe(text);
  });

  test('has a digest that tells of the same text under the same version, and of nothing else', async () => {
    const [name, other] = [newName(), newName()];
    await world.versions.write(name, version(2), text);
    await world.versions.write(name, version(3), text);
    await world.versions.write(other, version(2), text);
    const digests = [...(await itemsOf(name)), ...(await itemsOf(other))].map(({ digest }) => digest);
    expect(new Set(digests).size).toBe(3);
    const before = digests[0];
    await world.versions.write(name, version(2), text);
    expect((await itemsOf(name)).map(({ digest }) => digest)).toContain(before);
  });

  test('is read after the key was rotated, and sealed under the new one', async () => {
    const [before, after] = [newName(), newName()];
    let keys = [keySecret(1)];
    const rotating: ReadKey = async (versionId) =>
      versionId === undefined ? keys.at(-1) : keys.find((key) => key.versionId === versionId);
    await dynamoDbVersions(world.table, rotating, clock).write(before, version(2), text);
    keys = [keySecret(1), keySecret(2)];
    const store = dynamoDbVersions(world.table, rotating, clock);
    await store.write(after, version(2), text);
    expect(await store.read(before, version(2))).toBe(text);
    expect(decodeProtectedHeader((await only(after)).sealed).kid).toBe(keySecret(2).versionId);
  });
});

describe('a writer that may not read', () => {
  test('stores, stores the same again, and is told of another text', async () => {
    const writer = allowedOnly('PutItemCommand');
    const name = newName();
    expect(await writer.write(name, version(2), text)).toBe(true);
    expect(await writer.write(name, version(2), text)).toBe(true);
    expect(await writer.write(name, version(2), `${text} `)).toBe(false);
    await expect(writer.read(name, version(2))).rejects.toBeInstanceOf(Unavailable);
    expect(await world.versions.read(name, version(2))).toBe(text);
  });

  test('whose reply was lost succeeds when the client tries again', async () => {
    const client = new DynamoDBClient({ ...localClient(world.url), maxAttempts: 2 });
    let lost = 0;
    client.middlewareStack.add(
      (next) => async (args) => {
        const reply = await next(args);
        lost += 1;
        if (lost === 1) throw Object.assign(new Error('reply lost'), { name: 'TimeoutError', $retryable: {} });
        return reply;
      },
      { step: 'deserialize', priority: 'high' },
    );
    const name = newName();
    expect(await dynamoDbVersions({ ...world.table, client }, readKey, clock).write(name, version(2), text)).toBe(true);
    expect(lost).toBe(2);
    client.destroy();
  });
});

test('a secret of several pages is removed with all its versions, and no other', async () => {
  const [name, other] = [newName('client'), newName('client')];
  await world.versions.write(other, version(1), text);
  // Pages end after 1 MB.
  const fences = Array.from({ length: 40 }, (_, i) => i + 1);
  await Promise.all(fences.map((fence) => world.versions.write(name, version(fence), 'x'.repeat(30_000))));
  await allowedOnly('QueryCommand', 'DeleteItemCommand').remove(name);
  expect(await itemsOf(name)).toEqual([]);
  await world.versions.remove(name);
  expect(await world.versions.read(other, version(1))).toBe(text);
});

describe('nothing is absent', () => {
  const outages: readonly (readonly [string, () => SecretVersions, string])[] = [
    ['when nothing may be done', () => allowedOnly(), 'secrets unavailable'],
    [
      'when the table is not there',
      () => dynamoDbVersions({ ...world.table, tableName: 'no-such-table' }, readKey, clock),
      'secrets unavailable',
    ],
    [
      'when nobody answers',
      () =>
        dynamoDbVersions(
          { ...world.table, client: new DynamoDBClient(localClient('http://127.0.0.1:9')) },
          readKey,
          clock,
        ),
      'secrets unavailable',
    ],
    [
      'when the key has no version',
      () => dynamoDbVersions(world.table, async () => undefined, clock),
      'keys unavailable',
    ],
  ];
  test.each(outages)('%s', async (_when, open, message) => {
    const store = open();
    const name = newName();
    await expect(store.read(name, version(2))).rejects.toMatchObject({ name: 'Unavailable', message });
    await expect(store.write(name, version(2), text)).rejects.toMatchObject({ name: 'Unavailable', message });
    expect(await refreshTokens(store).lookUp('exact-nl' as ConnectionName, 0 as Slot, version(2) as VersionId)).toEqual(
      {
        kind: 'unreadable',
      },
    );
  });

  test('and none of it says what was to be stored', async () => {
    const error = await allowedOnly()
      .write(newName(), version(2), text)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      cause: { message: expect.stringContaining('not authorized to perform: PutItemCommand') },
    });
    expect(JSON.stringify([String(error), String((error as Error).cause)])).not.toContain('nobody-may-see');
  });
});

describe('secrets that have moved', () => {
  const stores = () => {
    const [store, earlier] = [memoryVersions(), memoryVersions()];
    return { store, earlier, moved: withFallback(store, earlier) };
  };
  const broken: SecretVersions = {
    read: () => Promise.reject(new Unavailable('secrets')),
    write: () => Promise.reject(new Unavailable('secrets')),
    remove: () => Promise.reject(new Unavailable('secrets')),
  };

  test('are written to the new store alone', async () => {
    const { store, earlier, moved } = stores();
    expect(await moved.write('a/client', '1', 'new')).toBe(true);
    expect(await store.read('a/client', '1')).toBe('new');
    expect(await earlier.read('a/client', '1')).toBeUndefined();
    expect(await moved.write('a/client', '1', 'other')).toBe(false);
  });

  test('are read where they are, the new store first', async () => {
    const { store, earlier, moved } = stores();
    await earlier.write('a/client', '1', 'earlier');
    expect(await moved.read('a/client', '1')).toBe('earlier');
    await store.write('a/client', '1', 'new');
    expect(await moved.read('a/client', '1')).toBe('new');
    expect(await moved.read('a/client', '2')).toBeUndefined();
  });

  test('are removed from both', async () => {
    const { store, earlier, moved } = stores();
    await earlier.write('a/client', '1', 'earlier');
    await store.write('a/client', '2', 'new');
    await moved.remove('a/client');
    expect([await earlier.read('a/client', '1'), await store.read('a/client', '2')]).toEqual([undefined, undefined]);
    await expect(withFallback(store, broken).remove('a/client')).rejects.toBeInstanceOf(Unavailable);
    await expect(withFallback(broken, earlier).remove('a/client')).rejects.toBeInstanceOf(Unavailable);
  });

  test('are never absent while either store cannot be read', async () => {
    const { store, earlier } = stores();
    await earlier.write('a/client', '1', 'earlier');
    await expect(withFallback(broken, earlier).read('a/client', '1')).rejects.toBeInstanceOf(Unavailable);
    await expect(withFallback(store, broken).read('a/client', '1')).rejects.toBeInstanceOf(Unavailable);
    await store.write('a/client', '1', 'new');
    expect(await withFallback(store, broken).read('a/client', '1')).toBe('new');
  });
});
