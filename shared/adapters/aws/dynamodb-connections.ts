/** The table in DynamoDB: one item for each connection, so that every step of the protocol is one conditional write. */
import {
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { isMine } from '../../domain/apply.ts';
import type { Connection } from '../../domain/connection.ts';
import type { ConnectionName } from '../../domain/connection-name.ts';
import type { EpochMs } from '../../domain/time.ts';
import type { Clause, Write } from '../../domain/writes.ts';
import type { Applied, ConnectionRemoval, ConnectionStore, Due } from '../../ports/connections.ts';
import { conditionOf, expressionsOf } from './dynamodb-expressions.ts';
import { type Attributes, markOf, unmarked, writeOnce } from './dynamodb-write.ts';
import { reportingAs } from './unavailable.ts';

interface TableNames {
  readonly tableName: string;
  /** The index with partition key `dueShard` and sort key `dueAt`, for `listDue`. */
  readonly dueIndexName?: string;
}

const connectionOf = (item: Attributes): Connection => unmarked<Connection>(item);

/** The table, and the client that asks for it. */
interface Table extends TableNames {
  readonly client: DynamoDBClient;
}

export function dynamoDbConnections(client: DynamoDBClient, names: TableNames): ConnectionStore & ConnectionRemoval {
  const table: Table = { client, ...names };
  return {
    read: (connection) => reportingAs('table', () => read(table, connection)),
    create: (item) => reportingAs('table', () => create(table, item)),
    apply: (connection, write) => reportingAs('table', () => apply(table, connection, write)),
    listDue: (...wanted) => reportingAs('table', () => listDue(table, ...wanted)),
    remove: (connection, when) => reportingAs('table', () => remove(table, connection, when)),
  };
}

const keyOf = ({ tableName }: Table, connection: ConnectionName) => ({
  TableName: tableName,
  Key: { connection: { S: connection } },
});

async function attributesOf(table: Table, connection: ConnectionName): Promise<Attributes | undefined> {
  const { Item } = await table.client.send(new GetItemCommand({ ...keyOf(table, connection), ConsistentRead: true }));
  return Item;
}

async function read(table: Table, connection: ConnectionName): Promise<Connection | undefined> {
  const item = await attributesOf(table, connection);
  return item && connectionOf(item);
}

async function create(table: Table, item: Connection): Promise<boolean> {
  const mark = markOf(item);
  const command = new PutItemCommand({
    TableName: table.tableName,
    Item: marshall({ ...item, ...mark }, { removeUndefinedValues: true }),
    ConditionExpression: 'attribute_not_exists(#connection)',
    ExpressionAttributeNames: { '#connection': 'connection' },
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  });
  const { applied } = await writeOnce<Connection>({
    mark,
    send: async () => (await table.client.send(command)).Attributes,
    read: () => attributesOf(table, item.connection),
    // The id is random.
    isMine: (there) => there?.grant.id === item.grant.id,
  });
  return applied;
}

async function apply(table: Table, connection: ConnectionName, write: Write): Promise<Applied> {
  const mark = markOf(write);
  const command = new UpdateItemCommand({
    ...keyOf(table, connection),
    ...expressionsOf({ ...write, set: { ...write.set, ...mark } }),
    ReturnValues: 'ALL_NEW',
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  });
  const { applied, item } = await writeOnce<Connection>({
    mark,
    send: async () => (await table.client.send(command)).Attributes,
    read: () => attributesOf(table, connection),
    isMine: (there) => there !== undefined && isMine(write, there),
  });
  if (!applied) return { applied, item };
  if (item === undefined) throw new Error('an applied write came back without its item');
  return { applied, item };
}

async function listDue(table: Table, shard: string, until: EpochMs, limit: number): Promise<readonly Due[]> {
  const { Items = [] } = await table.client.send(
    new QueryCommand({
      TableName: table.tableName,
      IndexName: table.dueIndexName,
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
}

async function remove(table: Table, connection: ConnectionName, when: readonly Clause[]): Promise<boolean> {
  const command = new DeleteItemCommand({
    ...keyOf(table, connection),
    ...conditionOf(when),
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  });
  const { applied } = await writeOnce<Connection>({
    send: async () => (await table.client.send(command)).Attributes,
    read: () => attributesOf(table, connection),
    isMine: (there) => there === undefined,
  });
  return applied;
}
