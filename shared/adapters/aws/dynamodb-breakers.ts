/** Breakers in the connections' table, under keys that are no connection's. */
import { createHash } from 'node:crypto';
import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { Breaker } from '../../domain/breaker.ts';
import { notAConnection } from '../../domain/connection-name.ts';
import type { BreakerStore } from '../../ports/breakers.ts';
import { unavailable } from './unavailable.ts';

/** An endpoint and a client id alone may be longer than a key. */
const keyOf = (application: string): string =>
  `${notAConnection}breaker#${createHash('sha256').update(application).digest('base64url')}`;

export function dynamoDbBreakers(client: DynamoDBClient, tableName: string): BreakerStore {
  return {
    async read(application) {
      try {
        const { Item } = await client.send(
          new GetItemCommand({
            TableName: tableName,
            Key: { connection: { S: keyOf(application) } },
            ConsistentRead: true,
          }),
        );
        // Only this adapter writes them.
        return Item === undefined ? undefined : (unmarshall(Item) as Breaker);
      } catch (error) {
        throw unavailable('table', error);
      }
    },

    async replace(breaker) {
      try {
        await client.send(
          new PutItemCommand({
            TableName: tableName,
            Item: marshall({ connection: keyOf(breaker.application), ...breaker }, { removeUndefinedValues: true }),
            ConditionExpression: 'attribute_not_exists(#version) OR #version = :before',
            ExpressionAttributeNames: { '#version': 'version' },
            ExpressionAttributeValues: marshall({ ':before': breaker.version - 1 }),
          }),
        );
        return true;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false;
        throw unavailable('table', error);
      }
    },
  };
}
