/**
 * DynamoDB for the local broker: dynalite, on the loopback interface. It has no transactions, no time to live, and
 * never returns old items on failed conditions.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateTableCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  PutItemCommand,
  paginateScan,
  ResourceInUseException,
  ResourceNotFoundException,
  type TableDescription,
} from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import * as v from 'valibot';
import { emulatorClient } from '../../platform/account.ts';
import { type Endpoint, listen } from '../../platform/loopback.ts';
import { accept } from '../json-server.ts';

/** Starts it on a free port. With a directory its tables are kept there, else in memory. */
export async function startDynamoDb(options: { directory?: string } = {}): Promise<Endpoint> {
  const server = dynalite({
    createTableMs: 0,
    ...(options.directory === undefined ? {} : { path: options.directory }),
  });
  // dynalite throws when a client is killed while it sends, which would end this process: its listener makes room for
  // one that does not.
  server.on('request', (request) => request.removeAllListeners('error').on('error', () => undefined));
  const endpoint = await listen(server);
  return {
    ...endpoint,
    // What dynalite is at would find its database closed, and that ends the process, too.
    async close() {
      await Promise.race([endpoint.drain(), sleep(longestAnswerMs, undefined, { ref: false })]);
      await endpoint.close();
    },
  };
}

/** It waits for nothing before it answers. */
const longestAnswerMs = 2_000;

const keySchema = v.array(v.object({ AttributeName: v.string(), KeyType: v.picklist(['HASH', 'RANGE']) }));

/** What dynalite can do of `AWS::DynamoDB::Table`; all other properties are left out. */
const tableProperties = v.object({
  TableName: v.pipe(v.string(), v.minLength(3)),
  AttributeDefinitions: v.array(v.object({ AttributeName: v.string(), AttributeType: v.picklist(['S', 'N', 'B']) })),
  KeySchema: keySchema,
  GlobalSecondaryIndexes: v.optional(
    v.array(
      v.object({
        IndexName: v.string(),
        KeySchema: keySchema,
        Projection: v.object({
          ProjectionType: v.picklist(['ALL', 'INCLUDE', 'KEYS_ONLY']),
          NonKeyAttributes: v.optional(v.array(v.string())),
        }),
      }),
    ),
  ),
});

type TableProperties = v.InferOutput<typeof tableProperties>;

/**
 * Makes the table from the properties of an `AWS::DynamoDB::Table` in a template, unless there is one of that name, and
 * resolves when it can be used. A table of an earlier template gets the indexes that it lacks. Throws if the properties
 * are not those of a table; `TableName` must be given.
 */
export async function createTable(url: string, properties: unknown): Promise<void> {
  const table = accept(
    tableProperties,
    properties,
    (message) => new Error(`not the properties of an AWS::DynamoDB::Table: ${message}`),
  );
  const client = new DynamoDBClient({ ...emulatorClient, endpoint: url });
  try {
    await makeWithIndexes(client, table);
  } finally {
    client.destroy();
  }
}

/**
 * dynalite adds no index to a table, so the items of one that lacks an index wait in another table while it is made
 * anew. A process that ends half-way leaves either the old table, or all of its items aside.
 */
async function makeWithIndexes(client: DynamoDBClient, table: TableProperties): Promise<void> {
  const { TableName } = table;
  const aside = { ...table, TableName: `${TableName}.aside` };
  const before = await described(client, TableName);
  if (before !== undefined && lacksAnIndex(before, table)) {
    await drop(client, aside.TableName);
    await make(client, aside);
    await copy(client, TableName, aside.TableName);
    await drop(client, TableName);
  }
  await make(client, table);
  if ((await described(client, aside.TableName)) === undefined) return;
  await copy(client, aside.TableName, TableName);
  await drop(client, aside.TableName);
}

function lacksAnIndex({ GlobalSecondaryIndexes: there = [] }: TableDescription, wanted: TableProperties): boolean {
  const names = there.map(({ IndexName }) => IndexName);
  return (wanted.GlobalSecondaryIndexes ?? []).some(({ IndexName }) => !names.includes(IndexName));
}

async function described(client: DynamoDBClient, TableName: string): Promise<TableDescription | undefined> {
  try {
    return (await client.send(new DescribeTableCommand({ TableName }))).Table;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

async function make(client: DynamoDBClient, table: TableProperties): Promise<void> {
  try {
    await client.send(new CreateTableCommand({ ...table, BillingMode: 'PAY_PER_REQUEST' }));
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error;
  }
  await until(`table ${table.TableName} to be active`, async () => {
    return (await described(client, table.TableName))?.TableStatus === 'ACTIVE';
  });
}

async function drop(client: DynamoDBClient, TableName: string): Promise<void> {
  if ((await described(client, TableName)) === undefined) return;
  await client.send(new DeleteTableCommand({ TableName }));
  await until(`table ${TableName} to be gone`, async () => (await described(client, TableName)) === undefined);
}

async function copy(client: DynamoDBClient, from: string, to: string): Promise<void> {
  for await (const { Items = [] } of paginateScan({ client }, { TableName: from, ConsistentRead: true }))
    for (const Item of Items) await client.send(new PutItemCommand({ TableName: to, Item }));
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let looks = 0; looks < 100; looks += 1) {
    if (await holds()) return;
    await sleep(20);
  }
  throw new Error(`waited 2 s for ${what}`);
}
