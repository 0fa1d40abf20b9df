import { DatabaseSync } from 'node:sqlite';
import { ReceiveMessageCommand, type SendMessageBatchCommandOutput, SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Sqs, startSqs } from '../../local/aws/sqs/sqs.ts';
import { parseMessage, sqsQueue } from '../../shared/adapters/aws/sqs-queue.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import { limits } from '../../shared/domain/limits.ts';
import { Unavailable } from '../../shared/ports/errors.ts';
import type { RefreshQueue } from '../../shared/ports/queue.ts';
import { localClient } from './worlds.ts';

const name = 'exact-nl' as ConnectionName;

describe('the refresh queue in SQS', () => {
  let time: number;
  let database: DatabaseSync;
  let sqs: Sqs;
  let client: SQSClient;
  let queueUrl: string;
  let queue: RefreshQueue;

  beforeEach(async () => {
    time = 1_800_000_000_000;
    database = new DatabaseSync(':memory:');
    sqs = await startSqs({ database, now: () => time });
    queueUrl = sqs.createQueue('refresh');
    client = new SQSClient(localClient(sqs.url));
    queue = sqsQueue(client, queueUrl);
  });
  afterEach(async () => {
    client.destroy();
    await sqs.close();
    database.close();
  });

  const receive = async (): Promise<ConnectionName[]> => {
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 0 }),
    );
    return Messages.map(({ Body }) => parseMessage(Body ?? ''));
  };

  test.each([
    ['at once', 0, 0],
    ['at once if its time is past', -5_000, 0],
    ['not a moment early, hence up to a second late', 1_001, 2_000],
    ['after the delay', 90_000, 90_000],
    ['after the longest delay there is, if asked for a longer one', 3_600_000, 900_000],
  ])('delivers %s', async (_when, delayMs, deliveredMs) => {
    const start = time;
    await queue.send(name, delayMs);
    if (deliveredMs > 0) {
      time = start + deliveredMs - 1;
      expect(await receive()).toEqual([]);
    }
    time = start + deliveredMs;
    expect(await receive()).toEqual([name]);
  });

  test('sends any number of messages, each with its delay', async () => {
    const names = Array.from({ length: 21 }, (_, i) => `connection-${i}` as ConnectionName);
    await queue.sendAll(names.map((connection, i) => ({ connection, delayMs: i * 1_000 })));
    const seen: ConnectionName[] = [];
    for (const _second of names) {
      seen.push(...(await receive()));
      time += 1_000;
    }
    expect(seen).toEqual(names);
  });

  test('has at most so many batches in flight', async () => {
    let [inFlight, most] = [0, 0];
    client.middlewareStack.add(
      (_next) => async () => {
        inFlight += 1;
        most = Math.max(most, inFlight);
        await new Promise((resolve) => setImmediate(resolve));
        inFlight -= 1;
        return { output: {} as SendMessageBatchCommandOutput, response: {} };
      },
      { step: 'initialize' },
    );
    const messages = Array.from({ length: 300 }, (_, i) => ({ connection: `c-${i}` as ConnectionName, delayMs: 0 }));
    await queue.sendAll(messages);
    expect(most).toBe(limits.batchesAtOnce);
  });

  test('sends none without calling', async () => {
    sqs.faults.down = true;
    await queue.sendAll([]);
  });

  describe('when SQS takes a part of a batch', () => {
    const messages = Array.from({ length: 12 }, (_, i) => ({
      connection: `connection-${i}` as ConnectionName,
      delayMs: 0,
    }));
    let sent: string[][];

    /** Refuses, in each of the first `times` calls, the second message of the batch. */
    const refuseSecond = (times: number): void => {
      sent = [];
      client.middlewareStack.add(
        (_next) => async (args) => {
          const { Entries } = args.input as { Entries: { Id: string; MessageBody: string }[] };
          sent.push(Entries.map(({ MessageBody }) => parseMessage(MessageBody)));
          const [, second] = Entries;
          const failed = sent.length <= times && second !== undefined ? [second] : [];
          const output = { Failed: failed.map(({ Id }) => ({ Id, Code: 'InternalError', SenderFault: false })) };
          return { output: output as SendMessageBatchCommandOutput, response: {} };
        },
        { step: 'initialize' },
      );
    };

    test('the rest is sent again, once', async () => {
      refuseSecond(2);
      await queue.sendAll(messages);
      expect(sent.slice(2)).toEqual([['connection-1', 'connection-11']]);
    });

    test('what is refused twice is unavailable', async () => {
      refuseSecond(3);
      const error = await queue.sendAll(messages).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(Unavailable);
      expect(sent).toHaveLength(3);
    });
  });

  test('out of reach it is unavailable', async () => {
    sqs.faults.down = true;
    await expect(queue.send(name, 0)).rejects.toBeInstanceOf(Unavailable);
    await expect(queue.sendAll([{ connection: name, delayMs: 0 }])).rejects.toBeInstanceOf(Unavailable);
  });
});

describe('a message', () => {
  test.each(['a', 'exact-nl', '0'.repeat(63)])('names a connection: %s', (connection) => {
    expect(parseMessage(JSON.stringify({ connection }))).toBe(connection);
  });

  test.each([
    '',
    'exact-nl',
    '{}',
    '{"connection":1}',
    '{"connection":""}',
    '{"connection":"-a"}',
    '{"connection":"a-"}',
    '{"connection":"A"}',
    '{"connection":"a/b"}',
    `{"connection":"${'0'.repeat(64)}"}`,
  ])('that is none of ours is refused: %s', (body) => {
    expect(() => parseMessage(body)).toThrow('is not {"connection": name}');
  });
});
