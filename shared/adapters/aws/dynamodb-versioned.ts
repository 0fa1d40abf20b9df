/** Items that are replaced as a whole, each write over the very version that it has seen. */
import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { type Attributes, markOf, unmarked, writeOnce } from './dynamodb-write.ts';

type Key = Readonly<Record<string, string>>;

export function versionedItems<State extends { readonly version: number }>(client: DynamoDBClient, tableName: string) {
  async function read(key: Key): Promise<Attributes | undefined> {
    const command = new GetItemCommand({ TableName: tableName, Key: marshall(key), ConsistentRead: true });
    return (await client.send(command)).Item;
  }

  return {
    /** A strongly consistent read. */
    async read(key: Key): Promise<State | undefined> {
      const item = await read(key);
      return item && unmarked<State>(item);
    },

    /** Returns false if another write came first. */
    async replace(key: Key, state: State): Promise<boolean> {
      const mark = markOf(state);
      const command = new PutItemCommand({
        TableName: tableName,
        Item: marshall({ ...key, ...state, ...mark }, { removeUndefinedValues: true }),
        ConditionExpression: 'attribute_not_exists(#version) OR #version = :before',
        ExpressionAttributeNames: { '#version': 'version' },
        ExpressionAttributeValues: marshall({ ':before': state.version - 1 }),
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      });
      const send = async () => (await client.send(command)).Attributes;
      return (await writeOnce<State>({ mark, send, read: () => read(key) })).applied;
    },
  };
}
