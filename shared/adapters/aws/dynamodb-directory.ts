/** The list of connections in DynamoDB, by an index that is written only when a connection comes or goes. */
import { BatchGetItemCommand, type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { Connection } from '../../domain/connection.ts';
import type { ConnectionName } from '../../domain/connection-name.ts';
import { dueShards } from '../../domain/due-shards.ts';
import type { ConnectionDirectory, Page } from '../../ports/connections.ts';
import { type Attributes, unmarked } from './dynamodb-write.ts';
import { reportingAs } from './unavailable.ts';

interface Table {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  /** The index with partition key `dueShard` and sort key `connection`. */
  readonly nameIndexName: string;
}

/** A page of the largest items there can be takes three. */
const batchTries = 8;

export const dynamoDbDirectory = (
  client: DynamoDBClient,
  names: Pick<Table, 'tableName' | 'nameIndexName'>,
): ConnectionDirectory => ({
  list: (limit, after) => reportingAs('table', () => list({ client, ...names }, limit, after)),
});

/**
 * The index has neither claims nor breakers, which no shard names. Each shard is asked for a page and one more, since
 * the whole page may come of it, and the one more says whether the list goes on.
 */
async function list(table: Table, limit: number, after?: ConnectionName): Promise<Page> {
  const found = await Promise.all(dueShards.map((shard) => namesIn(table, shard, limit + 1, after)));
  const names = found.flat().sort();
  const page = names.slice(0, limit);
  const last = page.at(-1);
  const items = await itemsOf(table, page);
  return { items, ...(names.length > limit && last !== undefined && { next: last }) };
}

async function namesIn(table: Table, shard: string, limit: number, after?: ConnectionName): Promise<ConnectionName[]> {
  const { Items = [] } = await table.client.send(
    new QueryCommand({
      TableName: table.tableName,
      IndexName: table.nameIndexName,
      KeyConditionExpression: after === undefined ? '#shard = :shard' : '#shard = :shard AND #name > :after',
      ExpressionAttributeNames: { '#shard': 'dueShard', ...(after !== undefined && { '#name': 'connection' }) },
      ExpressionAttributeValues: marshall({ ':shard': shard, ...(after !== undefined && { ':after': after }) }),
      Limit: limit,
    }),
  );
  return Items.map((item) => (unmarshall(item) as { connection: ConnectionName }).connection);
}

/** The items of these names that there are, in their order. */
async function itemsOf({ client, tableName }: Table, names: readonly ConnectionName[]): Promise<Connection[]> {
  const found = new Map<string, Connection>();
  let keys = names.map((name): Attributes => ({ connection: { S: name } }));
  // An answer stops at 16 MB, and says what it has left out.
  for (let tries = 0; keys.length > 0; tries += 1) {
    if (tries === batchTries) throw new Error('the table gives out no more items');
    const { Responses, UnprocessedKeys } = await client.send(
      new BatchGetItemCommand({ RequestItems: { [tableName]: { Keys: keys } } }),
    );
    for (const item of (Responses?.[tableName] ?? []).map((found) => unmarked<Connection>(found)))
      found.set(item.connection, item);
    keys = UnprocessedKeys?.[tableName]?.Keys ?? [];
  }
  return names.flatMap((name) => found.get(name) ?? []);
}
