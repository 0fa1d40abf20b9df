import { chmodSync, globSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetQueueAttributesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type LocalBroker, type LocalBrokerOptions, startLocalBroker } from '../../../local/broker.ts';
import { emulatorClient } from '../../../local/platform/account.ts';

let directory: string;
const started: LocalBroker[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'broker-'));
});

afterEach(async () => {
  for (const broker of started.splice(0)) await broker.close();
  rmSync(directory, { recursive: true });
});

async function start(options: Partial<LocalBrokerOptions> = {}): Promise<LocalBroker> {
  const assembly = join(import.meta.dirname, 'fixtures/assembly');
  const broker = await startLocalBroker({ port: 0, directory, provider: 'none', assembly, ...options });
  started.push(broker);
  return broker;
}

const environmentOf = async (broker: LocalBroker): Promise<Record<string, string>> => {
  const response = await broker.fetch('/items/environment');
  expect(response.status).toBe(200);
  return (await response.json()) as Record<string, string>;
};

const client = (endpoint = '') => ({ ...emulatorClient, endpoint });

/** The value of the generated secret, read as the function would. */
async function sealingKey(environment: Record<string, string>): Promise<string | undefined> {
  const secrets = new SecretsManagerClient(client(environment.AWS_ENDPOINT_URL_SECRETS_MANAGER));
  const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: environment.SECRET_ID }));
  return SecretString;
}

describe('the local broker', () => {
  test('runs the template’s functions with its environment, the local endpoints, and nothing more', async () => {
    const environment = await environmentOf(await start());
    const loopback = expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(environment).toMatchObject({
      TABLE_NAME: 'Table1',
      SECRET_ID: expect.stringMatching(/^arn:aws:secretsmanager:us-east-1:000000000000:secret:Sealing-/),
      PREFIX: 'broker/test/us-east-1',
      QUEUE_URL: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/000000000000\/work$/),
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL_DYNAMODB: loopback,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: loopback,
      AWS_ENDPOINT_URL_SQS: loopback,
      AWS_ENDPOINT_URL_EVENTBRIDGE: loopback,
      EVENT_BUS_NAME: 'changes',
      ALLOW_LOOPBACK_PROVIDERS: '1',
    });
  });

  test('has the template’s queue, and feeds the function from it', async () => {
    const { QUEUE_URL, AWS_ENDPOINT_URL_SQS } = await environmentOf(await start());
    const sqs = new SQSClient(client(AWS_ENDPOINT_URL_SQS));
    await sqs.send(new SendMessageCommand({ QueueUrl: QUEUE_URL, MessageBody: 'good' }));
    const attributes = async () =>
      (await sqs.send(new GetQueueAttributesCommand({ QueueUrl: QUEUE_URL, AttributeNames: ['All'] }))).Attributes;
    const none = { ApproximateNumberOfMessages: '0', ApproximateNumberOfMessagesNotVisible: '0' };
    await expect.poll(attributes, { timeout: 5_000 }).toMatchObject({ VisibilityTimeout: '480', ...none });
  });

  test('has the template’s event bus, and says what is put on it', async () => {
    const heard: unknown[] = [];
    const { EVENT_BUS_NAME, AWS_ENDPOINT_URL_EVENTBRIDGE } = await environmentOf(
      await start({ onEvent: (event) => heard.push(event) }),
    );
    const events = new EventBridgeClient(client(AWS_ENDPOINT_URL_EVENTBRIDGE));
    await events.send(
      new PutEventsCommand({
        Entries: [{ EventBusName: EVENT_BUS_NAME, Source: 'broker', DetailType: 'Test', Detail: '{"n":1}' }],
      }),
    );
    expect(heard).toMatchObject([{ source: 'broker', detail: { n: 1 } }]);
  });

  test('says once what is announced again, also after a restart', async () => {
    const heard: unknown[] = [];
    const announce = async (broker: LocalBroker, id: string): Promise<void> => {
      const { AWS_ENDPOINT_URL_EVENTBRIDGE, EVENT_BUS_NAME } = await environmentOf(broker);
      const entry = {
        EventBusName: EVENT_BUS_NAME,
        Source: 'broker',
        DetailType: 'Test',
        Detail: JSON.stringify({ id }),
      };
      await new EventBridgeClient(client(AWS_ENDPOINT_URL_EVENTBRIDGE)).send(
        new PutEventsCommand({ Entries: [entry] }),
      );
    };
    const onEvent: LocalBrokerOptions['onEvent'] = ({ detail }) => heard.push(detail.id);
    const first = await start({ onEvent });
    await announce(first, 'grant-1.authorized.1');
    await announce(first, 'grant-1.authorized.1');
    await announce(first, 'grant-1.authorized.2');
    await first.close();
    const second = await start({ onEvent });
    await announce(second, 'grant-1.authorized.2');
    await announce(second, 'grant-2.authorized.1');
    expect(heard).toEqual(['grant-1.authorized.1', 'grant-1.authorized.2', 'grant-2.authorized.1']);
  });

  test('goes on where it was: key pair and generated secrets are made once', async () => {
    const first = await start();
    const key = await sealingKey(await environmentOf(first));
    await first.close();
    const second = await start();
    expect(key).toMatch(/^[A-Za-z0-9]{64}$/);
    expect(await sealingKey(await environmentOf(second))).toBe(key);
    expect(second.credentials).toEqual(first.credentials);
    expect(statSync(join(directory, 'credentials.json')).mode & 0o077).toBe(0);
  });

  describe('in a directory that was there before, and that other users of the machine can open,', () => {
    const modeOf = (...path: string[]): number => statSync(join(directory, ...path)).mode & 0o777;
    beforeEach(() => chmodSync(directory, 0o755));

    test('keeps its files from them', async () => {
      await start();
      expect(modeOf()).toBe(0o700);
      expect(modeOf('broker.sqlite')).toBe(0o600);
      const paths = globSync('**', { cwd: directory }).filter((path) => path !== '');
      expect(paths).toEqual(expect.arrayContaining(['broker.sqlite', 'credentials.json', 'dynamodb', 'lock.sqlite']));
      expect(paths.filter((path) => (modeOf(path) & 0o077) !== 0)).toEqual([]);
    });

    test('does so at the next start too', async () => {
      await (await start()).close();
      chmodSync(directory, 0o755);
      await start();
      expect(modeOf()).toBe(0o700);
    });

    test('leaves the directory open if it holds other files, but not its own files', async () => {
      writeFileSync(join(directory, 'notes.txt'), '');
      chmodSync(join(directory, 'notes.txt'), 0o644);
      await start();
      expect([modeOf(), modeOf('notes.txt'), modeOf('broker.sqlite')]).toEqual([0o755, 0o644, 0o600]);
    });
  });

  test('refuses a directory that another has, and gives it up when it cannot start', async () => {
    const first = await start();
    await expect(start()).rejects.toThrow(`${directory} is in use`);
    const other = join(directory, 'other');
    const port = Number(new URL(first.url).port);
    await expect(start({ directory: other, port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await expect(start({ directory: other, assembly: directory })).rejects.toThrow('manifest.json');
    await start({ directory: other });
  });

  test('leaves no process and no port behind', async () => {
    const broker = await start();
    await environmentOf(broker);
    const pids = broker.lambda.environments().map(({ pid }) => pid);
    expect(pids.length).toBeGreaterThan(0);
    await broker.close();
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    await expect(fetch(broker.url)).rejects.toThrow();
  });
});
