import { createServer } from 'node:http';
import { inspect } from 'node:util';
import {
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DynamoDBClient,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { listen } from '../../local/platform/loopback.ts';
import { dynamoDb } from '../../shared/adapters/aws/clients.ts';
import { dynamoDbConnections } from '../../shared/adapters/aws/dynamodb-connections.ts';
import { dynamoDbDirectory } from '../../shared/adapters/aws/dynamodb-directory.ts';
import { unavailable } from '../../shared/adapters/aws/unavailable.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import type { Fence, GrantId } from '../../shared/domain/ids.ts';
import { touch } from '../../shared/domain/use-writes.ts';
import { Unavailable } from '../../shared/ports/errors.ts';
import { taking } from '../holding.ts';
import { dynamoDbWorld, localClient, newConnection, now, seenOf } from './worlds.ts';

// Real seconds would make this suite slow: what is tested is that a limit ends the wait, not how long it is.
vi.mock(import('../../shared/domain/limits.ts'), async (original) => {
  const real = await original();
  return { ...real, limits: { ...real.limits, storeConnectMs: 200 as 1_000, storeRequestMs: 100 as 2_000 } };
});

const names = { tableName: 'connections', dueIndexName: 'due', nameIndexName: 'names' };
const name = 'exact-nl' as ConnectionName;

describe('a condition that fails', () => {
  let world: Awaited<ReturnType<typeof dynamoDbWorld>>;
  beforeAll(async () => {
    world = await dynamoDbWorld();
  });
  afterEach(() => vi.restoreAllMocks());
  afterAll(() => world.close());

  test('costs no read where DynamoDB sends the item along', async () => {
    const item = newConnection({ lease: { owner: 'you', fence: 2, until: now }, fence: 2 });
    const refusal = new ConditionalCheckFailedException({ message: 'refused', $metadata: {}, Item: marshall(item) });
    const send = vi.spyOn(world.client, 'send').mockImplementation(async () => {
      throw refusal;
    });
    const write = taking(seenOf({ ...item, fence: 1 as Fence }), 'you', now, now);
    const anothers = taking(seenOf({ ...item, fence: 1 as Fence }), 'me', now, now);
    expect(await world.store.apply(item.connection, write)).toEqual({ applied: true, item });
    expect(await world.store.apply(item.connection, anothers)).toEqual({ applied: false, item });
    expect(await world.store.create({ ...item, grant: { ...item.grant, id: 'another' as GrantId } })).toBe(false);
    expect(send).toHaveBeenCalledTimes(3);
  });

  test('is not taken for an outage, nor an outage for it', async () => {
    const item = newConnection();
    expect(await world.store.apply(item.connection, touch(now))).toEqual({ applied: false, item: undefined });
    const elsewhere = dynamoDbConnections(world.client, { ...names, tableName: 'no-such-table' });
    await expect(elsewhere.apply(item.connection, touch(now))).rejects.toBeInstanceOf(Unavailable);
  });
});

describe('a page of the list', () => {
  let world: Awaited<ReturnType<typeof dynamoDbWorld>>;
  beforeAll(async () => {
    world = await dynamoDbWorld();
  });
  afterEach(() => vi.restoreAllMocks());
  afterAll(() => world.close());

  /** Has each batch give out so many items, and leave the rest for another. */
  function givingOut(most: number): void {
    const send = world.client.send.bind(world.client) as unknown as (command: unknown) => Promise<object>;
    vi.spyOn(world.client, 'send').mockImplementation(async (command: unknown) => {
      if (!(command instanceof BatchGetItemCommand)) return send(command) as never;
      const keys = command.input.RequestItems?.connections?.Keys ?? [];
      const rest = keys.slice(most);
      const part = new BatchGetItemCommand({ RequestItems: { connections: { Keys: keys.slice(0, most) } } });
      const reply = most === 0 ? {} : await send(part);
      return { ...reply, ...(rest.length > 0 && { UnprocessedKeys: { connections: { Keys: rest } } }) } as never;
    });
  }

  test('has every item, in order, also where an answer has no room for all', async () => {
    const items = [newConnection(), newConnection(), newConnection()];
    for (const item of items) await world.store.create(item);
    givingOut(2);
    expect(await world.store.list(10)).toEqual({ items });
  });

  test('is unavailable where the table gives out nothing, again and again', async () => {
    await world.store.create(newConnection());
    givingOut(0);
    await expect(world.store.list(1)).rejects.toBeInstanceOf(Unavailable);
  });

  test('lacks what has gone since the index was read', async () => {
    const { items } = await world.store.list(10);
    const send = world.client.send.bind(world.client) as unknown as (command: unknown) => Promise<object>;
    vi.spyOn(world.client, 'send').mockImplementation(async (command: unknown) => {
      const ofAnEmptyShard =
        command instanceof QueryCommand && command.input.ExpressionAttributeValues?.[':shard']?.S === '7';
      return (ofAnEmptyShard ? { Items: [{ connection: { S: 'gone' } }] } : await send(command)) as never;
    });
    expect((await world.store.list(10)).items).toEqual(items);
  });
});

describe('a table', () => {
  test('that nobody serves is unavailable in every way', async () => {
    const client = new DynamoDBClient(localClient('http://127.0.0.1:9'));
    const store = dynamoDbConnections(client, names);
    const attempts = [
      store.read(name),
      store.create(newConnection()),
      store.apply(name, touch(now)),
      store.listDue('0', now, 1),
      dynamoDbDirectory(client, names).list(1),
      store.remove(name, []),
    ];
    for (const done of await Promise.allSettled(attempts)) {
      expect(done).toMatchObject({
        status: 'rejected',
        reason: {
          name: 'Unavailable',
          message: 'table unavailable',
          cause: { message: 'Error, ECONNREFUSED, attempts 1' },
        },
      });
    }
  });

  test('that accepts and never answers is unavailable after three limited tries', async () => {
    let requests = 0;
    const server = createServer(() => {
      requests += 1;
    });
    const { url, close } = await listen(server);
    vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', url);
    vi.stubEnv('AWS_REGION', 'local');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
    const client = dynamoDb();
    try {
      await expect(dynamoDbConnections(client, names).read(name)).rejects.toMatchObject({
        name: 'Unavailable',
        cause: { message: 'TimeoutError, ETIMEDOUT, attempts 3' },
      });
      expect(requests).toBe(3);
    } finally {
      vi.unstubAllEnvs();
      client.destroy();
      await close();
    }
  });
});

describe('the cause of an outage', () => {
  test('quotes nothing of a reply that could not be parsed', async () => {
    const { url, close } = await listen(createServer((_request, response) => response.end('a-refresh-token')));
    const client = new SecretsManagerClient(localClient(url));
    try {
      const error: unknown = await client
        .send(new GetSecretValueCommand({ SecretId: 'x' }))
        .catch((thrown: unknown) => thrown);
      expect(inspect(error)).toContain('a-refresh-token');
      const told = unavailable('secrets', error);
      expect(inspect(told, { depth: 10, showHidden: true })).not.toContain('a-refresh-token');
      expect(told.cause).toMatchObject({ message: expect.stringContaining('SyntaxError') });
    } finally {
      client.destroy();
      await close();
    }
  });

  test('names the permission that is missing', () => {
    const denied = Object.assign(new Error('not authorized to perform: dynamodb:GetItem'), {
      name: 'AccessDeniedException',
      $metadata: { httpStatusCode: 400 },
    });
    expect(unavailable('table', denied).cause).toMatchObject({
      message: 'AccessDeniedException: not authorized to perform: dynamodb:GetItem, HTTP 400',
    });
  });
});
