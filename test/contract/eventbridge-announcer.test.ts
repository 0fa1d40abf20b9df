import { DatabaseSync } from 'node:sqlite';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type EventBridge, startEventBridge } from '../../local/aws/eventbridge/eventbridge.ts';
import { eventBridgeAnnouncer } from '../../shared/adapters/aws/eventbridge-announcer.ts';
import type { Announcement } from '../../shared/domain/announcement.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import type { Announcer } from '../../shared/ports/announcer.ts';
import { Unavailable } from '../../shared/ports/errors.ts';
import { at, localClient, now } from './worlds.ts';

const announcement: Announcement = {
  id: '00000000-0000-4000-8000-00000000000a',
  change: 'authorized',
  connection: 'exact-nl' as ConnectionName,
  provider: 'exact-online',
  at: at(250),
};

let database: DatabaseSync;
let eventBridge: EventBridge;
let client: EventBridgeClient;
let announcer: Announcer;

beforeEach(async () => {
  database = new DatabaseSync(':memory:');
  eventBridge = await startEventBridge({ database, now: () => at(60_000) });
  eventBridge.createEventBus('broker');
  client = new EventBridgeClient(localClient(eventBridge.url));
  announcer = eventBridgeAnnouncer(client, { eventBusName: 'broker', source: 'token-broker' });
});
afterEach(async () => {
  client.destroy();
  await eventBridge.close();
  database.close();
});

test('a change is an event on the bus, of the time at which it happened', async () => {
  await announcer.announce(announcement);
  expect(eventBridge.events('broker')).toMatchObject([
    {
      source: 'token-broker',
      'detail-type': 'Connection State Changed',
      time: new Date(now).toISOString().replace('.000Z', 'Z'),
      detail: {
        version: 1,
        id: announcement.id,
        change: 'authorized',
        connection: 'exact-nl',
        provider: 'exact-online',
        at: new Date(announcement.at).toISOString(),
      },
    },
  ]);
});

test.each<[Partial<Announcement>, object]>([
  [{}, {}],
  [
    { change: 'reauthorization_required', cause: 'refresh_in_doubt' },
    { change: 'reauthorization_required', cause: 'refresh_in_doubt' },
  ],
  [
    { change: 'reauthorization_due', grantEndsAt: at(86_400_000) },
    { change: 'reauthorization_due', grant_ends_at: new Date(at(86_400_000)).toISOString() },
  ],
  [
    { change: 'client_secret_ends_soon', secretEndsAt: at(86_400_000) },
    { change: 'client_secret_ends_soon', client_secret_expires_at: new Date(at(86_400_000)).toISOString() },
  ],
])('%j has these fields and no others', async (more, fields) => {
  const { id, change, connection, provider, at: instant } = announcement;
  await announcer.announce({ ...announcement, ...more });
  const [event] = eventBridge.events('broker');
  expect(event?.detail).toEqual({
    version: 1,
    id,
    change,
    connection,
    provider,
    at: new Date(instant).toISOString(),
    ...fields,
  });
});

test('what is no field of an announcement does not get into the event', async () => {
  const item = {
    ...announcement,
    accessToken: 'secret-1',
    refreshToken: { sealed: 'secret-2' },
    config: { settings: { password: 'secret-3' } },
  };
  await announcer.announce(item);
  expect(eventBridge.events('broker')).toHaveLength(1);
  expect(JSON.stringify(eventBridge.events('broker'))).not.toContain('secret-');
});

test('announced again, it has the same id in its detail', async () => {
  await announcer.announce(announcement);
  await announcer.announce(announcement);
  const events = eventBridge.events('broker');
  expect(events.map(({ detail }) => detail.id)).toEqual([announcement.id, announcement.id]);
  expect(new Set(events.map(({ id }) => id)).size).toBe(2);
});

test('an event that EventBridge refuses in an answer that is a success is unavailable, and why', async () => {
  eventBridge.faults.throttled = true;
  const error = await announcer.announce(announcement).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Unavailable);
  expect(error).toMatchObject({
    message: 'events unavailable',
    cause: { message: 'RefusedEvent, ThrottlingException' },
  });
  expect(eventBridge.events('broker')).toEqual([]);
});

test('out of reach it is unavailable', async () => {
  eventBridge.faults.down = true;
  await expect(announcer.announce(announcement)).rejects.toBeInstanceOf(Unavailable);
});
