/** The table in DynamoDB: one item for each connection, so that every step of the protocol is one conditional write. */
import {
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  type ScanCommandOutput,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { isMine } from '../../domain/apply.ts';
import type { Connection } from '../../domain/connection.ts';
import { type ConnectionName, notAConnection } from '../../domain/connection-name.ts';
import type { EpochMs } from '../../domain/time.ts';
import type { ConnectionRemoval, ConnectionStore } from '../../ports/connections.ts';
import { conditionOf, expressionsOf } from './dynamodb-expressions.ts';
import { type Attributes, markOf, unmarked, writeOnce } from './dynamodb-write.ts';
import { reportingAs } from './unavailable.ts';

interface TableNames {
  readonly tableName: string;
  /** The index with partition key `dueShard` and sort key `dueAt`. */
  readonly dueIndexName: string;
}

const connectionOf = (item: Attributes): Connection => unmarked<Connection>(item);

export function dynamoDbConnections(
  client: DynamoDBClient,
  { tableName, dueIndexName }: TableNames,
): ConnectionStore & ConnectionRemoval {
  const keyOf = (connection: ConnectionName) => ({ TableName: tableName, Key: { connection: { S: connection } } });

  async function read(connection: ConnectionName): Promise<Attributes | undefined> {
    const { Item } = await client.send(new GetItemCommand({ ...keyOf(connection), ConsistentRead: true }));
    return Item;
  }

  return {
    read: (connection) =>
      reportingAs('table', async () => {
        const item = await read(connection);
        return item && connectionOf(item);
      }),

    create: (item) =>
      reportingAs('table', async () => {
        const mark = markOf(item);
        const command = new PutItemCommand({
          TableName: tableName,
          Item: marshall({ ...item, ...mark }, { removeUndefinedValues: true }),
          ConditionExpression: 'attribute_not_exists(#connection)',
          ExpressionAttributeNames: { '#connection': 'connection' },
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        });
        const { applied } = await writeOnce<Connection>({
          mark,
          send: async () => (await client.send(command)).Attributes,
          read: () => read(item.connection),
          // The id is random.
          isMine: (there) => there?.grant.id === item.grant.id,
        });
        return applied;
      }),

    apply: (connection, write) =>
      reportingAs('table', async () => {
        const mark = markOf(write);
        const command = new UpdateItemCommand({
          ...keyOf(connection),
          ...expressionsOf({ ...write, set: { ...write.set, ...mark } }),
          ReturnValues: 'ALL_NEW',
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        });
        const { applied, item } = await writeOnce<Connection>({
          mark,
          send: async () => (await client.send(command)).Attributes,
          read: () => read(connection),
          isMine: (there) => there !== undefined && isMine(write, there),
        });
        if (!applied) return { applied, item };
        if (item === undefined) throw new Error('an applied write came back without its item');
        return { applied, item };
      }),

    listDue: (shard, until, limit) =>
      reportingAs('table', async () => {
        const { Items = [] } = await client.send(
          new QueryCommand({
            TableName: tableName,
            IndexName: dueIndexName,
            KeyConditionExpression: '#dueShard = :shard AND #dueAt <= :until',
            ExpressionAttributeNames: { '#dueShard': 'dueShard', '#dueAt': 'dueAt' },
            ExpressionAttributeValues: marshall({ ':shard': shard, ':until': until }),
            Limit: limit,
          }),
        );
        return Items.map((item) => {
          const { connection, dueAt } = unmarshall(item) as { connection: ConnectionName; dueAt: EpochMs };
          return { connection, dueAt };
        });
      }),

    list: (limit, after) =>
      reportingAs('table', async () => {
        // The limit counts what is looked at, so a page can come without a connection in it.
        for (let from: Attributes | undefined = after && { connection: { S: after } }; ; ) {
          const { Items = [], LastEvaluatedKey: last }: ScanCommandOutput = await client.send(
            new ScanCommand({
              TableName: tableName,
              FilterExpression: 'NOT begins_with(#connection, :mark)',
              ExpressionAttributeNames: { '#connection': 'connection' },
              ExpressionAttributeValues: { ':mark': { S: notAConnection } },
              Limit: limit,
              ...(from && { ExclusiveStartKey: from }),
            }),
          );
          const items = Items.map(connectionOf);
          const next = items.at(-1)?.connection;
          if (last === undefined) return { items };
          if (next !== undefined) return { items, next };
          from = last;
        }
      }),

    remove: (connection, when) =>
      reportingAs('table', async () => {
        const command = new DeleteItemCommand({
          ...keyOf(connection),
          ...conditionOf(when),
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        });
        const { applied } = await writeOnce<Connection>({
          send: async () => (await client.send(command)).Attributes,
          read: () => read(connection),
          isMine: (there) => there === undefined,
        });
        return applied;
      }),
  };
}
