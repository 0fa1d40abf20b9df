/**
 * What queues do, apart from how it is asked for. Each step is one transaction; only the waiting of a long poll is
 * outside.
 */
import { EventEmitter, once } from 'node:events';
import type { DatabaseSync } from 'node:sqlite';
import { arnOf } from '../../platform/account.ts';
import { ApiError } from '../json-server.ts';
import { atomically } from '../storage.ts';
import { checkMessage, defaultAttributes, failure, type Settings, settingsOf } from './inputs.ts';
import { type MessageRow, type QueueAttributes, QueueStorage, type Sent } from './storage.ts';

export interface SqsFaults {
  /** Connections break without an answer. */
  down: boolean;
  /** Every message sent is stored twice under one id, and so delivered twice, as a standard queue may do. */
  duplicate: boolean;
}

interface OutgoingMessage {
  readonly MessageBody: string;
  readonly DelaySeconds?: unknown;
  readonly MessageGroupId?: string | undefined;
}

const maxHiddenMs = 43_200_000;

export const queueArn = (name: string): string => arnOf('sqs', name);

export class Queues {
  readonly #database: DatabaseSync;
  readonly #storage: QueueStorage;
  readonly #now: () => number;
  readonly #faults: SqsFaults;
  /** Tells long polls, by the queue's name, that it is worth looking. */
  readonly #arrivals = new EventEmitter().setMaxListeners(0);

  constructor(database: DatabaseSync, now: () => number, faults: SqsFaults) {
    this.#database = database;
    this.#storage = new QueueStorage(database, now);
    this.#now = now;
    this.#faults = faults;
  }

  /** Every message that was sent and not deleted, in order. */
  sent(): readonly Sent[] {
    return atomically(this.#database, () => this.#storage.sent());
  }

  /** Makes the queue, or gives it these attributes, as a deployment does. */
  deploy(name: string, attributes: QueueAttributes): void {
    atomically(this.#database, () => {
      const target = settingsOf(attributes).RedrivePolicy?.deadLetterTargetArn;
      if (target !== undefined && this.#storage.queue(nameIn(target)) === undefined) {
        throw failure(
          'InvalidParameterValue',
          `RedrivePolicy names the dead-letter queue ${target}, which does not exist.`,
        );
      }
      this.#storage.putQueue(name, attributes);
    });
  }

  /** Makes the queue; for one that exists, only checks that these attributes are its own. */
  create(name: string, attributes: QueueAttributes): void {
    const existing = this.#storage.queue(name)?.attributes;
    if (existing === undefined) {
      this.deploy(name, attributes);
      return;
    }
    const all = { ...defaultAttributes, ...existing };
    const other = Object.keys(attributes).find((key) => attributes[key] !== all[key]);
    if (other !== undefined)
      throw failure(
        'QueueNameExists',
        `A queue already exists with the same name and a different value for attribute ${other}.`,
      );
  }

  /** Every attribute as text, the counts of messages among them. */
  describe(name: string): Record<string, string> {
    return atomically(this.#database, () => {
      const { attributes, createdAt } = this.#queue(name);
      this.#clear(name, settingsOf(attributes));
      const { visible, inFlight, delayed } = this.#storage.counts(name);
      return {
        ...defaultAttributes,
        ...attributes,
        QueueArn: queueArn(name),
        CreatedTimestamp: String(Math.floor(createdAt / 1000)),
        ApproximateNumberOfMessages: String(visible),
        ApproximateNumberOfMessagesNotVisible: String(inFlight),
        ApproximateNumberOfMessagesDelayed: String(delayed),
      };
    });
  }

  /** Stores the messages that are in order. Returns, for each, its id or what is wrong with it. */
  send(name: string, messages: readonly OutgoingMessage[]): (string | ApiError)[] {
    const sent = atomically(this.#database, () => {
      const settings = settingsOf(this.#queue(name).attributes);
      return messages.map(({ MessageBody, DelaySeconds, MessageGroupId }) => {
        const delay = checkMessage(MessageBody, DelaySeconds, settings);
        if (delay instanceof ApiError) return delay;
        return this.#storage.send(name, MessageBody, delay, MessageGroupId ?? null, this.#faults.duplicate ? 2 : 1);
      });
    });
    this.#arrivals.emit(name);
    return sent;
  }

  /**
   * Receives up to `limit` messages; if there is no message, waits for one until the time is over or the client has
   * `gone`.
   */
  async receive(
    name: string,
    ask: { limit: number; visibilitySeconds?: number | undefined; waitSeconds?: number | undefined },
    gone: AbortSignal,
  ) {
    const settings = settingsOf(this.#queue(name).attributes);
    const over = AbortSignal.any([
      gone,
      AbortSignal.timeout((ask.waitSeconds ?? settings.ReceiveMessageWaitTimeSeconds) * 1000),
    ]);
    while (!gone.aborted) {
      const taken = this.#take(name, settings, ask.limit, ask.visibilitySeconds ?? settings.VisibilityTimeout);
      if (taken.length > 0 || over.aborted) return taken;
      await this.#news(name, over);
    }
    return [];
  }

  /** Deletes the message received under this handle. An outdated handle deletes nothing. */
  delete(name: string, receiptHandle: string): void {
    atomically(this.#database, () => {
      this.#queue(name);
      this.#storage.delete(name, wellFormed(receiptHandle));
    });
  }

  /** Hides a message in flight for so long from now; altogether it can be hidden for 12 hours after it was received. */
  changeVisibility(name: string, receiptHandle: string, seconds: number): void {
    const refuse = (reason: string) =>
      failure(
        'InvalidParameterValue',
        `Value ${seconds} for parameter VisibilityTimeout is invalid. Reason: ${reason}`,
      );
    atomically(this.#database, () => {
      this.#queue(name);
      const receivedAt = this.#storage.receivedAt(name, wellFormed(receiptHandle));
      if (receivedAt === undefined)
        throw refuse('Message does not exist or is not available for visibility timeout change.');
      const until = this.#now() + seconds * 1000;
      if (until > receivedAt + maxHiddenMs)
        throw refuse('Total VisibilityTimeout for the message is beyond the limit [43200 seconds].');
      this.#storage.hide(receiptHandle, until);
    });
    this.#arrivals.emit(name);
  }

  #queue(name: string): { attributes: QueueAttributes; createdAt: number } {
    const queue = this.#storage.queue(name);
    if (queue === undefined) throw failure('QueueDoesNotExist', 'The specified queue does not exist.');
    return queue;
  }

  /** Removes messages that are too old, and moves those received too often. */
  #clear(name: string, settings: Settings): void {
    this.#storage.expire(name, settings.MessageRetentionPeriod);
    if (settings.RedrivePolicy === undefined) return;
    const deadLetterQueue = nameIn(settings.RedrivePolicy.deadLetterTargetArn);
    this.#storage.redrive(name, settings.RedrivePolicy.maxReceiveCount, deadLetterQueue);
    this.#arrivals.emit(deadLetterQueue);
  }

  #take(name: string, settings: Settings, limit: number, visibilitySeconds: number): MessageRow[] {
    return atomically(this.#database, () => {
      this.#clear(name, settings);
      return this.#storage.take(name, limit, visibilitySeconds);
    });
  }

  /** Resolves when a message may have become visible, or when `over` aborts. */
  async #news(name: string, over: AbortSignal): Promise<void> {
    const dueMs = this.#storage.nextVisibleInMs(name);
    const until = dueMs === undefined ? over : AbortSignal.any([over, AbortSignal.timeout(dueMs)]);
    await once(this.#arrivals, name, { signal: until }).catch(() => undefined);
  }
}

/** The queue's name, which ends both its URL and its ARN. */
export const nameIn = (urlOrArn: string): string =>
  urlOrArn.slice(Math.max(urlOrArn.lastIndexOf('/'), urlOrArn.lastIndexOf(':')) + 1);

function wellFormed(receiptHandle: string): string {
  if (/^[\w-]{64}$/.test(receiptHandle)) return receiptHandle;
  throw failure('ReceiptHandleIsInvalid', 'The input receipt handle is invalid.');
}
