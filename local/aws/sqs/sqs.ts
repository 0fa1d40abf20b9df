/**
 * Amazon SQS for the local broker: standard queues with delays, visibility time-outs, long polling and redrive, behind
 * AWS's protocol.
 * API: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/
 */
import type { DatabaseSync } from 'node:sqlite';
import type * as v from 'valibot';
import { account } from '../../platform/account.ts';
import type { Endpoint } from '../../platform/loopback.ts';
import { ApiError, accept, type Operation, serveJson } from '../json-server.ts';
import { checkBatch, failure, inputs, maxBatchBytes } from './inputs.ts';
import { nameIn, Queues, type SqsFaults } from './queues.ts';
import { type MessageRow, md5, type QueueAttributes, type Sent } from './storage.ts';

export { queueArn } from './queues.ts';

export interface Sqs extends Endpoint {
  /** Deploys a queue: makes it, or gives it these attributes (SQS's names, values as text). Returns its URL. */
  createQueue(name: string, attributes?: QueueAttributes): string;
  /** Every message that was sent and not deleted, in order. */
  sent(): readonly Sent[];
  /** May be changed while it runs. */
  readonly faults: SqsFaults;
}

/**
 * Starts it on a free port of the loopback interface. What it keeps is in `database`, which the caller opens and
 * closes.
 */
export async function startSqs(options: { database: DatabaseSync; now?: () => number }): Promise<Sqs> {
  const faults: SqsFaults = { down: false, duplicate: false };
  const queues = new Queues(options.database, options.now ?? Date.now, faults);
  // A body of 1 MiB grows up to twice when it is written as JSON.
  const maxBodyBytes = 2.1 * maxBatchBytes;
  const endpoint = await serveJson({
    target: 'AmazonSQS',
    version: '1.0',
    maxBodyBytes,
    operations: operationsOn(queues, (name) => urlOf(name)),
    faults,
  });
  // Clients take the host of a queue's URL for the service's, so it is this server's.
  const urlOf = (name: string): string => `${endpoint.url}/${account.accountId}/${name}`;
  const createQueue = (name: string, attributes: QueueAttributes = {}): string => {
    queues.deploy(name, attributes);
    return urlOf(name);
  };
  return { ...endpoint, faults, createQueue, sent: () => queues.sent() };
}

function operation<S extends v.GenericSchema>(
  schema: S,
  perform: (input: v.InferOutput<S>, gone: AbortSignal) => object | Promise<object>,
): Operation {
  return (input, gone) =>
    perform(
      accept(schema, input, (message) => failure('InvalidParameterValue', message)),
      gone,
    );
}

const batchTooLong = (bytes: number): Error =>
  failure(
    'BatchRequestTooLong',
    `Batch requests cannot be longer than ${maxBatchBytes} bytes. You have sent ${bytes} bytes.`,
  );

function operationsOn(queues: Queues, urlOf: (name: string) => string): Record<string, Operation> {
  return {
    CreateQueue: operation(inputs.CreateQueue, ({ QueueName, Attributes }) => {
      queues.create(QueueName, Attributes);
      return { QueueUrl: urlOf(QueueName) };
    }),

    GetQueueUrl: operation(inputs.GetQueueUrl, ({ QueueName }) => {
      queues.describe(QueueName);
      return { QueueUrl: urlOf(QueueName) };
    }),

    GetQueueAttributes: operation(inputs.GetQueueAttributes, ({ QueueUrl, AttributeNames }) => ({
      Attributes: chosen(queues.describe(nameIn(QueueUrl)), AttributeNames),
    })),

    SendMessage: operation(inputs.SendMessage, ({ QueueUrl, ...message }) => {
      const [sent] = queues.send(nameIn(QueueUrl), [message]);
      if (typeof sent !== 'string') throw sent;
      return { MessageId: sent, MD5OfMessageBody: md5(message.MessageBody) };
    }),

    SendMessageBatch: operation(inputs.SendMessageBatch, ({ QueueUrl, Entries }) => {
      checkBatch(Entries);
      const bytes = Entries.reduce((sum, { MessageBody }) => sum + Buffer.byteLength(MessageBody), 0);
      if (bytes > maxBatchBytes) throw batchTooLong(bytes);
      const sent = queues.send(nameIn(QueueUrl), Entries);
      return inTwo(Entries, (entry, index) => {
        const id = sent[index];
        if (typeof id !== 'string') throw id;
        return { MessageId: id, MD5OfMessageBody: md5(entry.MessageBody) };
      });
    }),

    ReceiveMessage: operation(inputs.ReceiveMessage, async (input, gone) => {
      const ask = {
        limit: input.MaxNumberOfMessages,
        visibilitySeconds: input.VisibilityTimeout,
        waitSeconds: input.WaitTimeSeconds,
      };
      const taken = await queues.receive(nameIn(input.QueueUrl), ask, gone);
      const names = [...input.AttributeNames, ...input.MessageSystemAttributeNames];
      return taken.length === 0 ? {} : { Messages: taken.map((row) => received(row, names)) };
    }),

    DeleteMessage: operation(inputs.DeleteMessage, ({ QueueUrl, ReceiptHandle }) => {
      queues.delete(nameIn(QueueUrl), ReceiptHandle);
      return {};
    }),

    DeleteMessageBatch: operation(inputs.DeleteMessageBatch, ({ QueueUrl, Entries }) => {
      checkBatch(Entries);
      return inTwo(Entries, ({ ReceiptHandle }) => {
        queues.delete(nameIn(QueueUrl), ReceiptHandle);
        return {};
      });
    }),

    ChangeMessageVisibility: operation(
      inputs.ChangeMessageVisibility,
      ({ QueueUrl, ReceiptHandle, VisibilityTimeout }) => {
        queues.changeVisibility(nameIn(QueueUrl), ReceiptHandle, VisibilityTimeout);
        return {};
      },
    ),
  };
}

/** The answer to a batch: what succeeded and what failed, entry by entry. */
function inTwo<E extends { readonly Id: string }>(
  entries: readonly E[],
  perform: (entry: E, index: number) => object,
): object {
  const Successful: object[] = [];
  const Failed: object[] = [];
  for (const [index, entry] of entries.entries()) {
    try {
      Successful.push({ Id: entry.Id, ...perform(entry, index) });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      Failed.push({ Id: entry.Id, SenderFault: true, Code: error.code, Message: error.message });
    }
  }
  return { Successful, Failed };
}

function chosen(all: Record<string, string>, names: readonly string[]): Record<string, string> {
  if (names.includes('All')) return all;
  return Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name)));
}

function received(row: MessageRow, names: readonly string[]): object {
  const attributes = {
    SenderId: account.accountId,
    SentTimestamp: String(row.sent_at),
    ApproximateReceiveCount: String(row.receive_count),
    ApproximateFirstReceiveTimestamp: String(row.first_received_at),
    ...(row.group_id === null ? {} : { MessageGroupId: row.group_id }),
  };
  return {
    MessageId: row.message_id,
    ReceiptHandle: row.receipt_handle,
    Body: row.body,
    MD5OfBody: md5(row.body),
    Attributes: chosen(attributes, names),
  };
}
