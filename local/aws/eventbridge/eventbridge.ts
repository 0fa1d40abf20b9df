/**
 * Amazon EventBridge for the local broker: event buses that keep what is put on them, behind AWS's protocol. Rules have
 * no effect.
 * API: https://docs.aws.amazon.com/eventbridge/latest/APIReference/
 */
import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { account } from '../../platform/account.ts';
import type { Endpoint } from '../../platform/loopback.ts';
import { ApiError, accept, serveJson } from '../json-server.ts';
import { atomically, openTables } from '../storage.ts';
import { checkSize, type EventEntry, faultOf, maxRequestBytes, PutEvents } from './inputs.ts';

const definitions = `
  create table if not exists event_bus (
    name text primary key
  ) strict;
  create table if not exists event (
    sequence integer primary key,
    event_bus text not null references event_bus,
    event text not null
  ) strict;`;

/** An event as a rule's target gets it. */
export interface DeliveredEvent {
  readonly version: '0';
  readonly id: string;
  readonly 'detail-type': string;
  readonly source: string;
  readonly account: string;
  /** ISO 8601, to the second. */
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
}

interface EventBridgeFaults {
  /** Connections break without an answer. */
  down: boolean;
  /** Every entry is refused, in an answer that is a success. */
  throttled: boolean;
}

export interface EventBridge extends Endpoint {
  /** Makes the bus, or leaves it as it is. There is one called `default` from the start. */
  createEventBus(name: string): void;
  /** What was put on the bus, in order. */
  events(eventBusName: string): readonly DeliveredEvent[];
  /** May be changed while it runs. */
  readonly faults: EventBridgeFaults;
}

/**
 * Starts it on a free port of the loopback interface. What it keeps is in `database`, which the caller opens and
 * closes. `onEvent` hears of each event once it is kept.
 */
export async function startEventBridge(options: {
  database: DatabaseSync;
  now?: () => number;
  onEvent?: (event: DeliveredEvent) => void;
}): Promise<EventBridge> {
  const { database, now = Date.now, onEvent } = options;
  const faults: EventBridgeFaults = { down: false, throttled: false };
  openTables(database, definitions);
  const createEventBus = (name: string): void =>
    void database.prepare('insert or ignore into event_bus values (?)').run(name);
  createEventBus('default');

  /** AWS takes an event for a bus that does not exist, and drops it. */
  function keep(event: DeliveredEvent, eventBusName: string): boolean {
    const sql = 'insert into event (event_bus, event) select name, ? from event_bus where name = ?';
    return database.prepare(sql).run(JSON.stringify(event), nameIn(eventBusName)).changes === 1;
  }

  function putEvents(input: unknown): object {
    const { Entries } = accept(PutEvents, input, (message) => new ApiError('ValidationException', message));
    checkSize(Entries);
    const kept: DeliveredEvent[] = [];
    const results = atomically(database, () =>
      Entries.map((entry) => {
        const fault = faults.throttled ? new ApiError('ThrottlingException', 'Rate exceeded.') : faultOf(entry);
        if (fault !== undefined) return { ErrorCode: fault.code, ErrorMessage: fault.message };
        const event = eventOf(entry, now());
        if (keep(event, entry.EventBusName)) kept.push(event);
        return { EventId: event.id };
      }),
    );
    for (const event of kept) onEvent?.(event);
    return { FailedEntryCount: results.filter((result) => 'ErrorCode' in result).length, Entries: results };
  }

  const endpoint = await serveJson({
    target: 'AWSEvents',
    version: '1.1',
    // Text of 1 MiB grows up to six times when it is written as JSON.
    maxBodyBytes: 7 * maxRequestBytes,
    operations: { PutEvents: putEvents },
    faults,
  });
  const events = (eventBusName: string): DeliveredEvent[] => {
    const rows = database.prepare('select event from event where event_bus = ? order by sequence').all(eventBusName);
    return rows.map(({ event }) => JSON.parse(String(event)));
  };
  return { ...endpoint, createEventBus, events, faults };
}

const eventOf = ({ DetailType, Source, Time, Resources, Detail }: EventEntry, now: number): DeliveredEvent => ({
  version: '0',
  id: randomUUID(),
  'detail-type': DetailType,
  source: Source,
  account: account.accountId,
  time: new Date(Time === undefined ? now : Time * 1_000).toISOString().replace(/\.\d{3}Z$/, 'Z'),
  region: account.region,
  resources: Resources,
  detail: JSON.parse(Detail),
});

/** The name of a bus, which ends its ARN. */
const nameIn = (nameOrArn: string): string => nameOrArn.replace(/^arn:.*:event-bus\//, '');
