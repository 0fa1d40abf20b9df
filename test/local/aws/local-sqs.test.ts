import { DatabaseSync } from 'node:sqlite';
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Queues } from '../../../local/aws/sqs/queues.ts';
import { queueArn, type Sqs, startSqs } from '../../../local/aws/sqs/sqs.ts';
import { sqsClient } from './worlds.ts';

let clock: number;
let database: DatabaseSync;
let endpoint: Sqs;
let client: SQSClient;

beforeEach(async () => {
  clock = 1_800_000_000_000;
  database = new DatabaseSync(':memory:');
  endpoint = await startSqs({ database, now: () => clock });
  client = sqsClient();
});
afterEach(async () => {
  client.destroy();
  await endpoint.close();
  database.close();
});

const send = (QueueUrl: string, MessageBody: string, more: { DelaySeconds?: number; MessageGroupId?: string } = {}) =>
  client.send(new SendMessageCommand({ QueueUrl, MessageBody, ...more }));
const receive = async (QueueUrl: string, more: Partial<ReceiveMessageCommandInput> = {}) =>
  (await client.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, ...more }))).Messages ?? [];
const bodies = async (QueueUrl: string) => (await receive(QueueUrl)).map(({ Body }) => Body);

describe('time', () => {
  test('a delayed message appears at its second, not before', async () => {
    const url = endpoint.createQueue('refresh');
    await send(url, 'x', { DelaySeconds: 90 });
    clock += 89_999;
    expect(await bodies(url)).toEqual([]);
    clock += 1;
    expect(await bodies(url)).toEqual(['x']);
  });

  test('a hidden message reappears when the visibility time-out of its queue is over', async () => {
    const url = endpoint.createQueue('refresh', { VisibilityTimeout: '480' });
    await send(url, 'x');
    await receive(url);
    clock += 479_999;
    expect(await bodies(url)).toEqual([]);
    clock += 1;
    expect(await bodies(url)).toEqual(['x']);
  });

  test('a visibility time-out that was changed counts from the change, up to 12 hours after the receive', async () => {
    const url = endpoint.createQueue('refresh');
    await send(url, 'x');
    const [message] = await receive(url);
    const hide = (VisibilityTimeout: number) =>
      client.send(
        new ChangeMessageVisibilityCommand({ QueueUrl: url, ReceiptHandle: message?.ReceiptHandle, VisibilityTimeout }),
      );
    await hide(43_200);
    clock += 1_000;
    await expect(hide(43_200)).rejects.toMatchObject({ name: 'InvalidParameterValue' });
    await hide(10);
    clock += 9_999;
    expect(await bodies(url)).toEqual([]);
    clock += 1;
    await hide(10);
    expect(await bodies(url)).toEqual(['x']);
  });

  test('a message older than its queue keeps messages is gone', async () => {
    const url = endpoint.createQueue('refresh', { MessageRetentionPeriod: '60' });
    await send(url, 'x');
    clock += 59_999;
    expect(await receive(url, { VisibilityTimeout: 0 })).toHaveLength(1);
    clock += 1;
    expect(await bodies(url)).toEqual([]);
  });

  test('the handle of an earlier receive deletes nothing', async () => {
    const url = endpoint.createQueue('refresh');
    await send(url, 'x');
    const [first] = await receive(url);
    clock += 30_000;
    await receive(url);
    await client.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: first?.ReceiptHandle }));
    clock += 30_000;
    expect(await bodies(url)).toEqual(['x']);
  });
});

describe('long polls', () => {
  test('a poll waits for a message that becomes visible meanwhile', async () => {
    await endpoint.close();
    endpoint = await startSqs({ database });
    const url = endpoint.createQueue('refresh');
    await send(url, 'x', { DelaySeconds: 1 });
    expect(await receive(url, { WaitTimeSeconds: 20 })).toMatchObject([{ Body: 'x' }]);
  });

  test('a client that leaves as a message comes is not given it', async () => {
    const queues = new Queues(database, () => clock, { down: false, duplicate: false });
    queues.deploy('refresh', {});
    const gone = new AbortController();
    const poll = queues.receive('refresh', { limit: 1, waitSeconds: 20 }, gone.signal);
    queues.send('refresh', [{ MessageBody: 'x' }]);
    gone.abort();
    expect(await poll).toEqual([]);
    expect(await queues.receive('refresh', { limit: 1 }, new AbortController().signal)).toHaveLength(1);
  });

  test('one message ends one of many polls', async () => {
    const url = endpoint.createQueue('refresh');
    const polls = Array.from({ length: 5 }, () => receive(url, { WaitTimeSeconds: 1 }));
    await send(url, 'x');
    expect((await Promise.all(polls)).flat()).toHaveLength(1);
  });
});

describe('queues', () => {
  test('deploying a queue again changes its attributes and keeps its messages', async () => {
    const url = endpoint.createQueue('refresh', { DelaySeconds: '5' });
    await send(url, 'x');
    expect(endpoint.createQueue('refresh', { VisibilityTimeout: '480' })).toBe(url);
    const { Attributes } = await client.send(
      new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['DelaySeconds', 'VisibilityTimeout'] }),
    );
    expect(Attributes).toEqual({ DelaySeconds: '0', VisibilityTimeout: '480' });
    clock += 5_000;
    expect(await bodies(url)).toEqual(['x']);
  });

  test('a wrong attribute is named', async () => {
    const make = (Attributes: Record<string, string>) =>
      sqsClient(endpoint.url).send(new CreateQueueCommand({ QueueName: 'refresh', Attributes }));
    await expect(make({ DelaySeconds: '901' })).rejects.toMatchObject({
      name: 'InvalidAttributeValue',
      message: expect.stringContaining('DelaySeconds'),
    });
    await expect(make({ FifoQueue: 'true' })).rejects.toMatchObject({
      name: 'InvalidAttributeName',
      message: expect.stringContaining('FifoQueue'),
    });
  });

  test('a dead-letter queue has to exist', () => {
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: queueArn('dead'), maxReceiveCount: 5 });
    expect(() => endpoint.createQueue('refresh', { RedrivePolicy })).toThrow('dead');
    endpoint.createQueue('dead');
    endpoint.createQueue('refresh', { RedrivePolicy });
  });

  test('a message group is told to the receiver', async () => {
    const url = endpoint.createQueue('refresh');
    await send(url, 'x', { MessageGroupId: 'exact' });
    expect(await receive(url, { MessageSystemAttributeNames: ['MessageGroupId'] })).toMatchObject([
      { Attributes: { MessageGroupId: 'exact' } },
    ]);
  });
});

describe('faults', () => {
  test('a duplicate is delivered under the same id even after the first copy was deleted', async () => {
    const url = endpoint.createQueue('refresh');
    endpoint.faults.duplicate = true;
    const { MessageId } = await send(url, 'x');
    const [first] = await receive(url, { MaxNumberOfMessages: 1 });
    await client.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: first?.ReceiptHandle }));
    expect(await receive(url)).toMatchObject([{ MessageId, Body: 'x' }]);
  });

  test('a service that is down breaks the connection and takes nothing', async () => {
    const url = endpoint.createQueue('refresh');
    endpoint.faults.down = true;
    await expect(send(url, 'x')).rejects.toMatchObject({ code: 'ECONNRESET' });
    endpoint.faults.down = false;
    expect(await bodies(url)).toEqual([]);
  });
});
