import { createServer, request } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, test } from 'vitest';
import { startDynamoDb } from '../../../local/aws/dynamodb/dynamodb.ts';
import { startEventBridge } from '../../../local/aws/eventbridge/eventbridge.ts';
import { startSecretsManager } from '../../../local/aws/secrets-manager/secrets-manager.ts';
import { startSqs } from '../../../local/aws/sqs/sqs.ts';
import { startGateway } from '../../../local/platform/gateway.ts';
import { listen } from '../../../local/platform/loopback.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const opened = (): DatabaseSync => {
  const database = new DatabaseSync(':memory:');
  closing.push(() => database.close());
  return database;
};

/** The status of the reply to a request that names another host than the one it is sent to. */
function statusFor(url: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { headers: { host }, agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    });
    sent.on('error', reject).end();
  });
}

describe('a request that a web page was tricked into sending (DNS rebinding)', () => {
  test.each([
    ['the gateway', () => startGateway(0)],
    ['DynamoDB', () => startDynamoDb()],
    ['Secrets Manager', () => startSecretsManager({ database: opened() })],
    ['SQS', () => startSqs({ database: opened() })],
    ['EventBridge', () => startEventBridge({ database: opened() })],
  ])('is refused by %s', async (_, start) => {
    const { url, close } = await start();
    closing.push(close);
    const { port, host } = new URL(url);
    expect(await statusFor(url, `rebound.example:${port}`)).toBe(403);
    expect(await statusFor(url, host)).not.toBe(403);
  });

  test.each([
    '127.0.0.1.example',
    'example',
    'localhost.example',
    'localhost.',
    '127.0.0.1@example',
    'example#127.0.0.1',
    '127.0.0.1, example',
    '127.0.0.1:',
    'localhost:80:80',
    '[::1].example',
    '[::ffff:127.0.0.1]',
    '10.0.0.1',
    '127.1',
    '0x7f.1',
    '2130706433',
    '0.0.0.0',
  ])('is known by its host %s', async (host) => {
    const { url, close } = await listen(createServer((_, response) => response.end()));
    closing.push(close);
    expect(await statusFor(url, host)).toBe(403);
  });

  test.each(['127.0.0.1', 'localhost', 'LOCALHOST:1', '[::1]:8790'])('is not one for %s', async (host) => {
    const { url, close } = await listen(createServer((_, response) => response.end()));
    closing.push(close);
    expect(await statusFor(url, host)).toBe(200);
  });
});
