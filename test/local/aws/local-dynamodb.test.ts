import { once } from 'node:events';
import { connect } from 'node:net';
import {
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  ListTablesCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTable, startDynamoDb } from '../../../local/aws/dynamodb/dynamodb.ts';
import { emulatorClient } from '../../../local/platform/account.ts';
import type { Endpoint } from '../../../local/platform/loopback.ts';

/** As a synthesized template has it, with what dynalite cannot do. */
const properties = {
  TableName: 'connections',
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [
    { AttributeName: 'connection', AttributeType: 'S' },
    { AttributeName: 'dueShard', AttributeType: 'S' },
    { AttributeName: 'dueAt', AttributeType: 'N' },
  ],
  KeySchema: [{ AttributeName: 'connection', KeyType: 'HASH' }],
  GlobalSecondaryIndexes: [
    {
      IndexName: 'due',
      KeySchema: [
        { AttributeName: 'dueShard', KeyType: 'HASH' },
        { AttributeName: 'dueAt', KeyType: 'RANGE' },
      ],
      Projection: { ProjectionType: 'KEYS_ONLY' },
    },
  ],
  DeletionProtectionEnabled: true,
  PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
  TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
};

let endpoint: Endpoint;
let client: DynamoDBClient;

beforeEach(async () => {
  endpoint = await startDynamoDb();
  client = new DynamoDBClient({ ...emulatorClient, endpoint: endpoint.url });
});
afterEach(async () => {
  client.destroy();
  await endpoint.close();
});

test('a table of the template can be used at once, with its index', async () => {
  await createTable(endpoint.url, properties);
  await client.send(new PutItemCommand({ TableName: 'connections', Item }));
  const due = {
    TableName: 'connections',
    IndexName: 'due',
    KeyConditionExpression: 'dueShard = :s AND dueAt <= :t',
    ExpressionAttributeValues: { ':s': { S: '3' }, ':t': { N: '1800' } },
  };
  expect((await client.send(new QueryCommand(due))).Items).toEqual([Item]);
});

test('a table that exists is left as it is', async () => {
  await createTable(endpoint.url, properties);
  await client.send(new PutItemCommand({ TableName: 'connections', Item: { connection: { S: 'exact-nl' } } }));
  await createTable(endpoint.url, properties);
  const { Item } = await client.send(
    new GetItemCommand({ TableName: 'connections', Key: { connection: { S: 'exact-nl' } } }),
  );
  expect(Item).toEqual({ connection: { S: 'exact-nl' } });
});

const named = {
  IndexName: 'names',
  KeySchema: [
    { AttributeName: 'dueShard', KeyType: 'HASH' },
    { AttributeName: 'connection', KeyType: 'RANGE' },
  ],
  Projection: { ProjectionType: 'KEYS_ONLY' },
};
const withNames = { ...properties, GlobalSecondaryIndexes: [...properties.GlobalSecondaryIndexes, named] };
const Item = { connection: { S: 'exact-nl' }, dueShard: { S: '3' }, dueAt: { N: '1800' } };
const found = async () => {
  const { Items } = await client.send(
    new QueryCommand({
      TableName: 'connections',
      IndexName: 'names',
      KeyConditionExpression: 'dueShard = :s',
      ExpressionAttributeValues: { ':s': { S: '3' } },
    }),
  );
  return Items;
};

test('a table of an earlier template gets the index that it lacks, and keeps its items', async () => {
  await createTable(endpoint.url, properties);
  await client.send(new PutItemCommand({ TableName: 'connections', Item }));
  await createTable(endpoint.url, withNames);
  expect(await found()).toEqual([{ connection: Item.connection, dueShard: Item.dueShard }]);
  const { TableNames } = await client.send(new ListTablesCommand({}));
  expect(TableNames).toEqual(['connections']);
});

test.each([
  ['before all items were put aside', [], [Item]],
  ['once they were', [Item], undefined],
])('one that was left half-way, %s, keeps its items', async (_, aside, before) => {
  if (before !== undefined) await createTable(endpoint.url, properties);
  for (const kept of before ?? []) await client.send(new PutItemCommand({ TableName: 'connections', Item: kept }));
  await createTable(endpoint.url, { ...withNames, TableName: 'connections.aside' });
  for (const kept of aside) await client.send(new PutItemCommand({ TableName: 'connections.aside', Item: kept }));
  await createTable(endpoint.url, withNames);
  expect(await found()).toEqual([{ connection: Item.connection, dueShard: Item.dueShard }]);
});

test('properties that are not those of a table are refused', async () => {
  await expect(createTable(endpoint.url, { ...properties, KeySchema: undefined })).rejects.toThrow('KeySchema');
});

test('of many conditional updates that race for one lease, one wins', async () => {
  await createTable(endpoint.url, properties);
  await client.send(
    new PutItemCommand({ TableName: 'connections', Item: { connection: { S: 'exact-nl' }, fence: { N: '1' } } }),
  );
  const acquire = () =>
    client.send(
      new UpdateItemCommand({
        TableName: 'connections',
        Key: { connection: { S: 'exact-nl' } },
        UpdateExpression: 'SET fence = :next',
        ConditionExpression: 'fence = :seen',
        ExpressionAttributeValues: { ':seen': { N: '1' }, ':next': { N: '2' } },
      }),
    );
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, acquire));
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

test('a client that is killed while it sends does not take the database with it', async () => {
  await createTable(endpoint.url, properties);
  const socket = connect(Number(new URL(endpoint.url).port), '127.0.0.1');
  await once(socket, 'connect');
  socket.write(
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: 100\r\nX-Amz-Target: ' +
      'DynamoDB_20120810.GetItem\r\n\r\n{"a":',
  );
  await client.send(new DescribeTableCommand({ TableName: 'connections' }));
  socket.resetAndDestroy();
  await once(socket, 'close');
  expect((await client.send(new DescribeTableCommand({ TableName: 'connections' }))).Table?.TableStatus).toBe('ACTIVE');
});
