/** Breakers in the connections' table, under keys that no connection can have. */
import { createHash } from 'node:crypto';
import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { Breaker } from '../../domain/breaker.ts';
import { notAConnection } from '../../domain/connection-name.ts';
import type { BreakerStore } from '../../ports/breakers.ts';
import { type Attributes, markOf, unmarked, writeOnce } from './dynamodb-write.ts';
import { reportingAs } from './unavailable.ts';

/** Hashed, since an endpoint and a client id together may be longer than a key. */
const keyOf = (application: string): string =>
  `${notAConnection}breaker#${createHash('sha256').update(application).digest('base64url')}`;

export function dynamoDbBreakers(client: DynamoDBClient, tableName: string): BreakerStore {
  async function read(application: string): Promise<Attributes | undefined> {
    const key = { connection: { S: keyOf(application) } };
    const { Item } = await client.send(new GetItemCommand({ TableName: tableName, Key: key, ConsistentRead: true }));
    return Item;
  }

  return {
    read: (application) =>
      reportingAs('table', async () => {
        const item = await read(application);
        return item && unmarked<Breaker>(item);
      }),

    replace: (breaker) =>
      reportingAs('table', async () => {
        const mark = markOf(breaker);
        const item = { connection: keyOf(breaker.application), ...breaker, ...mark };
        const command = new PutItemCommand({
          TableName: tableName,
          Item: marshall(item, { removeUndefinedValues: true }),
          ConditionExpression: 'attribute_not_exists(#version) OR #version = :before',
          ExpressionAttributeNames: { '#version': 'version' },
          ExpressionAttributeValues: marshall({ ':before': breaker.version - 1 }),
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        });
        const { applied } = await writeOnce<Breaker>({
          mark,
          send: async () => (await client.send(command)).Attributes,
          read: () => read(breaker.application),
        });
        return applied;
      }),
  };
}
