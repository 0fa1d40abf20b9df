/** What the contract suites run on, and the connections they write. */

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect } from 'vitest';
import { createTable, startDynamoDb } from '../../local/aws/dynamodb/dynamodb.ts';
import { dynamoDbConnections } from '../../shared/adapters/aws/dynamodb-connections.ts';
import { dynamoDbDirectory } from '../../shared/adapters/aws/dynamodb-directory.ts';
import type { Commit, FailureCommit } from '../../shared/domain/commit-writes.ts';
import type { Connection, Seen } from '../../shared/domain/connection.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import { create } from '../../shared/domain/grant-writes.ts';
import type { Held } from '../../shared/domain/held.ts';
import type { Fence, GrantId } from '../../shared/domain/ids.ts';
import type { Profile } from '../../shared/domain/profile.ts';
import { type EpochMs, plus } from '../../shared/domain/time.ts';
import type { Write } from '../../shared/domain/writes.ts';
import type { ConnectionDirectory, ConnectionRemoval, ConnectionStore } from '../../shared/ports/connections.ts';
import { holding, taking } from '../holding.ts';
import { memoryConnections } from '../memory/memory-connections.ts';
import { inSecret, type Plain, told, versionIdOf } from '../plain.ts';
import { losingReplies, losingRepliesOf } from './lost-replies.ts';

interface StoreWorld {
  readonly store: ConnectionStore & ConnectionRemoval & ConnectionDirectory;
  readonly close: () => Promise<void>;
}

export const names = { tableName: 'connections', dueIndexName: 'due', nameIndexName: 'names' };

/** A client as the product makes it, but for a server of ours. */
export const localClient = (url: string) => ({
  endpoint: url,
  region: 'local',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  maxAttempts: 1,
});

/** The table in dynalite, through the SDK. */
export async function dynamoDbWorld(): Promise<StoreWorld & { readonly client: DynamoDBClient; readonly url: string }> {
  const server = await startDynamoDb();
  await createTable(server.url, {
    TableName: names.tableName,
    AttributeDefinitions: [
      { AttributeName: 'connection', AttributeType: 'S' },
      { AttributeName: 'dueShard', AttributeType: 'S' },
      { AttributeName: 'dueAt', AttributeType: 'N' },
    ],
    KeySchema: [{ AttributeName: 'connection', KeyType: 'HASH' }],
    GlobalSecondaryIndexes: [
      {
        IndexName: names.dueIndexName,
        KeySchema: [
          { AttributeName: 'dueShard', KeyType: 'HASH' },
          { AttributeName: 'dueAt', KeyType: 'RANGE' },
        ],
        Projection: { ProjectionType: 'KEYS_ONLY' },
      },
      {
        IndexName: names.nameIndexName,
        KeySchema: [
          { AttributeName: 'dueShard', KeyType: 'HASH' },
          { AttributeName: 'connection', KeyType: 'RANGE' },
        ],
        Projection: { ProjectionType: 'KEYS_ONLY' },
      },
    ],
  });
  const client = new DynamoDBClient(localClient(server.url));
  const close = async () => {
    client.destroy();
    await server.close();
  };
  return {
    store: { ...dynamoDbConnections(client, names), ...dynamoDbDirectory(client, names) },
    client,
    url: server.url,
    close,
  };
}

const memoryWorld = async (): Promise<StoreWorld> => ({
  store: memoryConnections(),
  close: async () => undefined,
});

/** Of another authorization than the one every connection here begins with. */
export const otherGrantId = '11111111-0000-4000-8000' as GrantId;

export const now = 1_800_000_000_000 as EpochMs;

export const profile: Profile = {
  grant: 'refresh_token',
  marginMs: 30_000,
  minTokenAgeMs: 0,
  defaultLifetimeMs: 3_600_000,
  ambiguousRetry: 'at_once',
  callTimeoutMs: 60_000,
  slots: 2,
  renewal: 'always',
  firstDelayMs: { default: 5_000 },
};

let made = 0;

/** A connection of a name of its own, as it is first written, once subscribers were told of it. */
export function newConnection(more: Partial<Plain<Connection>> = {}): Connection {
  made += 1;
  const name = `connection-${String(made).padStart(4, '0')}` as ConnectionName;
  const config = {
    provider: 'generic-oauth2',
    settings: { token_endpoint: 'https://example.org/token' },
    renewal: 'always' as const,
  };
  const place = inSecret(0, 'imported-refresh-token-version-000');
  const { announcement: _, ...item } = create(name, config, '0', now, 'active', {
    id: '00000000-0000-4000-8000' as GrantId,
    place,
  });
  return told<Connection>({ ...item, ...more });
}

/** The refresher that holds, or held, the lease with this fencing token, and sees the connection as `item`. */
export const holderOf = (item: Connection, fence: number): Held => holding(item, fence, profile);

export const seenOf = (item: Connection): Seen => ({ item, profile });

export const at = (ms: number): EpochMs => plus(now, ms);
/** When a lease taken `now` ends. */
export const leaseEnd = at(18_000);

export const commitOf = (fence: number): Commit => ({
  tokens: { tokenType: 'Bearer', scope: 'read', requestedAt: at(1_000), receivedAt: at(1_200), expiresAt: at(601_000) },
  sealedAccessToken: `sealed under ${fence}`,
  place: inSecret(1, versionIdOf('00000000-0000-4000-8000', fence)),
  contested: false,
  adoptedFence: undefined,
  overtaken: undefined,
  spread: 0,
});

export const failureOf = (fence: number, more: Partial<FailureCommit> = {}): FailureCommit => ({
  failure: { class: 'transient', code: 'http_503', status: 503, at: at(2_000), count: 1, fence: fence as Fence },
  notBefore: at(7_000),
  state: 'active',
  suspect: false,
  ...more,
});

export const storeWorlds: readonly (readonly [string, () => Promise<StoreWorld>])[] = [
  ['memory', memoryWorld],
  [
    'memory, the first reply to each write lost',
    async () => {
      const world = await memoryWorld();
      return { ...world, store: losingRepliesOf(world.store, ['create', 'apply', 'remove']) };
    },
  ],
  ['DynamoDB', dynamoDbWorld],
  [
    'DynamoDB, the first reply to each write lost',
    async () => {
      const world = await dynamoDbWorld();
      losingReplies(world.client);
      return world;
    },
  ],
];

/** Opens a world for the tests of a `describe`, and the steps that they are made of. */
export function storeUnder(open: () => Promise<StoreWorld>) {
  let world: StoreWorld;
  beforeAll(async () => {
    world = await open();
  });
  afterAll(() => world.close());
  const store = () => world.store;

  const created = async (more: Partial<Plain<Connection>> = {}): Promise<Connection> => {
    const item = newConnection(more);
    expect(await store().create(item)).toBe(true);
    return item;
  };
  /** Applies a write that must be applied, and returns the item, which must be what the next read sees. */
  const applies = async (connection: ConnectionName, write: Write): Promise<Connection> => {
    const done = await store().apply(connection, write);
    if (!done.applied) throw new Error(`${write.name} was refused`);
    expect(await store().read(connection)).toEqual(done.item);
    return done.item;
  };
  /** Applies a write that must be refused: it answers the item as it is and changes nothing. */
  const refuses = async (connection: ConnectionName, write: Write): Promise<void> => {
    const before = await store().read(connection);
    expect(await store().apply(connection, write)).toEqual({ applied: false, item: before });
    expect(await store().read(connection)).toEqual(before);
  };
  /** A new connection whose lease I hold, with fencing token 2. */
  const held = async (more: Partial<Plain<Connection>> = {}): Promise<Seen> => {
    const item = await created(more);
    return seenOf(await applies(item.connection, taking(seenOf(item), 'me', now, leaseEnd)));
  };
  return { store, created, applies, refuses, held };
}
