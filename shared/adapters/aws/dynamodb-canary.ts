/** The canary's state: the one item of a table of its own. */
import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { Canary } from '../../canary/authorization-server.ts';
import type { CanaryStore } from '../../canary/serve.ts';
import { type Attributes, markOf, unmarked, writeOnce } from './dynamodb-write.ts';

const key = { id: 'canary' };

export function dynamoDbCanary(client: DynamoDBClient, tableName: string): CanaryStore {
  async function read(): Promise<Attributes | undefined> {
    const command = new GetItemCommand({ TableName: tableName, Key: marshall(key), ConsistentRead: true });
    return (await client.send(command)).Item;
  }

  return {
    async read() {
      const item = await read();
      return item && unmarked<Canary>(item);
    },
    async replace(state) {
      const mark = markOf(state);
      const command = new PutItemCommand({
        TableName: tableName,
        Item: marshall({ ...key, ...state, ...mark }),
        ConditionExpression: 'attribute_not_exists(#version) OR #version = :before',
        ExpressionAttributeNames: { '#version': 'version' },
        ExpressionAttributeValues: marshall({ ':before': state.version - 1 }),
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      });
      const send = async () => (await client.send(command)).Attributes;
      return (await writeOnce<Canary>({ mark, send, read })).applied;
    },
  };
}
