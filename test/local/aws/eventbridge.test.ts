import { type EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventsClient, type Started, worlds } from './worlds.ts';

const maxBytes = 1_048_576;
const entry = { Source: 'token-broker', DetailType: 'Test', Detail: '{"naam":"Zoë"}' };

for (const world of worlds) {
  describe.skipIf(world.missing)(`EventBridge ${world.title}`, () => {
    let started: Started;
    let client: EventBridgeClient;
    beforeAll(async () => {
      started = await world.start();
      client = eventsClient(started.eventBridge);
    }, 30_000);
    afterAll(async () => {
      client?.destroy();
      await started?.stop();
    });

    const put = (...Entries: PutEventsRequestEntry[]) => client.send(new PutEventsCommand({ Entries }));
    const taken = { EventId: expect.stringMatching(/^[0-9a-f-]{36}$/) };

    test('each event that is taken gets an id of its own', async () => {
      const { FailedEntryCount, Entries = [] } = await put(entry, {
        ...entry,
        Time: new Date(0),
        Resources: ['arn:aws:x:::y'],
        EventBusName: 'default',
      });
      expect({ FailedEntryCount, Entries }).toEqual({ FailedEntryCount: 0, Entries: [taken, taken] });
      expect(Entries[0]?.EventId).not.toBe(Entries[1]?.EventId);
    });

    test.each(['Source', 'DetailType', 'Detail'] as const)(
      'without %s an event is refused, in an answer that is a success',
      async (name) => {
        const { [name]: _, ...incomplete } = entry;
        for (const refused of [incomplete, { ...entry, [name]: '' }]) {
          const { $metadata, FailedEntryCount, Entries } = await put(refused);
          expect({ status: $metadata.httpStatusCode, FailedEntryCount, Entries }).toEqual({
            status: 200,
            FailedEntryCount: 1,
            Entries: [
              {
                ErrorCode: 'InvalidArgument',
                ErrorMessage: `Parameter ${name} is not valid. Reason: ${name} is a required argument.`,
              },
            ],
          });
        }
      },
    );

    test('of several events, those in order are taken, and each has the answer in its place', async () => {
      const { FailedEntryCount, Entries } = await put(entry, { ...entry, Detail: 'no JSON' }, entry);
      expect(FailedEntryCount).toBe(1);
      expect(Entries).toEqual([taken, { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' }, taken]);
    });

    world.testWrongInMoto('a detail is an object, not any JSON', async () => {
      expect(await put({ ...entry, Detail: '["a"]' })).toMatchObject({
        FailedEntryCount: 1,
        Entries: [{ ErrorCode: 'MalformedDetail' }],
      });
    });

    test('ten events go into one request, eleven do not', async () => {
      const entries = (length: number) => Array.from({ length }, () => entry);
      expect(await put(...entries(10))).toMatchObject({ FailedEntryCount: 0 });
      await expect(put(...entries(11))).rejects.toMatchObject({ name: 'ValidationException' });
    });

    world.testWrongInMoto('a request has at least one event', async () => {
      await expect(put()).rejects.toMatchObject({ name: 'ValidationException' });
    });

    describe('a request has less than 1 MiB', () => {
      /** An event that counts for so many bytes. */
      const sized = (bytes: number): PutEventsRequestEntry => {
        const frame = Buffer.byteLength(`${entry.Source}${entry.DetailType}{"x":""}`);
        return { Source: entry.Source, DetailType: entry.DetailType, Detail: `{"x":"${'x'.repeat(bytes - frame)}"}` };
      };

      test('just enough', async () => {
        expect(await put(sized(maxBytes - 1))).toMatchObject({ FailedEntryCount: 0 });
      });

      world.testWrongInMoto('just too much', async () => {
        await expect(put(sized(maxBytes))).rejects.toMatchObject({ name: 'ValidationException' });
      });

      world.testWrongInMoto('just too much, in several events', async () => {
        await expect(put(sized(maxBytes - 1_000), sized(1_000))).rejects.toMatchObject({ name: 'ValidationException' });
      });
    });

    world.testWrongInMoto('an event for a bus that does not exist is taken and lost, as on AWS', async () => {
      expect(await put({ ...entry, EventBusName: 'none' })).toMatchObject({ FailedEntryCount: 0, Entries: [taken] });
    });
  });
}
