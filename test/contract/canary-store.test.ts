import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTable, startDynamoDb } from '../../local/aws/dynamodb/dynamodb.ts';
import { dynamoDbCanary } from '../../shared/adapters/aws/dynamodb-canary.ts';
import { beginGrant, type Canary, disturb } from '../../shared/canary/authorization-server.ts';
import type { CanaryStore } from '../../shared/canary/serve.ts';
import { losingReplies } from './lost-replies.ts';
import { at, localClient } from './worlds.ts';

const fresh = { client: 'client', secret: 'secret', refresh: 'refresh', access: 'access' };
const begun = (before?: Canary): Canary => beginGrant(before, { now: at(0), lifetimeMs: 600_000, fresh }).state;

describe.each([
  ['', (client: DynamoDBClient) => client],
  [', the first reply to each write lost', (client: DynamoDBClient) => losingReplies(client)],
] as const)('the canary’s state in DynamoDB%s', (_, prepared) => {
  let store: CanaryStore;
  let close: () => Promise<void>;

  beforeAll(async () => {
    const server = await startDynamoDb();
    await createTable(server.url, {
      TableName: 'canary',
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    });
    const client = prepared(new DynamoDBClient(localClient(server.url)));
    store = dynamoDbCanary(client, 'canary');
    close = async () => {
      client.destroy();
      await server.close();
    };
  });
  afterAll(() => close());

  test('is nothing at first, and then what was written', async () => {
    expect(await store.read()).toBeUndefined();
    expect(await store.replace(begun())).toBe(true);
    expect(await store.read()).toMatchObject(begun());
  });

  test('is changed once by two writes that have seen the same', async () => {
    const seen = await store.read();
    const [disturbed, anew] = [seen && disturb(seen), begun(seen)];
    if (disturbed === undefined) throw new Error('there is no state to disturb');
    expect([await store.replace(disturbed), await store.replace(anew)]).toEqual([true, false]);
    expect(await store.read()).toMatchObject({ version: 2, fault: { kind: 'lost', calls: 1 } });
  });

  test('loses what a change leaves out', async () => {
    expect(await store.replace(begun(await store.read()))).toBe(true);
    expect(await store.read()).not.toHaveProperty('fault');
  });
});
