/**
 * DynamoDB for the local broker: dynalite, on the loopback interface. It has no transactions, no time to live, and
 * never returns old items on failed conditions.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ResourceInUseException,
} from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import * as v from 'valibot';
import { emulatorClient } from '../../platform/account.ts';
import { type Endpoint, listen } from '../../platform/loopback.ts';
import { accept } from '../json-server.ts';

/** Starts it on a free port. With a directory its tables are kept there, else in memory. */
export function startDynamoDb(options: { directory?: string } = {}): Promise<Endpoint> {
  const server = dynalite({
    createTableMs: 0,
    ...(options.directory === undefined ? {} : { path: options.directory }),
  });
  // dynalite throws when a client is killed while it sends, which would end this process: its listener makes room for
  // one that does not.
  server.on('request', (request) => request.removeAllListeners('error').on('error', () => undefined));
  return listen(server);
}

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

/**
 * Makes the table from the properties of an `AWS::DynamoDB::Table` in a template, unless there is one of that name, and
 * resolves when it can be used. Throws if the properties are not those of a table; `TableName` must be given.
 */
export async function createTable(url: string, properties: unknown): Promise<void> {
  const table = accept(
    tableProperties,
    properties,
    (message) => new Error(`not the properties of an AWS::DynamoDB::Table: ${message}`),
  );
  const client = new DynamoDBClient({ ...emulatorClient, endpoint: url });
  try {
    await client.send(new CreateTableCommand({ ...table, BillingMode: 'PAY_PER_REQUEST' }));
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error;
  }
  try {
    await untilActive(client, table.TableName);
  } finally {
    client.destroy();
  }
}

async function untilActive(client: DynamoDBClient, name: string): Promise<void> {
  for (let looks = 0; looks < 100; looks += 1) {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: name }));
    if (Table?.TableStatus === 'ACTIVE') return;
    await sleep(20);
  }
  throw new Error(`table ${name} did not become active within 2 s`);
}
