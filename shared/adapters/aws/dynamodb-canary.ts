/** The canary's state: the one item of a table of its own. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Canary } from '../../canary/authorization-server.ts';
import type { CanaryStore } from '../../canary/serve.ts';
import { versionedItems } from './dynamodb-versioned.ts';

const key = { id: 'canary' };

export function dynamoDbCanary(client: DynamoDBClient, tableName: string): CanaryStore {
  const items = versionedItems<Canary>(client, tableName);
  return { read: () => items.read(key), replace: (state) => items.replace(key, state) };
}
