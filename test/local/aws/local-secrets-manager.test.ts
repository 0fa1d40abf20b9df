import { randomUUID } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  RestoreSecretCommand,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startSecretsManager } from '../../../local/aws/secrets-manager/secrets-manager.ts';
import { secretsClient } from './worlds.ts';

const dayMs = 86_400_000;
const SecretId = 'broker/exact-nl/0';
let clock: number;
let database: DatabaseSync;
let endpoint: Awaited<ReturnType<typeof startSecretsManager>>;
let client: SecretsManagerClient;

beforeEach(async () => {
  clock = 1_800_000_000_000;
  database = new DatabaseSync(':memory:');
  endpoint = await startSecretsManager({ database, now: () => clock });
  client = secretsClient(endpoint.url);
});
afterEach(async () => {
  client.destroy();
  await endpoint.close();
  database.close();
});

const create = (SecretString: string) => client.send(new CreateSecretCommand({ Name: SecretId, SecretString }));
const put = (SecretString: string, token: string = randomUUID()) =>
  client.send(new PutSecretValueCommand({ SecretId, SecretString, ClientRequestToken: token }));
const read = async (VersionId?: string) =>
  (await client.send(new GetSecretValueCommand({ SecretId, ...(VersionId && { VersionId }) }))).SecretString;
const count = () => database.prepare('select count(*) as n from secret_version').get()?.n;

describe('at most 100 versions, of which none younger than 24 hours is pruned', () => {
  const fill = async (versions: number): Promise<void> => {
    await create('1');
    for (let number = 2; number <= versions; number += 1) await put(`${number}`);
  };

  test('the hundredth version is taken, the next is not, and the value stays as it was', async () => {
    await fill(100);
    await expect(put('101')).rejects.toMatchObject({ name: 'LimitExceededException' });
    expect(count()).toBe(100);
    expect(await read()).toBe('100');
  });

  test('one millisecond before the oldest is a day old there is no room, at a day there is', async () => {
    await fill(100);
    clock += dayMs - 1;
    await expect(put('101')).rejects.toMatchObject({ name: 'LimitExceededException' });
    clock += 1;
    await put('101');
    expect(count()).toBe(100);
    expect(await read()).toBe('101');
  });

  test('the oldest version without a label goes first, and one with a label never', async () => {
    await create('1');
    const second = randomUUID();
    const pend = (SecretString: string, ClientRequestToken: string = randomUUID()) =>
      client.send(
        new PutSecretValueCommand({ SecretId, SecretString, ClientRequestToken, VersionStages: ['AWSPENDING'] }),
      );
    await pend('2', second);
    for (let number = 3; number <= 100; number += 1) await pend(`${number}`);
    clock += dayMs;
    await pend('101');
    await expect(read(second)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    expect(await read()).toBe('1');
  });

  test('storing a version that is there again is no new version', async () => {
    await fill(99);
    const token = randomUUID();
    await put('100', token);
    await put('100', token);
    expect(count()).toBe(100);
  });
});

test('a deleted secret can be restored until its recovery window ends, then its name is free', async () => {
  await create('one');
  await client.send(new DeleteSecretCommand({ SecretId, RecoveryWindowInDays: 7 }));
  clock += 7 * dayMs - 1;
  await client.send(new RestoreSecretCommand({ SecretId }));
  expect(await read()).toBe('one');
  await client.send(new DeleteSecretCommand({ SecretId, RecoveryWindowInDays: 7 }));
  clock += 7 * dayMs;
  await expect(client.send(new RestoreSecretCommand({ SecretId }))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  });
  await create('two');
  expect(await read()).toBe('two');
});

describe('faults', () => {
  test('while AWSCURRENT is read late, only a read by version id sees the new version', async () => {
    await create('one');
    clock += 60_000;
    endpoint.faults.staleReadsMs = 5_000;
    const token = randomUUID();
    await put('two', token);
    clock += 4_999;
    expect(await read()).toBe('one');
    expect(await read(token)).toBe('two');
    clock += 1;
    expect(await read()).toBe('two');
  });

  test('a service that is down breaks the connection and takes nothing', async () => {
    await create('one');
    endpoint.faults.down = true;
    await expect(put('two')).rejects.toMatchObject({ code: 'ECONNRESET' });
    endpoint.faults.down = false;
    expect(await read()).toBe('one');
  });

  test('a late answer is to a write that was made: a client that gave up is in doubt', async () => {
    await create('one');
    endpoint.faults.latencyMs = 60_000;
    const impatient = new AbortController();
    const write = client.send(new PutSecretValueCommand({ SecretId, SecretString: 'two' }), {
      abortSignal: impatient.signal,
    });
    const written = database.prepare("select count(*) as n from secret_version where value like '%two%'");
    await expect.poll(() => written.get()?.n).toBe(1);
    impatient.abort();
    await expect(write).rejects.toMatchObject({ name: 'AbortError' });
    endpoint.faults.latencyMs = 0;
    expect(await read()).toBe('two');
  });
});

test('a parameter that the local service does not support is refused by name, and a value never shows in an error', async () => {
  const replicated = new CreateSecretCommand({
    Name: SecretId,
    SecretString: 'hush',
    AddReplicaRegions: [{ Region: 'eu-west-1' }],
    ClientRequestToken: 'short',
  });
  const error = await client.send(replicated).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: 'InvalidParameterException' });
  expect(String(error)).toContain('AddReplicaRegions');
  expect(String(error)).toContain('ClientRequestToken');
  expect(String(error)).not.toContain('hush');
});
