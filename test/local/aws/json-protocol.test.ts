import { networkInterfaces } from 'node:os';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Operation, serveJson } from '../../../local/aws/json-server.ts';
import { startSecretsManager } from '../../../local/aws/secrets-manager/secrets-manager.ts';
import { startSqs } from '../../../local/aws/sqs/sqs.ts';
import { atomically } from '../../../local/aws/storage.ts';

const database = new DatabaseSync(':memory:');
let secretsManager: Awaited<ReturnType<typeof startSecretsManager>>;
let sqs: Awaited<ReturnType<typeof startSqs>>;
beforeAll(async () => {
  secretsManager = await startSecretsManager({ database });
  sqs = await startSqs({ database });
});
afterAll(async () => {
  await Promise.all([secretsManager.close(), sqs.close()]);
  database.close();
});

const post = (url: string, target: string, body: string) =>
  fetch(url, { method: 'POST', headers: { 'x-amz-target': target }, body });

test('no other address of this machine reaches a server', async () => {
  const addresses = Object.values(networkInterfaces()).flatMap((all) =>
    (all ?? []).filter(({ family, internal }) => family === 'IPv4' && !internal),
  );
  const { port } = new URL(secretsManager.url);
  for (const address of ['127.0.0.2', '[::1]', ...addresses.map(({ address }) => address)]) {
    await expect(fetch(`http://${address}:${port}`, { signal: AbortSignal.timeout(1_000) })).rejects.toThrow();
  }
  expect((await fetch(secretsManager.url)).status).toBe(400);
});

test('an operation learns that its client has left', async () => {
  const started = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  const wait: Operation = async (_, gone) => {
    gone.addEventListener('abort', () => left.resolve());
    started.resolve();
    await left.promise;
    return {};
  };
  const endpoint = await serveJson({
    target: 'Test',
    version: '1.0',
    maxBodyBytes: 100,
    operations: { Wait: wait },
    faults: { down: false },
  });
  const client = new AbortController();
  const call = fetch(endpoint.url, {
    method: 'POST',
    headers: { 'x-amz-target': 'Test.Wait' },
    body: '{}',
    signal: client.signal,
  });
  await started.promise;
  client.abort();
  await expect(call).rejects.toThrow();
  await left.promise;
  await endpoint.close();
});

test('of a block that fails, nothing is stored', () => {
  const other = new DatabaseSync(':memory:');
  other.exec('create table number (value integer)');
  const write = () => other.exec('insert into number values (1)');
  const fail = () => {
    write();
    throw new Error('half-way');
  };
  expect(() => atomically(other, fail)).toThrow('half-way');
  expect(other.prepare('select * from number').all()).toEqual([]);
  atomically(other, write);
  expect(other.prepare('select * from number').all()).toHaveLength(1);
});

test('an error carries its name in body and header, for SQS also its older name', async () => {
  const unknownSecret = await post(secretsManager.url, 'secretsmanager.GetSecretValue', '{"SecretId":"none"}');
  expect(unknownSecret.status).toBe(400);
  expect(unknownSecret.headers.get('content-type')).toBe('application/x-amz-json-1.1');
  expect(unknownSecret.headers.get('x-amzn-errortype')).toBe('ResourceNotFoundException');
  expect(await unknownSecret.json()).toMatchObject({ __type: 'ResourceNotFoundException' });

  const unknownQueue = await post(sqs.url, 'AmazonSQS.GetQueueUrl', '{"QueueName":"none"}');
  expect(unknownQueue.headers.get('content-type')).toBe('application/x-amz-json-1.0');
  expect(unknownQueue.headers.get('x-amzn-query-error')).toBe('AWS.SimpleQueueService.NonExistentQueue;Sender');
  expect(await unknownQueue.json()).toMatchObject({ __type: 'QueueDoesNotExist' });
});

test.each(['secretsmanager.RotateSecret', 'AmazonSQS.GetQueueUrl', 'secretsmanager.constructor', 'GetSecretValue', ''])(
  'operation %j is unknown',
  async (target) => {
    const response = await post(secretsManager.url, target, '{}');
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ __type: 'UnknownOperationException' });
  },
);

test('a body that is not JSON, or too large, is refused', async () => {
  const broken = await post(secretsManager.url, 'secretsmanager.GetSecretValue', '{"SecretId":');
  expect(await broken.json()).toMatchObject({ __type: 'SerializationException' });
  const large = await post(
    secretsManager.url,
    'secretsmanager.GetSecretValue',
    JSON.stringify({ SecretId: 'x'.repeat(500_000) }),
  );
  expect(large.status).toBe(413);
});

test('every fault of an input is named at once', async () => {
  const response = await post(
    secretsManager.url,
    'secretsmanager.CreateSecret',
    '{"Name":"two words","ClientRequestToken":"short","Colour":"red"}',
  );
  const { message } = (await response.json()) as { message: string };
  for (const field of ['Name', 'ClientRequestToken', 'Colour']) expect(message).toContain(field);
});
