import { DatabaseSync } from 'node:sqlite';
import { GetQueueAttributesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { SQSEvent } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Sqs, startSqs } from '../../../local/aws/sqs/sqs.ts';
import { emulatorClient } from '../../../local/platform/account.ts';
import type { EventSourceDefinition } from '../../../local/platform/deployment.ts';
import { startEventSource } from '../../../local/platform/event-source.ts';
import type { Outcome } from '../../../local/platform/lambda.ts';

const definition: EventSourceDefinition = {
  queueName: 'work',
  queueArn: 'arn:aws:sqs:us-east-1:000000000000:work',
  functionName: 'consume',
  batchSize: 10,
  maximumConcurrency: 10,
  reportsBatchItemFailures: true,
};
const succeeded = (result: unknown): Outcome => ({ payload: JSON.stringify(result ?? null) });

let sqs: Sqs;
let client: SQSClient;
let queueUrl: string;
let database: DatabaseSync;
const closing: (() => Promise<void>)[] = [];

beforeEach(async () => {
  database = new DatabaseSync(':memory:');
  sqs = await startSqs({ database });
  client = new SQSClient({ ...emulatorClient, endpoint: sqs.url });
  queueUrl = sqs.createQueue('work', { VisibilityTimeout: '1' });
});

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  client.destroy();
  await sqs.close();
  database.close();
});

/** Runs `handler` as the function; returns the bodies of each batch it was invoked with. */
function consume(
  handler: (event: SQSEvent) => Outcome | Promise<Outcome>,
  changes: Partial<EventSourceDefinition> = {},
  concurrency = 8,
): string[][] {
  const batches: string[][] = [];
  const lambda = {
    invoke: async (_: string, event: unknown) => {
      const { Records } = event as SQSEvent;
      batches.push(Records.map(({ body }) => body));
      return handler(event as SQSEvent);
    },
  };
  const onError = (error: unknown): void => expect.unreachable(String(error));
  const source = startEventSource({
    definition: { ...definition, ...changes },
    queueUrl,
    sqs: client,
    lambda,
    concurrency,
    onError,
  });
  closing.push(source.close);
  return batches;
}

const send = async (...bodies: string[]): Promise<void> => {
  for (const MessageBody of bodies) await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody }));
};

/** How many messages there are: waiting, and received but not deleted. */
async function left(): Promise<number> {
  const { Attributes = {} } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['All'] }),
  );
  return Number(Attributes.ApproximateNumberOfMessages) + Number(Attributes.ApproximateNumberOfMessagesNotVisible);
}

describe('an event source', () => {
  test('gives the function SQS’s records, and deletes what succeeded', async () => {
    const records: SQSEvent['Records'] = [];
    consume(({ Records }) => {
      records.push(...Records);
      return succeeded({ batchItemFailures: [] });
    });
    await send('{"connection":"demo"}');
    await expect.poll(left, { timeout: 5_000 }).toBe(0);
    expect(records).toMatchObject([
      {
        messageId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        receiptHandle: expect.any(String),
        body: '{"connection":"demo"}',
        attributes: { ApproximateReceiveCount: '1', SentTimestamp: expect.stringMatching(/^\d{13}$/) },
        eventSource: 'aws:sqs',
        eventSourceARN: definition.queueArn,
        awsRegion: 'us-east-1',
      },
    ]);
  });

  test('leaves what the function threw on, and brings it again', async () => {
    const batches = consume(() =>
      batches.length === 1 ? { error: { errorType: 'Error', errorMessage: 'no' } } : succeeded(null),
    );
    await send('a');
    await expect.poll(() => batches, { timeout: 5_000 }).toEqual([['a'], ['a']]);
    await expect.poll(left).toBe(0);
  });

  test('leaves only those of a batch that the function reports', async () => {
    await send('good', 'bad');
    const batches = consume(({ Records }) => {
      const failed = batches.length === 1 ? Records.filter(({ body }) => body === 'bad') : [];
      return succeeded({ batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) });
    });
    await expect.poll(() => batches, { timeout: 5_000 }).toEqual([['good', 'bad'], ['bad']]);
  });

  test.each([
    ['an unknown message', { batchItemFailures: [{ itemIdentifier: 'unknown' }] }],
    ['an empty identifier', { batchItemFailures: [{ itemIdentifier: '' }] }],
    ['a misspelt member', { batchItemFailures: [{ id: 'x' }] }],
  ])('leaves the whole batch when the report names %s', async (_, result) => {
    await send('a', 'b');
    const batches = consume(() => succeeded(batches.length === 1 ? result : null));
    await expect
      .poll(() => batches, { timeout: 5_000 })
      .toEqual([
        ['a', 'b'],
        ['a', 'b'],
      ]);
  });

  test('takes no report from a function that is not asked for one', async () => {
    await send('a');
    consume(
      ({ Records }) =>
        succeeded({ batchItemFailures: Records.map(({ messageId }) => ({ itemIdentifier: messageId })) }),
      {
        reportsBatchItemFailures: false,
      },
    );
    await expect.poll(left, { timeout: 5_000 }).toBe(0);
  });

  test.each([
    ['the definition allows', 2, 8],
    ['there are environments', 8, 2],
  ])(
    'invokes at most as often at a time as %s, with batches of the size given',
    async (_, maximumConcurrency, concurrency) => {
      await send('1', '2', '3', '4');
      let running = 0;
      let most = 0;
      const gate = Promise.withResolvers<void>();
      const batches = consume(
        async () => {
          running += 1;
          most = Math.max(most, running);
          await gate.promise;
          running -= 1;
          return succeeded(null);
        },
        { batchSize: 1, maximumConcurrency },
        concurrency,
      );
      await expect.poll(() => running, { timeout: 5_000 }).toBe(2);
      gate.resolve();
      await expect.poll(left, { timeout: 5_000 }).toBe(0);
      expect(most).toBe(2);
      expect(batches.every(({ length }) => length === 1)).toBe(true);
    },
  );

  test('when closed takes nothing more, and waits for what it has', async () => {
    const taken = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const batches = consume(async () => {
      taken.resolve();
      await gate.promise;
      return succeeded(null);
    });
    await send('a');
    await taken.promise;
    const closed = closing.splice(0).map((close) => close());
    await send('b');
    gate.resolve();
    await Promise.all(closed);
    expect(batches).toEqual([['a']]);
    expect(await left()).toBe(1);
  });
});
