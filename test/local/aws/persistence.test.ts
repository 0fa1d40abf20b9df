import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { CreateSecretCommand, GetSecretValueCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import * as v from 'valibot';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTable } from '../../../local/aws/dynamodb/dynamodb.ts';
import { emulatorClient } from '../../../local/platform/account.ts';
import { eventsClient, secretsClient, sqsClient } from './worlds.ts';

const announcement = v.object({
  secretsManager: v.string(),
  queue: v.string(),
  eventBridge: v.string(),
  events: v.number(),
  dynamoDb: v.string(),
});
let directory: string;
let running: ChildProcess | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'token-broker-'));
});
afterEach(async () => {
  await kill();
  rmSync(directory, { recursive: true });
});

async function start(): Promise<v.InferOutput<typeof announcement>> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'endpoints-process.ts'), directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running = child;
  for await (const line of createInterface({ input: child.stdout })) return v.parse(announcement, JSON.parse(line));
  throw new Error('the process ended before it said where it listens');
}

async function kill(): Promise<void> {
  if (running === undefined || running.signalCode !== null) return;
  running.kill('SIGKILL');
  await once(running, 'exit');
}

const dynamoClient = (endpoint: string): DynamoDBClient => new DynamoDBClient({ ...emulatorClient, endpoint });
const table = {
  TableName: 'connections',
  AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
  KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
};

test('what was acknowledged is there after kill -9', async () => {
  const [first, second] = [randomUUID(), randomUUID()];
  const before = await start();
  const secrets = secretsClient(before.secretsManager);
  await secrets.send(
    new CreateSecretCommand({ Name: 'broker/exact-nl', ClientRequestToken: first, SecretString: 'one' }),
  );
  await createTable(before.dynamoDb, table);
  await dynamoClient(before.dynamoDb).send(
    new PutItemCommand({ TableName: 'connections', Item: { pk: { S: 'exact-nl' }, fence: { N: '7' } } }),
  );
  await sqsClient().send(new SendMessageCommand({ QueueUrl: before.queue, MessageBody: 'exact-nl' }));
  await eventsClient(before.eventBridge).send(
    new PutEventsCommand({ Entries: [{ Source: 'broker', DetailType: 'Test', Detail: '{}' }] }),
  );
  await secrets.send(
    new PutSecretValueCommand({ SecretId: 'broker/exact-nl', ClientRequestToken: second, SecretString: 'two' }),
  );
  await kill();

  const after = await start();
  const value = await secretsClient(after.secretsManager).send(
    new GetSecretValueCommand({ SecretId: 'broker/exact-nl' }),
  );
  expect(value).toMatchObject({ VersionId: second, SecretString: 'two' });
  const previous = new GetSecretValueCommand({ SecretId: 'broker/exact-nl', VersionStage: 'AWSPREVIOUS' });
  expect(await secretsClient(after.secretsManager).send(previous)).toMatchObject({
    VersionId: first,
    SecretString: 'one',
  });
  const { Messages } = await sqsClient().send(new ReceiveMessageCommand({ QueueUrl: after.queue }));
  expect(Messages).toMatchObject([{ Body: 'exact-nl' }]);
  expect([before.events, after.events]).toEqual([0, 1]);
  await createTable(after.dynamoDb, table);
  const { Item } = await dynamoClient(after.dynamoDb).send(
    new GetItemCommand({ TableName: 'connections', Key: { pk: { S: 'exact-nl' } } }),
  );
  expect(Item?.fence).toEqual({ N: '7' });
}, 30_000);

test('a message that was in flight at kill -9 stays hidden', async () => {
  const before = await start();
  await sqsClient().send(new SendMessageCommand({ QueueUrl: before.queue, MessageBody: 'exact-nl' }));
  await sqsClient().send(new ReceiveMessageCommand({ QueueUrl: before.queue, VisibilityTimeout: 600 }));
  await kill();

  const after = await start();
  const { Messages } = await sqsClient().send(new ReceiveMessageCommand({ QueueUrl: after.queue }));
  expect(Messages).toBeUndefined();
}, 30_000);
