import { DatabaseSync } from 'node:sqlite';
import { type EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type DeliveredEvent, type EventBridge, startEventBridge } from '../../../local/aws/eventbridge/eventbridge.ts';
import { eventsClient } from './worlds.ts';

const clock = 1_800_000_000_999;
let database: DatabaseSync;
let heard: DeliveredEvent[];
let endpoint: EventBridge;
let client: EventBridgeClient;

beforeEach(async () => {
  database = new DatabaseSync(':memory:');
  heard = [];
  endpoint = await startEventBridge({ database, now: () => clock, onEvent: (event) => heard.push(event) });
  client = eventsClient(endpoint.url);
});
afterEach(async () => {
  client.destroy();
  await endpoint.close();
  database.close();
});

const put = (...Entries: PutEventsRequestEntry[]) => client.send(new PutEventsCommand({ Entries }));
const entry = { Source: 'token-broker', DetailType: 'Test', Detail: '{"n":1}' };

test('an event is kept as a rule’s target would get it', async () => {
  const { Entries } = await put({ ...entry, Resources: ['arn:aws:x:::y'] });
  expect(endpoint.events('default')).toEqual([
    {
      version: '0',
      id: Entries?.[0]?.EventId,
      'detail-type': 'Test',
      source: 'token-broker',
      account: '000000000000',
      time: '2027-01-15T08:00:00Z',
      region: 'us-east-1',
      resources: ['arn:aws:x:::y'],
      detail: { n: 1 },
    },
  ]);
});

test('an event has the time that it was given', async () => {
  await put({ ...entry, Time: new Date('2026-11-22T12:00:00.750Z') });
  expect(endpoint.events('default')).toMatchObject([{ time: '2026-11-22T12:00:00Z' }]);
});

test('each bus has its own events, by its name or its ARN', async () => {
  endpoint.createEventBus('broker');
  await put(
    entry,
    { ...entry, EventBusName: 'broker' },
    { ...entry, EventBusName: 'arn:aws:events:us-east-1:000000000000:event-bus/broker' },
  );
  expect([endpoint.events('default').length, endpoint.events('broker').length]).toEqual([1, 2]);
});

test('making a bus again keeps its events', async () => {
  endpoint.createEventBus('broker');
  await put({ ...entry, EventBusName: 'broker' });
  endpoint.createEventBus('broker');
  expect(endpoint.events('broker')).toHaveLength(1);
});

test('who listens hears of the events that were kept, and of no others', async () => {
  await put({ ...entry, Detail: 'no JSON' }, entry, { ...entry, EventBusName: 'none' });
  expect(heard).toEqual(endpoint.events('default'));
  expect(heard).toHaveLength(1);
});

test('what is not supported is refused, and every fault is named', async () => {
  const given = { ...entry, EventBusName: 'two words', TraceHeader: 'Root=1' };
  await expect(put(given)).rejects.toMatchObject({
    name: 'ValidationException',
    message: expect.stringMatching(/EventBusName.*TraceHeader/),
  });
});

test('a throttled event is refused and not kept', async () => {
  endpoint.faults.throttled = true;
  expect(await put(entry, entry)).toMatchObject({
    FailedEntryCount: 2,
    Entries: [{ ErrorCode: 'ThrottlingException' }, {}],
  });
  expect(endpoint.events('default')).toEqual([]);
});

test('a service that is down breaks the connection and takes nothing', async () => {
  endpoint.faults.down = true;
  await expect(put(entry)).rejects.toMatchObject({ code: 'ECONNRESET' });
  endpoint.faults.down = false;
  expect(endpoint.events('default')).toEqual([]);
});
