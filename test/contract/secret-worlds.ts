/** Where the contract of the connections' own secrets is played. */
import { DatabaseSync } from 'node:sqlite';
import { CreateTableCommand, type CreateTableCommandInput, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { startDynamoDb } from '../../local/aws/dynamodb/dynamodb.ts';
import { startSecretsManager } from '../../local/aws/secrets-manager/secrets-manager.ts';
import type { KeySecret, ReadKey } from '../../shared/adapters/sealing/key-ring.ts';
import { dynamoDbVersions, type SecretsTable } from '../../shared/adapters/secrets/dynamodb-versions.ts';
import { withFallback } from '../../shared/adapters/secrets/fallback-versions.ts';
import { secretsManagerVersions } from '../../shared/adapters/secrets/secrets-manager-versions.ts';
import { systemClock } from '../../shared/adapters/system.ts';
import { Secret } from '../../shared/domain/secret.ts';
import type { SecretVersions } from '../../shared/ports/secret-versions.ts';
import { motoMissing, startMoto } from '../local/aws/worlds.ts';
import { memoryVersions } from '../memory/memory-secrets.ts';
import { losingReplies, losingRepliesOf } from './lost-replies.ts';
import { localClient } from './worlds.ts';

export interface SecretWorld {
  readonly versions: SecretVersions;
  readonly close: () => Promise<void>;
}

export const prefix = 'broker/';

export const keySecret = (digit: number): KeySecret => ({
  versionId: `${String(digit).repeat(8)}-0000-4000-8000-000000000000`,
  secret: new Secret(String(digit).repeat(32)),
});
export const readKey: ReadKey = async () => keySecret(1);

const memoryWorld = async (): Promise<SecretWorld> => ({ versions: memoryVersions(), close: async () => undefined });

export async function secretsManagerWorld() {
  const database = new DatabaseSync(':memory:');
  const server = await startSecretsManager({ database });
  const client = new SecretsManagerClient(localClient(server.url));
  const close = async () => {
    client.destroy();
    await server.close();
    database.close();
  };
  return { versions: secretsManagerVersions(client, prefix), client, url: server.url, faults: server.faults, close };
}

const tableName = 'secrets';
const definition: CreateTableCommandInput = {
  TableName: tableName,
  AttributeDefinitions: [
    { AttributeName: 'name', AttributeType: 'S' },
    { AttributeName: 'versionId', AttributeType: 'S' },
  ],
  KeySchema: [
    { AttributeName: 'name', KeyType: 'HASH' },
    { AttributeName: 'versionId', KeyType: 'RANGE' },
  ],
  BillingMode: 'PAY_PER_REQUEST',
};

async function tableAt(url: string): Promise<SecretsTable> {
  const client = new DynamoDBClient({ ...localClient(url), region: 'us-east-1' });
  await client.send(new CreateTableCommand(definition));
  return { client, tableName };
}

/** The table in dynalite. */
export async function secretsTableWorld(): Promise<
  SecretWorld & { readonly table: SecretsTable; readonly url: string }
> {
  const server = await startDynamoDb();
  const table = await tableAt(server.url);
  const close = async () => {
    table.client.destroy();
    await server.close();
  };
  return { versions: dynamoDbVersions(table, readKey, systemClock), table, url: server.url, close };
}

/**
 * The table in moto, which lets two conditional writes at the same time both win now and then: here one comes after the
 * other.
 */
async function motoWorld(): Promise<SecretWorld> {
  const { url, stop } = await startMoto();
  const table = await tableAt(url);
  let last: Promise<unknown> = Promise.resolve();
  table.client.middlewareStack.add(
    (next) => (args) => {
      const mine = last.then(() => next(args));
      last = mine.catch(() => undefined);
      return mine;
    },
    { step: 'initialize' },
  );
  const close = async () => {
    table.client.destroy();
    await stop();
  };
  return { versions: dynamoDbVersions(table, readKey, systemClock), close };
}

/** The table, and Secrets Manager with what was there before. */
async function movedWorld(): Promise<SecretWorld> {
  const [table, earlier] = [await secretsTableWorld(), await secretsManagerWorld()];
  const close = async () => {
    await Promise.all([table.close(), earlier.close()]);
  };
  return { versions: withFallback(table.versions, earlier.versions), close };
}

export const secretWorlds: readonly {
  readonly title: string;
  readonly open: () => Promise<SecretWorld>;
  readonly missing?: boolean;
}[] = [
  { title: 'memory', open: memoryWorld },
  { title: 'Secrets Manager', open: secretsManagerWorld },
  {
    title: 'memory, the first reply to each write lost',
    open: async () => ({ ...(await memoryWorld()), versions: losingRepliesOf(memoryVersions(), ['write', 'remove']) }),
  },
  {
    title: 'Secrets Manager, the first reply to each write lost',
    open: async () => {
      const world = await secretsManagerWorld();
      losingReplies(world.client);
      return world;
    },
  },
  { title: 'a table', open: secretsTableWorld },
  {
    title: 'a table, the first reply to each write lost',
    open: async () => {
      const world = await secretsTableWorld();
      losingReplies(world.table.client);
      return world;
    },
  },
  { title: 'a table in moto', open: motoWorld, missing: motoMissing },
  { title: 'a table, after Secrets Manager', open: movedWorld },
];
