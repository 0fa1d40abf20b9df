/** The table, the secrets and the queue as the stacks deploy them, on the loopback interface, and what is in them. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { App } from 'aws-cdk-lib';
import { dueIndex, nameIndex, StateStack } from '../../infra/state-stack.ts';
import { createTable, startDynamoDb } from '../../local/aws/dynamodb/dynamodb.ts';
import { type DeliveredEvent, startEventBridge } from '../../local/aws/eventbridge/eventbridge.ts';
import { startSecretsManager } from '../../local/aws/secrets-manager/secrets-manager.ts';
import { startSqs } from '../../local/aws/sqs/sqs.ts';
import type { Connection } from '../../shared/domain/connection.ts';

const account = { region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
const tableName = 'connections';
const eventBusName = 'token-broker';

/** What a function is told besides where the secrets are in a table of their own. */
export const secretsInTable = { SECRETS_TABLE_NAME: 'secrets', SECRETS_KEY_SECRET_ID: 'secrets-key' };

export type Stores = Awaited<ReturnType<typeof startStores>>;

/** Starts them, with the sealing keys that are told to `secret`. */
export async function startStores(secret: (value: string) => void) {
  const database = new DatabaseSync(':memory:');
  const [dynamoDb, secretsManager, sqs, eventBridge] = await Promise.all([
    startDynamoDb(),
    startSecretsManager({ database }),
    startSqs({ database }),
    startEventBridge({ database }),
  ]);
  eventBridge.createEventBus(eventBusName);
  await createTable(dynamoDb.url, tableProperties());
  const secrets = new SecretsManagerClient({ ...account, endpoint: secretsManager.url });
  const newKey = keysIn(secrets, secret);
  const newSealingKeys = (prefix: string) => sealingKeysBy(newKey, prefix);
  const sealingKeys = await newSealingKeys('');
  const client = new DynamoDBClient({ ...account, endpoint: dynamoDb.url });

  return {
    /** What the stack and Lambda put into the functions' environment. */
    environment: {
      AWS_REGION: account.region,
      AWS_ACCESS_KEY_ID: account.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: account.credentials.secretAccessKey,
      AWS_ENDPOINT_URL_DYNAMODB: dynamoDb.url,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsManager.url,
      AWS_ENDPOINT_URL_EVENTBRIDGE: eventBridge.url,
      DEPLOYMENT: 'token-broker',
      TABLE_NAME: tableName,
      DUE_INDEX: dueIndex,
      NAME_INDEX: nameIndex,
      SECRET_PREFIX: 'token-broker/',
      ...sealingKeys,
      REFRESH_QUEUE_URL: sqs.createQueue('refresh'),
      EVENT_BUS_NAME: eventBusName,
      ALLOW_LOOPBACK_PROVIDERS: '1',
    },
    newSealingKeys,
    newSecretsTable: () => secretsTableBy(newKey, dynamoDb.url),
    secretsManager: secretsManager.faults,
    eventBridge: eventBridge.faults,

    /** Every item of the table, by name. */
    async items(): Promise<Readonly<Record<string, Connection>>> {
      const { Items = [] } = await client.send(new ScanCommand({ TableName: tableName, ConsistentRead: true }));
      const items = Items.map((item) => unmarshall(item) as Connection);
      return Object.fromEntries(items.map((item) => [item.connection, item]));
    },

    /** Every version of every secret. */
    vault: secretsManager.versions,

    /** Every message that was sent, in order. */
    messages: sqs.sent,

    /** Every event that was announced, in order. */
    events: (): readonly DeliveredEvent[] => eventBridge.events(eventBusName),

    async close(): Promise<void> {
      client.destroy();
      secrets.destroy();
      await Promise.all([dynamoDb.close(), secretsManager.close(), sqs.close(), eventBridge.close()]);
      database.close();
    },
  };
}

type NewKey = ReturnType<typeof keysIn>;

/** Makes a key, and returns its version. */
const keysIn = (secrets: SecretsManagerClient, secret: (value: string) => void) => async (name: string) => {
  const key = randomBytes(32).toString('hex');
  secret(key);
  const { VersionId = '' } = await secrets.send(new CreateSecretCommand({ Name: name, SecretString: key }));
  return VersionId;
};

/** Makes the sealing keys of a deployment, and returns the variables that name them. */
async function sealingKeysBy(newKey: NewKey, prefix: string) {
  const variables = {
    ACCESS_KEY_SECRET_ID: `${prefix}access-key`,
    REFRESH_KEY_SECRET_ID: `${prefix}refresh-key`,
    STATE_KEY_SECRET_ID: `${prefix}state-key`,
  };
  await Promise.all(Object.values(variables).map(newKey));
  return variables;
}

/** Makes the table of secrets and its key, whose version it returns. */
async function secretsTableBy(newKey: NewKey, dynamoDb: string): Promise<string> {
  await createTable(dynamoDb, {
    TableName: secretsInTable.SECRETS_TABLE_NAME,
    AttributeDefinitions: ['name', 'versionId'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
    KeySchema: [
      { AttributeName: 'name', KeyType: 'HASH' },
      { AttributeName: 'versionId', KeyType: 'RANGE' },
    ],
  });
  return newKey(secretsInTable.SECRETS_KEY_SECRET_ID);
}

/** The state stack's own. */
function tableProperties(): object {
  const outdir = mkdtempSync(join(tmpdir(), 'token-broker-synth-'));
  try {
    // Whether the templates are valid is for test/infra to ask; to load the validator takes seconds.
    const app = new App({ outdir, builtinCloudFormationValidation: false });
    const { stackName } = new StateStack(app, 'token-broker-state');
    const resources: { Type: string; Properties: object }[] = Object.values(
      app.synth().getStackByName(stackName).template.Resources,
    );
    return { ...resources.find(({ Type }) => Type === 'AWS::DynamoDB::Table')?.Properties, TableName: tableName };
  } finally {
    rmSync(outdir, { recursive: true });
  }
}
