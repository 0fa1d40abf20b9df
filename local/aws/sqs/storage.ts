/** Queues and messages in SQLite. Every method belongs inside `atomically`. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { openTables } from '../storage.ts';

const definitions = `
  create table if not exists queue (
    name text primary key,
    attributes text not null,
    created_at integer not null
  ) strict;
  create table if not exists message (
    sequence integer primary key,
    queue text not null references queue,
    message_id text not null,
    body text not null,
    group_id text,
    sent_at integer not null,
    visible_at integer not null,
    receive_count integer not null default 0,
    first_received_at integer,
    received_at integer,
    receipt_handle text unique
  ) strict;
  create index if not exists message_visible on message (queue, visible_at);`;

/** A queue's attributes as SQS spells them; the values are text. */
export type QueueAttributes = Readonly<Record<string, string>>;

export interface MessageRow {
  readonly sequence: number;
  readonly message_id: string;
  readonly body: string;
  readonly group_id: string | null;
  readonly sent_at: number;
  readonly receive_count: number;
  readonly first_received_at: number;
  readonly receipt_handle: string;
}

/** A message that has not been deleted, and with what delay it was sent. */
export interface Sent {
  readonly body: string;
  readonly delaySeconds: number;
}

interface Counts {
  readonly visible: number;
  readonly inFlight: number;
  readonly delayed: number;
}

export const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

export class QueueStorage {
  readonly #database: DatabaseSync;
  readonly #now: () => number;

  constructor(database: DatabaseSync, now: () => number) {
    openTables(database, definitions);
    this.#database = database;
    this.#now = now;
  }

  /** Every message of every queue, in the order in which they were sent. */
  sent(): readonly Sent[] {
    const rows = this.#database
      .prepare('select body, visible_at - sent_at as delay from message order by sequence')
      .all();
    return rows.map(({ body, delay }) => ({ body: String(body), delaySeconds: Math.floor(Number(delay) / 1_000) }));
  }

  queue(name: string): { readonly attributes: QueueAttributes; readonly createdAt: number } | undefined {
    const row = this.#database.prepare('select attributes, created_at from queue where name = ?').get(name);
    return row && { attributes: JSON.parse(String(row.attributes)), createdAt: Number(row.created_at) };
  }

  /** Makes the queue, or gives it new attributes. */
  putQueue(name: string, attributes: QueueAttributes): void {
    const sql = 'insert into queue values (?, ?, ?) on conflict do update set attributes = excluded.attributes';
    this.#run(sql, name, JSON.stringify(attributes), this.#now());
  }

  /** Returns the message's id. */
  send(queue: string, body: string, delaySeconds: number, groupId: string | null, copies: number): string {
    const id = randomUUID();
    const now = this.#now();
    for (let copy = 0; copy < copies; copy += 1) {
      const sql =
        'insert into message (queue, message_id, body, group_id, sent_at, visible_at) values (?, ?, ?, ?, ?, ?)';
      this.#run(sql, queue, id, body, groupId, now, now + delaySeconds * 1000);
    }
    return id;
  }

  /** Forgets messages older than the queue keeps them. */
  expire(queue: string, retentionSeconds: number): void {
    this.#run('delete from message where queue = ? and sent_at <= ?', queue, this.#now() - retentionSeconds * 1000);
  }

  /**
   * Moves visible messages that were received as often as may be to the dead-letter queue; they keep their age and
   * count.
   */
  redrive(queue: string, maxReceiveCount: number, deadLetterQueue: string): void {
    const sql =
      'update message set queue = ?, receipt_handle = null where queue = ? and visible_at <= ? and receive_count >= ?';
    this.#run(sql, deadLetterQueue, queue, this.#now(), maxReceiveCount);
  }

  /** Receives up to `limit` visible messages and hides them. Each gets a new receipt handle; the one before is dead. */
  take(queue: string, limit: number, visibilitySeconds: number): MessageRow[] {
    const now = this.#now();
    const visible = this.#database.prepare(
      'select sequence from message where queue = ? and visible_at <= ? order by visible_at, sequence limit ?',
    );
    const take = this.#database.prepare(
      `update message set visible_at = ?, receipt_handle = ?, receive_count = receive_count + 1,
         first_received_at = coalesce(first_received_at, ?), received_at = ?
       where sequence = ? returning *`,
    );
    const taken = visible.all(queue, now, limit).map(({ sequence }) => {
      return take.get(
        now + visibilitySeconds * 1000,
        randomBytes(48).toString('base64url'),
        now,
        now,
        Number(sequence),
      );
    });
    return taken as unknown as MessageRow[];
  }

  /** Deletes the message last received under this handle, if it is still there. */
  delete(queue: string, receiptHandle: string): void {
    this.#run('delete from message where queue = ? and receipt_handle = ?', queue, receiptHandle);
  }

  /** When the message of this handle was last received, if it is still there. */
  receivedAt(queue: string, receiptHandle: string): number | undefined {
    const at = this.#database
      .prepare('select received_at from message where queue = ? and receipt_handle = ?')
      .get(queue, receiptHandle)?.received_at;
    return typeof at === 'number' ? at : undefined;
  }

  /** Hides a message in flight until then. A message that is visible again stays so. */
  hide(receiptHandle: string, until: number): void {
    this.#run(
      'update message set visible_at = ? where receipt_handle = ? and visible_at > ?',
      until,
      receiptHandle,
      this.#now(),
    );
  }

  /** In how many milliseconds a hidden message will be visible, if there is one. */
  nextVisibleInMs(queue: string): number | undefined {
    const at = this.#database.prepare('select min(visible_at) as at from message where queue = ?').get(queue)?.at;
    return typeof at === 'number' ? Math.max(0, at - this.#now()) : undefined;
  }

  counts(queue: string): Counts {
    const now = this.#now();
    const row = this.#database
      .prepare(
        `select count(*) filter (where visible_at <= ?) as visible,
                count(*) filter (where visible_at > ? and receipt_handle is not null) as inFlight,
                count(*) filter (where visible_at > ? and receipt_handle is null) as delayed
         from message where queue = ?`,
      )
      .get(now, now, now, queue);
    return row as unknown as Counts;
  }

  /** Returns the number of rows changed. */
  #run(sql: string, ...values: (string | number | null)[]): number {
    return Number(this.#database.prepare(sql).run(...values).changes);
  }
}
