/** The refresh queue in SQS (standard): a message's delay is the timer. */
import { SendMessageBatchCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import * as v from 'valibot';
import { type ConnectionName, parseConnectionName } from '../../domain/connection-name.ts';
import { limits } from '../../domain/limits.ts';
import type { RefreshQueue } from '../../ports/queue.ts';
import { someAtOnce } from './some-at-once.ts';
import { unavailable } from './unavailable.ts';

/** What SQS takes in one call. */
const batchSize = 10;

type Message = Parameters<RefreshQueue['sendAll']>[0][number];

const Body = v.pipe(v.string(), v.parseJson(), v.object({ connection: v.string() }));

/**
 * Returns the connection that a message asks to look at. Throws if the broker did not write the body; the error does
 * not quote it.
 */
export function parseMessage(body: string): ConnectionName {
  const parsed = v.safeParse(Body, body);
  const connection = parsed.success ? parseConnectionName(parsed.output.connection) : undefined;
  if (connection === undefined) throw new Error('the message body is not {"connection": name}: nothing is refreshed');
  return connection;
}

const bodyOf = (connection: ConnectionName): string => JSON.stringify({ connection });

/** Whole seconds, rounded up, since a message must not come early. */
const delaySeconds = (delayMs: number): number =>
  Math.ceil(Math.min(Math.max(delayMs, 0), limits.messageDelayMaxMs) / 1_000);

export function sqsQueue(client: SQSClient, queueUrl: string): RefreshQueue {
  /** Returns the messages that SQS did not take. */
  async function sendBatch(messages: readonly Message[]): Promise<Message[]> {
    const { Failed = [] } = await client.send(
      new SendMessageBatchCommand({
        QueueUrl: queueUrl,
        Entries: messages.map(({ connection, delayMs }, i) => ({
          Id: String(i),
          MessageBody: bodyOf(connection),
          DelaySeconds: delaySeconds(delayMs),
        })),
      }),
    );
    return Failed.flatMap(({ Id }) => messages[Number(Id)] ?? []);
  }

  async function sendBatches(messages: readonly Message[]): Promise<Message[]> {
    const batches = Array.from({ length: Math.ceil(messages.length / batchSize) }, (_, i) =>
      messages.slice(i * batchSize, (i + 1) * batchSize),
    );
    const refused: Message[] = [];
    await someAtOnce(batches, limits.batchesAtOnce, async (batch) => {
      refused.push(...(await sendBatch(batch)));
    });
    return refused;
  }

  return {
    async send(connection, delayMs) {
      try {
        await client.send(
          new SendMessageCommand({
            QueueUrl: queueUrl,
            MessageBody: bodyOf(connection),
            DelaySeconds: delaySeconds(delayMs),
          }),
        );
      } catch (error) {
        throw unavailable('queue', error);
      }
    },

    async sendAll(messages) {
      try {
        const refused = await sendBatches(await sendBatches(messages));
        if (refused.length > 0)
          throw new RefusedMessages(`${refused.length} of ${messages.length} messages refused twice`);
      } catch (error) {
        throw unavailable('queue', error);
      }
    },
  };
}

class RefusedMessages extends Error {
  override readonly name = 'RefusedMessages';
}
