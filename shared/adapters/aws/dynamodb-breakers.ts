/** Breakers in the connections' table, under keys that no connection can have. */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { Breaker } from '../../domain/breaker.ts';
import { notAConnection } from '../../domain/connection-name.ts';
import type { BreakerStore } from '../../ports/breakers.ts';
import { writeOnce } from './dynamodb-write.ts';
import { reportingAs } from './unavailable.ts';

/** Hashed, since an endpoint and a client id together may be longer than a key. */
const keyOf = (application: string): string =>
  `${notAConnection}breaker#${createHash('sha256').update(application).digest('base64url')}`;

export function dynamoDbBreakers(client: DynamoDBClient, tableName: string): BreakerStore {
  async function read(application: string): Promise<Breaker | undefined> {
    const key = { connection: { S: keyOf(application) } };
    const { Item } = await client.send(new GetItemCommand({ TableName: tableName, Key: key, ConsistentRead: true }));
    // Only this adapter writes breakers, so they are what the domain says they are.
    return Item === undefined ? undefined : (unmarshall(Item) as Breaker);
  }

  return {
    read: (application) => reportingAs('table', () => read(application)),

    replace: (breaker) =>
      reportingAs('table', async () => {
        const item = marshall({ connection: keyOf(breaker.application), ...breaker }, { removeUndefinedValues: true });
        const command = new PutItemCommand({
          TableName: tableName,
          Item: item,
          ConditionExpression: 'attribute_not_exists(#version) OR #version = :before',
          ExpressionAttributeNames: { '#version': 'version' },
          ExpressionAttributeValues: marshall({ ':before': breaker.version - 1 }),
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        });
        const { applied } = await writeOnce<Breaker>({
          send: async () => (await client.send(command)).Attributes,
          read: () => read(breaker.application),
          // A probe names the connection that makes it and its instant; what is equal in all else asks for the same.
          isMine: (there) => isDeepStrictEqual(there, unmarshall(item)),
        });
        return applied;
      }),
  };
}
