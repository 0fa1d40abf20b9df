/** The table in DynamoDB: one item for each connection, so that every step of the protocol is one conditional write. */
import {
  type AttributeValue,
  ConditionalCheckFailedException,
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
import type { Clause } from '../../domain/writes.ts';
import type { ConnectionStore } from '../../ports/connections.ts';
import { conditionOf, expressionsOf } from './dynamodb-expressions.ts';
import { unavailable } from './unavailable.ts';

export interface ConnectionRemoval {
  /** Forgets the connection if every clause holds of it; no write can bring it back. True if it is not there any more. Throws `Unavailable`. */
  remove(connection: ConnectionName, when: readonly Clause[]): Promise<boolean>;
}

export interface TableNames {
  readonly tableName: string;
  /** The index with partition key `dueShard` and sort key `dueAt`. */
  readonly dueIndexName: string;
}

type Item = Record<string, AttributeValue>;

// Only this adapter writes to the table, so its items are what the domain says they are.
const connectionOf = (item: Item): Connection => unmarshall(item) as Connection;

export function dynamoDbConnections(
  client: DynamoDBClient,
  { tableName, dueIndexName }: TableNames,
): ConnectionStore & ConnectionRemoval {
  const keyOf = (connection: ConnectionName) => ({ TableName: tableName, Key: { connection: { S: connection } } });

  async function read(connection: ConnectionName): Promise<Connection | undefined> {
    const { Item } = await client.send(new GetItemCommand({ ...keyOf(connection), ConsistentRead: true }));
    return Item === undefined ? undefined : connectionOf(Item);
  }

  /** The item that made a condition fail. Not every implementation of DynamoDB sends it along, and there may be none. */
  const refusing = async (
    error: ConditionalCheckFailedException,
    connection: ConnectionName,
  ): Promise<Connection | undefined> => (error.Item === undefined ? read(connection) : connectionOf(error.Item));

  return {
    read: (connection) => reporting(() => read(connection)),

    create: (item) =>
      reporting(async () => {
        try {
          await client.send(
            new PutItemCommand({
              TableName: tableName,
              Item: marshall(item, { removeUndefinedValues: true }),
              ConditionExpression: 'attribute_not_exists(#connection)',
              ExpressionAttributeNames: { '#connection': 'connection' },
              ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
            }),
          );
          return true;
        } catch (error) {
          if (!(error instanceof ConditionalCheckFailedException)) throw error;
          // The client itself retries when a reply is lost; a grant id is random, so the same one is our own.
          return (await refusing(error, item.connection))?.grantId === item.grantId;
        }
      }),

    apply: (connection, write) =>
      reporting(async () => {
        try {
          const { Attributes } = await client.send(
            new UpdateItemCommand({
              ...keyOf(connection),
              ...expressionsOf(write),
              ReturnValues: 'ALL_NEW',
              ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
            }),
          );
          if (Attributes === undefined) throw new Error('an applied write came back without its item');
          return { applied: true, item: connectionOf(Attributes) };
        } catch (error) {
          if (!(error instanceof ConditionalCheckFailedException)) throw error;
          const item = await refusing(error, connection);
          return item === undefined ? { applied: false, item } : { applied: isMine(write, item), item };
        }
      }),

    listDue: (shard, until, limit) =>
      reporting(async () => {
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
      reporting(async () => {
        // The limit counts what is looked at, so a page can come without a connection in it.
        for (let from: Item | undefined = after && { connection: { S: after } }; ; ) {
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
      reporting(async () => {
        try {
          await client.send(
            new DeleteItemCommand({
              ...keyOf(connection),
              ...conditionOf(when),
              ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
            }),
          );
          return true;
        } catch (error) {
          if (!(error instanceof ConditionalCheckFailedException)) throw error;
          // The client itself retries when a reply is lost: what is not there was removed.
          return (await refusing(error, connection)) === undefined;
        }
      }),
  };
}

/** Whatever goes wrong with the table, a denied permission included, is an outage of ours and never a fact about a connection. */
async function reporting<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw unavailable('table', error);
  }
}
