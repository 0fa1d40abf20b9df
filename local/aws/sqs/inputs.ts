/**
 * What the operations of SQS take. Parameters that the local one does not support (FIFO queues, message attributes) are
 * refused, not ignored.
 * Limits: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
 */
import * as v from 'valibot';
import { ApiError, accept } from '../json-server.ts';
import type { QueueAttributes } from './storage.ts';

const maxMessageBytes = 1_048_576;
export const maxBatchBytes = maxMessageBytes;
/** Entries of a batch, and messages of one receive. */
const maxEntries = 10;

const queryCodes = {
  BatchEntryIdsNotDistinct: 'AWS.SimpleQueueService.BatchEntryIdsNotDistinct',
  BatchRequestTooLong: 'AWS.SimpleQueueService.BatchRequestTooLong',
  EmptyBatchRequest: 'AWS.SimpleQueueService.EmptyBatchRequest',
  InvalidAttributeName: 'InvalidAttributeName',
  InvalidAttributeValue: 'InvalidAttributeValue',
  InvalidBatchEntryId: 'AWS.SimpleQueueService.InvalidBatchEntryId',
  InvalidMessageContents: 'InvalidMessageContents',
  InvalidParameterValue: 'InvalidParameterValue',
  QueueDoesNotExist: 'AWS.SimpleQueueService.NonExistentQueue',
  QueueNameExists: 'QueueAlreadyExists',
  ReceiptHandleIsInvalid: 'ReceiptHandleIsInvalid',
  TooManyEntriesInBatchRequest: 'AWS.SimpleQueueService.TooManyEntriesInBatchRequest',
} as const;

/** An error of SQS, under both the names that its clients know it by. */
export const failure = (code: keyof typeof queryCodes, message: string): ApiError =>
  new ApiError(code, message, { queryCode: queryCodes[code] });

const integer = (least: number, most: number) => {
  const rule = `must be an integer >= ${least} and <= ${most}`;
  return v.pipe(v.number(rule), v.integer(rule), v.minValue(least, rule), v.maxValue(most, rule));
};
const integerText = (least: number, most: number) =>
  v.pipe(
    v.string(),
    v.check((text) => /^\d+$/.test(text), 'must be digits'),
    v.transform(Number),
    integer(least, most),
  );

const delaySeconds = v.optional(integer(0, 900));
const queueUrl = { QueueUrl: v.pipe(v.string(), v.nonEmpty()) };
const receiptHandle = { ReceiptHandle: v.string() };
const queueName = v.pipe(
  v.string(),
  v.regex(/^[\w-]{1,80}$/, 'must be 1 to 80 letters, digits, hyphens and underscores'),
);
const entries = <S extends v.GenericSchema>(entry: S) => v.strictObject({ ...queueUrl, Entries: v.array(entry) });
const message = {
  MessageBody: v.string(),
  DelaySeconds: v.optional(v.unknown()),
  MessageGroupId: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(128))),
};

export const inputs = {
  CreateQueue: v.strictObject({ QueueName: queueName, Attributes: v.optional(v.record(v.string(), v.string()), {}) }),
  GetQueueUrl: v.strictObject({ QueueName: queueName }),
  GetQueueAttributes: v.strictObject({ ...queueUrl, AttributeNames: v.optional(v.array(v.string()), []) }),
  SendMessage: v.strictObject({ ...queueUrl, ...message }),
  SendMessageBatch: entries(v.strictObject({ Id: v.string(), ...message })),
  ReceiveMessage: v.strictObject({
    ...queueUrl,
    MaxNumberOfMessages: v.optional(integer(1, maxEntries), 1),
    VisibilityTimeout: v.optional(integer(0, 43_200)),
    WaitTimeSeconds: v.optional(integer(0, 20)),
    AttributeNames: v.optional(v.array(v.string()), []),
    MessageSystemAttributeNames: v.optional(v.array(v.string()), []),
    MessageAttributeNames: v.optional(v.array(v.string())),
  }),
  DeleteMessage: v.strictObject({ ...queueUrl, ...receiptHandle }),
  DeleteMessageBatch: entries(v.strictObject({ Id: v.string(), ...receiptHandle })),
  ChangeMessageVisibility: v.strictObject({ ...queueUrl, ...receiptHandle, VisibilityTimeout: integer(0, 43_200) }),
};

export const defaultAttributes: QueueAttributes = {
  DelaySeconds: '0',
  MaximumMessageSize: String(maxMessageBytes),
  MessageRetentionPeriod: '345600',
  ReceiveMessageWaitTimeSeconds: '0',
  VisibilityTimeout: '30',
};

const attributes = v.object({
  DelaySeconds: integerText(0, 900),
  MaximumMessageSize: integerText(1024, maxMessageBytes),
  MessageRetentionPeriod: integerText(60, 1_209_600),
  ReceiveMessageWaitTimeSeconds: integerText(0, 20),
  VisibilityTimeout: integerText(0, 43_200),
  RedrivePolicy: v.optional(
    v.pipe(
      v.string(),
      v.parseJson(),
      v.object({ deadLetterTargetArn: v.string(), maxReceiveCount: v.union([integer(1, 1000), integerText(1, 1000)]) }),
    ),
  ),
  // Encryption and access: kept and told, without effect on one machine.
  KmsDataKeyReusePeriodSeconds: v.optional(v.string()),
  KmsMasterKeyId: v.optional(v.string()),
  Policy: v.optional(v.string()),
  RedriveAllowPolicy: v.optional(v.string()),
  SqsManagedSseEnabled: v.optional(v.string()),
});

export type Settings = v.InferOutput<typeof attributes>;

/** The attributes as numbers, defaults filled in. Throws `InvalidAttributeName` or `InvalidAttributeValue`. */
export function settingsOf(given: QueueAttributes): Settings {
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(attributes.entries, name));
  if (unknown !== undefined) throw failure('InvalidAttributeName', `Unknown Attribute ${unknown}.`);
  return accept(attributes, { ...defaultAttributes, ...given }, (text) => failure('InvalidAttributeValue', text));
}

const allowedCharacters = /^[\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]*$/u;

/** The delay of a message, or the error that its sender gets. */
export function checkMessage(body: string, delay: unknown, queue: Settings): number | ApiError {
  const delayed = v.safeParse(delaySeconds, delay);
  if (!delayed.success)
    return failure(
      'InvalidParameterValue',
      `Value ${String(delay)} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.`,
    );
  const bytes = Buffer.byteLength(body);
  if (bytes < 1 || bytes > queue.MaximumMessageSize) {
    return failure(
      'InvalidParameterValue',
      'One or more parameters are invalid. ' +
        `Reason: Message must have from 1 to ${queue.MaximumMessageSize} bytes; it has ${bytes}.`,
    );
  }
  if (!allowedCharacters.test(body))
    return failure('InvalidMessageContents', 'The message contains characters outside the allowed set.');
  return delayed.output ?? queue.DelaySeconds;
}

/** Throws unless a batch has 1 to 10 entries with well-formed, distinct ids. */
export function checkBatch(batch: readonly { readonly Id: string }[]): void {
  if (batch.length === 0) throw failure('EmptyBatchRequest', 'There should be at least one entry in the request.');
  if (batch.length > maxEntries)
    throw failure(
      'TooManyEntriesInBatchRequest',
      `Maximum number of entries per request are ${maxEntries}. You have sent ${batch.length}.`,
    );
  const malformed = batch.some(({ Id }) => !/^[\w-]{1,80}$/.test(Id));
  if (malformed)
    throw failure('InvalidBatchEntryId', 'A batch entry id has 1 to 80 letters, digits, hyphens and underscores.');
  if (new Set(batch.map(({ Id }) => Id)).size < batch.length)
    throw failure('BatchEntryIdsNotDistinct', 'Ids of a batch must be distinct.');
}
