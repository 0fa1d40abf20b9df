import { createServer } from 'node:http';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { listen } from '../../local/platform/loopback.ts';
import { dynamoDb, eventBridge, secretsManager, sqs } from '../../shared/adapters/aws/clients.ts';
import { defaultProvider } from '../../shared/adapters/aws/credentials.ts';

afterEach(() => vi.unstubAllEnvs());

const given = { AWS_ACCESS_KEY_ID: 'AKIA', AWS_SECRET_ACCESS_KEY: 'of the function', AWS_SESSION_TOKEN: 'of its role' };
const give = (variables: Readonly<Record<string, string | undefined>>): void => {
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
};

describe('the credentials', () => {
  test('are those of the environment at the time, with the token of the session', async () => {
    const credentials = defaultProvider();
    give(given);
    expect(await credentials()).toMatchObject({
      accessKeyId: 'AKIA',
      secretAccessKey: 'of the function',
      sessionToken: 'of its role',
    });
    give({ AWS_SESSION_TOKEN: 'of its next role' });
    expect(await credentials()).toMatchObject({ sessionToken: 'of its next role' });
  });

  test.each(['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'])('are refused without %s', async (missing) => {
    give({ ...given, [missing]: undefined });
    await expect(defaultProvider()()).rejects.toThrow('Unable to find environment variable credentials');
  });
});

/** Every service is there. */
const at = (url: string) => ({
  AWS_REGION: 'eu-west-1',
  AWS_ENDPOINT_URL_DYNAMODB: url,
  AWS_ENDPOINT_URL_SECRETS_MANAGER: url,
  AWS_ENDPOINT_URL_EVENTBRIDGE: url,
});

const clients = { dynamoDb, secretsManager, sqs, eventBridge } as const;
type Name = keyof typeof clients;

/** One of each. */
const commands: Readonly<Record<Name, (url: string) => unknown>> = {
  dynamoDb: () => new GetItemCommand({ TableName: 'connections', Key: { connection: { S: 'exact-nl' } } }),
  secretsManager: () => new GetSecretValueCommand({ SecretId: 'key' }),
  sqs: (url) =>
    new SendMessageCommand({
      QueueUrl: `${url}/000000000000/refresh`,
      MessageBody: '',
    }),
  eventBridge: () => new PutEventsCommand({ Entries: [] }),
};

describe.each(Object.keys(clients) as Name[])('the client %s', (name) => {
  const client: () => DynamoDBClient = clients[name] as never;

  test('signs with the credentials of the environment', async () => {
    give({ ...given, AWS_REGION: 'eu-west-1' });
    expect(await client().config.credentials()).toMatchObject({ sessionToken: 'of its role' });
  });

  test('takes an empty reply for no reply, and asks again', async () => {
    let replies = 0;
    const server = createServer((_, response) => {
      replies += 1;
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0', 'content-length': '0' }).end();
    });
    const { url, close } = await listen(server);
    give({ ...given, ...at(url) });
    const asking = client();
    try {
      await expect(asking.send(commands[name](url) as never)).rejects.toMatchObject({ name: 'EmptyReply' });
      expect(replies).toBe(3);
    } finally {
      asking.destroy();
      await close();
    }
  });

  test('copies nothing that is sent or received for a log', () => {
    const middleware = (of: { readonly middlewareStack: { identify(): string[] } }) =>
      of.middlewareStack.identify().filter((name) => name.startsWith('loggerMiddleware'));
    expect(middleware(new DynamoDBClient({}))).toHaveLength(1);
    expect(middleware(client())).toEqual([]);
  });
});

test('a client waits no longer for the end of a reply than for its beginning', { timeout: 20_000 }, async () => {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0', 'content-length': '500' }).write('{');
  });
  const { url, close } = await listen(server);
  give({ ...given, ...at(url) });
  const client = dynamoDb();
  try {
    await expect(client.send(commands.dynamoDb(url) as GetItemCommand)).rejects.toMatchObject({ name: 'TimeoutError' });
  } finally {
    client.destroy();
    await close();
  }
});
