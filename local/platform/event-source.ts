import { setTimeout as sleep } from 'node:timers/promises';
import { DeleteMessageBatchCommand, type Message, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { SQSRecord } from 'aws-lambda';
import * as v from 'valibot';
import { account } from './account.ts';
import type { EventSourceDefinition } from './deployment.ts';
import type { Lambda, Outcome } from './lambda.ts';

interface EventSourceOptions {
  readonly definition: EventSourceDefinition;
  readonly queueUrl: string;
  readonly sqs: SQSClient;
  readonly lambda: Pick<Lambda, 'invoke'>;
  /** Invocations of this source at the same time, if the definition allows that many. */
  readonly concurrency: number;
  /** The queue could not be reached; it is tried again after a second. */
  readonly onError: (error: unknown) => void;
}

/**
 * Polls a queue and invokes a function with what arrives, as Lambda's event source mapping does: messages are deleted
 * when the function returns; those that it reports as failed, or all if it throws, stay and reappear when their
 * visibility time-out ends. `close` stops polling and resolves when what was received has been dealt with.
 */
export function startEventSource(options: EventSourceOptions): { close(): Promise<void> } {
  const { definition, sqs, queueUrl, onError } = options;
  const stop = new AbortController();
  const running = new Set<Promise<void>>();
  const concurrency = Math.min(options.concurrency, definition.maximumConcurrency);

  async function poll(): Promise<void> {
    while (!stop.signal.aborted) {
      if (running.size >= concurrency) {
        await Promise.race(running);
        continue;
      }
      try {
        const batch = await receive();
        if (batch.length === 0) continue;
        const handled: Promise<void> = handle(batch, options)
          .catch(onError)
          .finally(() => running.delete(handled));
        running.add(handled);
      } catch (error) {
        if (stop.signal.aborted) return;
        onError(error);
        await sleep(1_000, undefined, { signal: stop.signal }).catch(() => {});
      }
    }
  }

  async function receive(): Promise<Message[]> {
    const command = new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: Math.min(definition.batchSize, 10),
      WaitTimeSeconds: 20,
      MessageSystemAttributeNames: ['All'],
    });
    const { Messages = [] } = await sqs.send(command, { abortSignal: stop.signal });
    return Messages;
  }

  const polling = poll();
  return {
    async close() {
      stop.abort();
      await polling;
      await Promise.all(running);
    },
  };
}

async function handle(
  messages: readonly Message[],
  { definition, sqs, queueUrl, lambda }: EventSourceOptions,
): Promise<void> {
  const records = messages.map((message) => recordOf(message, definition));
  const outcome = await lambda.invoke(definition.functionName, { Records: records });
  const failed = failedIds(outcome, definition, records);
  const done = records.filter(({ messageId }) => !failed.has(messageId));
  if (done.length === 0) return;
  const Entries = done.map(({ receiptHandle }, index) => ({ Id: String(index), ReceiptHandle: receiptHandle }));
  await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
}

function recordOf(message: Message, { queueArn }: EventSourceDefinition): SQSRecord {
  const { MessageId = '', ReceiptHandle = '', Body = '', MD5OfBody = '', Attributes = {} } = message;
  const {
    ApproximateReceiveCount = '1',
    SentTimestamp = '',
    SenderId = '',
    ApproximateFirstReceiveTimestamp = '',
    ...others
  } = Attributes;
  return {
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    body: Body,
    md5OfBody: MD5OfBody,
    attributes: { ...others, ApproximateReceiveCount, SentTimestamp, SenderId, ApproximateFirstReceiveTimestamp },
    messageAttributes: {},
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn,
    awsRegion: account.region,
  };
}

const BatchResponse = v.object({
  batchItemFailures: v.nullish(v.array(v.object({ itemIdentifier: v.pipe(v.string(), v.nonEmpty()) })), []),
});

/**
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html: a report that cannot be understood
 * fails the whole batch.
 */
function failedIds(
  outcome: Outcome,
  definition: EventSourceDefinition,
  records: readonly SQSRecord[],
): ReadonlySet<string> {
  const all = new Set(records.map(({ messageId }) => messageId));
  if ('error' in outcome) return all;
  if (!definition.reportsBatchItemFailures) return new Set();
  const response = v.safeParse(v.nullish(BatchResponse, {}), JSON.parse(outcome.payload));
  if (!response.success) return all;
  const failed = new Set(response.output.batchItemFailures?.map(({ itemIdentifier }) => itemIdentifier));
  return [...failed].every((id) => all.has(id)) ? failed : all;
}
