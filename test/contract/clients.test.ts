import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterEach, describe, expect, test, vi } from 'vitest';
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

describe.each(Object.entries({ dynamoDb, secretsManager, sqs, eventBridge }))('the client %s', (_name, client) => {
  test('signs with the credentials of the environment', async () => {
    give({ ...given, AWS_REGION: 'eu-west-1' });
    expect(await client().config.credentials()).toMatchObject({ sessionToken: 'of its role' });
  });

  test('copies nothing that is sent or received for a log', () => {
    const middleware = (of: { readonly middlewareStack: { identify(): string[] } }) =>
      of.middlewareStack.identify().filter((name) => name.startsWith('loggerMiddleware'));
    expect(middleware(new DynamoDBClient({}))).toHaveLength(1);
    expect(middleware(client())).toEqual([]);
  });
});
