import { randomUUID } from 'node:crypto';
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Started, sqsClient, worlds } from './worlds.ts';

const maxBytes = 1_048_576;

for (const world of worlds) {
  describe.skipIf(world.missing)(`SQS ${world.title}`, () => {
    let started: Started;
    let client: SQSClient;
    beforeAll(async () => {
      started = await world.start();
      client = sqsClient(started.sqs);
    }, 30_000);
    afterAll(async () => {
      client?.destroy();
      await started?.stop();
    });

    const create = async (Attributes: Record<string, string> = {}): Promise<string> =>
      (await client.send(new CreateQueueCommand({ QueueName: `refresh-${randomUUID()}`, Attributes }))).QueueUrl ?? '';
    const send = (QueueUrl: string, MessageBody: string, DelaySeconds?: number) =>
      client.send(
        new SendMessageCommand({ QueueUrl, MessageBody, ...(DelaySeconds === undefined ? {} : { DelaySeconds }) }),
      );
    const receive = async (QueueUrl: string, more: Partial<ReceiveMessageCommandInput> = {}) =>
      (await client.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, ...more }))).Messages ?? [];
    const attributes = async (QueueUrl: string) =>
      (await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }))).Attributes;
    const change = (QueueUrl: string, ReceiptHandle: string | undefined, VisibilityTimeout: number) =>
      client.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout }));

    test('a message that was sent is received, by a client that knows only the URL of the queue', async () => {
      const url = await create();
      const { MessageId } = await send(url, 'exact-nl');
      const byUrl = sqsClient();
      const { Messages } = await byUrl.send(new ReceiveMessageCommand({ QueueUrl: url }));
      byUrl.destroy();
      expect(Messages).toMatchObject([{ MessageId, Body: 'exact-nl' }]);
      expect(new URL(url).hostname).toBe('127.0.0.1');
    });

    test('any text arrives as it was sent', async () => {
      const url = await create();
      const text = '{"naam":"Zoë \u{1F600}\\n","tab":"\t"}\r\n';
      await send(url, text);
      expect(await receive(url)).toMatchObject([{ Body: text }]);
    });

    test('creating a queue again gives its URL, with other attributes an error', async () => {
      const QueueName = `refresh-${randomUUID()}`;
      const make = async (VisibilityTimeout: string) =>
        (await client.send(new CreateQueueCommand({ QueueName, Attributes: { VisibilityTimeout } }))).QueueUrl;
      const url = await make('60');
      expect(await make('60')).toBe(url);
      await expect(make('61')).rejects.toMatchObject({ name: 'QueueNameExists' });
      expect((await client.send(new GetQueueUrlCommand({ QueueName }))).QueueUrl).toBe(url);
    });

    test('a queue that does not exist is an error', async () => {
      await expect(client.send(new GetQueueUrlCommand({ QueueName: 'none' }))).rejects.toMatchObject({
        name: 'QueueDoesNotExist',
      });
      await expect(send(`${started.sqs}/000000000000/none`, 'x')).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
    });

    test('a received message is hidden from others, and comes back under a new handle when its time is over', async () => {
      const url = await create();
      await send(url, 'x');
      const [first] = await receive(url, { MessageSystemAttributeNames: ['ApproximateReceiveCount'] });
      expect(first?.Attributes).toEqual({ ApproximateReceiveCount: '1' });
      expect(await receive(url)).toEqual([]);
      await change(url, first?.ReceiptHandle, 0);
      const [second] = await receive(url, { MessageSystemAttributeNames: ['All'] });
      expect(second).toMatchObject({
        MessageId: first?.MessageId,
        Attributes: { ApproximateReceiveCount: '2', SentTimestamp: expect.stringMatching(/^\d{13}$/) },
      });
      expect(second?.ReceiptHandle).not.toBe(first?.ReceiptHandle);
    });

    test('two receivers never get the same message while it is hidden', async () => {
      const url = await create({ VisibilityTimeout: '60' });
      for (let batch = 0; batch < 5; batch += 1) {
        const Entries = Array.from({ length: 10 }, (_, index) => ({
          Id: `${index}`,
          MessageBody: `${batch}-${index}`,
        }));
        await client.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));
      }
      const receiveFour = () => receive(url, { MaxNumberOfMessages: 4 });
      const rounds: Awaited<ReturnType<typeof receive>>[] = [];
      if (world.serializes) rounds.push(...(await Promise.all(Array.from({ length: 20 }, receiveFour))));
      else for (let round = 0; round < 20; round += 1) rounds.push(await receiveFour());
      const bodies = rounds.flat().map(({ Body }) => Body);
      expect(new Set(bodies).size).toBe(bodies.length);
      expect(bodies).toHaveLength(50);
    });

    test('a deleted message does not come back', async () => {
      const url = await create();
      await send(url, 'x');
      const [message] = await receive(url);
      await client.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: message?.ReceiptHandle }));
      expect(await attributes(url)).toMatchObject({
        ApproximateNumberOfMessages: '0',
        ApproximateNumberOfMessagesNotVisible: '0',
      });
    });

    test('deleting twice succeeds, with a handle that none was given fails', async () => {
      const url = await create();
      await send(url, 'x');
      const [message] = await receive(url);
      const remove = (ReceiptHandle: string | undefined) =>
        client.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle }));
      await remove(message?.ReceiptHandle);
      await remove(message?.ReceiptHandle);
      await expect(remove('nonsense')).rejects.toMatchObject({ name: 'ReceiptHandleIsInvalid' });
    });

    test('a message is delayed by 0 to 900 seconds, and not received before', async () => {
      const url = await create();
      await expect(send(url, 'x', 901)).rejects.toMatchObject({ name: 'InvalidParameterValue' });
      await send(url, 'later', 900);
      await send(url, 'now', 0);
      expect(await receive(url)).toMatchObject([{ Body: 'now' }]);
      expect(await attributes(url)).toMatchObject({ ApproximateNumberOfMessagesDelayed: '1' });
    });

    world.testWrongInMoto('a delay is not negative', async () => {
      await expect(send(await create(), 'x', -1)).rejects.toMatchObject({ name: 'InvalidParameterValue' });
    });

    test('counts tell visible, hidden and delayed messages apart', async () => {
      const url = await create();
      await send(url, 'a');
      await send(url, 'b');
      await send(url, 'c', 900);
      await receive(url, { MaxNumberOfMessages: 1 });
      expect(await attributes(url)).toMatchObject({
        ApproximateNumberOfMessages: '1',
        ApproximateNumberOfMessagesNotVisible: '1',
        ApproximateNumberOfMessagesDelayed: '1',
      });
    });

    test('in a batch every entry succeeds or fails by itself', async () => {
      const url = await create();
      const Entries = [
        { Id: 'good', MessageBody: 'a', DelaySeconds: 0 },
        { Id: 'late', MessageBody: 'b', DelaySeconds: 901 },
      ];
      const { Successful, Failed } = await client.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));
      expect(Successful).toMatchObject([{ Id: 'good' }]);
      expect(Failed).toMatchObject([{ Id: 'late', Code: 'InvalidParameterValue' }]);
      expect(await receive(url)).toMatchObject([{ Body: 'a' }]);
    });

    test('a batch has 1 to 10 entries with distinct ids', async () => {
      const url = await create();
      const batch = (ids: string[]) =>
        client.send(
          new SendMessageBatchCommand({ QueueUrl: url, Entries: ids.map((Id) => ({ Id, MessageBody: 'x' })) }),
        );
      const ten = Array.from({ length: 10 }, (_, index) => `${index}`);
      await expect(batch([])).rejects.toMatchObject({ name: 'EmptyBatchRequest' });
      await expect(batch([...ten, 'eleven'])).rejects.toMatchObject({ name: 'TooManyEntriesInBatchRequest' });
      await expect(batch(['a', 'a'])).rejects.toMatchObject({ name: 'BatchEntryIdsNotDistinct' });
      await expect(batch(['a b'])).rejects.toMatchObject({ name: 'InvalidBatchEntryId' });
      expect((await batch(ten)).Successful).toHaveLength(10);
    });

    test('messages are deleted in batches, entry by entry', async () => {
      const url = await create();
      await send(url, 'x');
      const [message] = await receive(url);
      const Entries = [
        { Id: 'good', ReceiptHandle: message?.ReceiptHandle },
        { Id: 'bad', ReceiptHandle: 'nonsense' },
      ];
      const { Successful, Failed } = await client.send(new DeleteMessageBatchCommand({ QueueUrl: url, Entries }));
      expect(Successful).toMatchObject([{ Id: 'good' }]);
      expect(Failed).toMatchObject([{ Id: 'bad', Code: 'ReceiptHandleIsInvalid' }]);
      expect(await attributes(url)).toMatchObject({ ApproximateNumberOfMessagesNotVisible: '0' });
    });

    test('a message has up to 1 MiB, and so has a batch', async () => {
      const url = await create();
      await send(url, '"'.repeat(maxBytes));
      await expect(send(url, 'a'.repeat(maxBytes + 1))).rejects.toMatchObject({ name: 'InvalidParameterValue' });
      const Entries = [
        { Id: 'a', MessageBody: 'a'.repeat(maxBytes) },
        { Id: 'b', MessageBody: 'b' },
      ];
      await expect(client.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }))).rejects.toMatchObject({
        name: 'BatchRequestTooLong',
      });
    });

    test('a message that was received as often as may be goes to the dead-letter queue', async () => {
      const dead = await create();
      const deadLetterTargetArn = (await attributes(dead))?.QueueArn;
      const url = await create({ RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 2 }) });
      const { MessageId } = await send(url, 'poison');
      for (let times = 0; times < 2; times += 1) {
        const [message] = await receive(url);
        expect(message).toMatchObject({ MessageId });
        await change(url, message?.ReceiptHandle, 0);
      }
      expect(await receive(url)).toEqual([]);
      expect(await receive(dead)).toMatchObject([{ MessageId, Body: 'poison' }]);
    });

    test('a long poll is answered as soon as a message is sent', async () => {
      const url = await create();
      const began = Date.now();
      const waiting = receive(url, { WaitTimeSeconds: 20 });
      await send(url, 'x');
      expect(await waiting).toMatchObject([{ Body: 'x' }]);
      expect(Date.now() - began).toBeLessThan(10_000);
    });

    test('a receive asks for 1 to 10 messages and waits for up to 20 seconds', async () => {
      const url = await create();
      const refused = { name: 'InvalidParameterValue' };
      await expect(receive(url, { MaxNumberOfMessages: 0 })).rejects.toMatchObject(refused);
      await expect(receive(url, { MaxNumberOfMessages: 11 })).rejects.toMatchObject(refused);
      await expect(receive(url, { WaitTimeSeconds: 21 })).rejects.toMatchObject(refused);
    });

    test('a message can be hidden for up to 12 hours after it was received', async () => {
      const url = await create();
      await send(url, 'x');
      const [message] = await receive(url);
      const refused = { name: 'InvalidParameterValue' };
      await expect(change(url, message?.ReceiptHandle, 43_201)).rejects.toMatchObject(refused);
      await change(url, message?.ReceiptHandle, 43_100);
      await expect(change(url, 'nonsense', 1)).rejects.toMatchObject({ name: 'ReceiptHandleIsInvalid' });
    });

    world.testWrongInMoto('the visibility of a deleted message cannot be changed', async () => {
      const url = await create();
      await send(url, 'x');
      const [message] = await receive(url);
      await client.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: message?.ReceiptHandle }));
      await expect(change(url, message?.ReceiptHandle, 1)).rejects.toMatchObject({ name: 'InvalidParameterValue' });
    });

    world.testWrongInMoto('control characters are refused', async () => {
      const url = await create();
      await expect(send(url, 'a\u0001b')).rejects.toMatchObject({ name: 'InvalidMessageContents' });
    });
  });
}
