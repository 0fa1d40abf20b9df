/**
 * What the doctor sees of a deployed broker, and each trouble there made and found. The stack is in moto, with the
 * logical ids of the real template; that its alarms are the stack's, and the account's quota, which moto does not have,
 * is answered in its place as the services' documentation says.
 */
import { CloudFormationClient, CreateStackCommand, ListStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import {
  CloudWatchClient,
  PutMetricAlarmCommand,
  PutMetricDataCommand,
  SetAlarmStateCommand,
} from '@aws-sdk/client-cloudwatch';
import { PurgeQueueCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Send } from '../../cli/api.ts';
import { Broker } from '../../cli/broker.ts';
import { findingsOf } from '../../cli/doctor/findings.ts';
import { gather } from '../../cli/doctor/gather.ts';
import { emulatorClient } from '../../local/platform/account.ts';
import manifest from '../../package.json' with { type: 'json' };
import { templatesOf, unbundled } from '../infra/deployed.ts';
import { type Reply, startProxy } from '../kill/proxy.ts';
import { motoMissing, sqsClient, startMoto } from '../local/aws/worlds.ts';

if (motoMissing) console.warn('The doctor looks at no account: moto is not installed (pip install "moto[server]").');

const stack = 'token-broker';
const hourMs = 3_600_000;
const { broker } = motoMissing ? { broker: undefined } : templatesOf(unbundled());
const alarms = Object.entries(broker?.findResources('AWS::CloudWatch::Alarm') ?? {});

/** Queues and functions, with as little about each as they can be created with. */
function template(): string {
  const plain: Readonly<Record<string, () => object>> = {
    'AWS::SQS::Queue': () => ({}),
    'AWS::Lambda::Function': () => ({
      Code: { ZipFile: 'exports.handler = () => {}' },
      Handler: 'index.handler',
      Runtime: 'nodejs22.x',
      Role: { 'Fn::GetAtt': ['Role', 'Arn'] },
    }),
  };
  const resources = Object.entries(plain).flatMap(([Type, propertiesOf]) =>
    Object.keys(broker?.findResources(Type) ?? {}).map((id) => [id, { Type, Properties: propertiesOf() }]),
  );
  const trust = { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' };
  const AssumeRolePolicyDocument = { Version: '2012-10-17', Statement: [trust] };
  return JSON.stringify({
    Resources: {
      Role: { Type: 'AWS::IAM::Role', Properties: { AssumeRolePolicyDocument } },
      ...Object.fromEntries(resources),
    },
  });
}

describe.skipIf(motoMissing)('the doctor, at an account', () => {
  let moto: Awaited<ReturnType<typeof startMoto>>;
  let proxy: Awaited<ReturnType<typeof startProxy>>;
  const physical: { id: string; type: string; name: string }[] = [];
  let concurrency: number;
  let denied: boolean;
  /** Each test has an hour of its own, in which no other one has counted anything. */
  let now = Date.now();

  beforeAll(async () => {
    moto = await startMoto();
    proxy = await startProxy(moto.url, async ({ headers, body }, forward) => {
      const asked = JSON.stringify(headers) + body;
      if (denied) return String(headers['content-type']).includes('form') ? deniedInXml : json(403, deniedInJson);
      // The one call of Lambda's: https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html
      if (asked.includes('/lambda/')) return json(200, { AccountLimit: { ConcurrentExecutions: concurrency } });
      const reply = await forward();
      return body.includes('Action=ListStackResources') ? withAlarms(reply) : reply;
    });
    for (const [name, value] of Object.entries({
      AWS_ENDPOINT_URL: proxy.url,
      AWS_ACCESS_KEY_ID: emulatorClient.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: emulatorClient.credentials.secretAccessKey,
    }))
      vi.stubEnv(name, value);
    const cloudWatch = new CloudWatchClient({ ...emulatorClient, endpoint: moto.url });
    for (const [AlarmName, { Properties }] of alarms)
      await cloudWatch.send(
        new PutMetricAlarmCommand({
          AlarmName,
          AlarmDescription: String(Properties.AlarmDescription),
          ComparisonOperator: 'GreaterThanThreshold',
          EvaluationPeriods: 1,
          Threshold: 0,
          Namespace: 'TokenBroker',
          MetricName: 'M',
          Period: 60,
          Statistic: 'Sum',
        }),
      );
    const cloudFormation = new CloudFormationClient({ ...emulatorClient, endpoint: moto.url });
    await cloudFormation.send(new CreateStackCommand({ StackName: stack, TemplateBody: template() }));
    const { StackResourceSummaries: found = [] } = await cloudFormation.send(
      new ListStackResourcesCommand({ StackName: stack }),
    );
    for (const { LogicalResourceId: id = '', ResourceType: type = '', PhysicalResourceId: name = '' } of found)
      physical.push({ id, type, name });
  }, 60_000);
  afterAll(async () => {
    vi.unstubAllEnvs();
    await proxy?.close();
    await moto?.stop();
  });
  beforeEach(async () => {
    concurrency = 1_000;
    denied = false;
    now += hourMs;
    await counted('AWS/Lambda', 'Invocations', 'FunctionName', named('AWS::Lambda::Function', /^PlanFunction/), 1);
  });

  const answering: Send = async () =>
    new Response(JSON.stringify({ connections: [] }), { headers: { date: new Date(now).toUTCString() } });
  const found = async (send: Send = answering) => {
    const target = {
      kind: 'deployed' as const,
      broker: new Broker('https://broker.example', send),
      stack,
      release: manifest.version,
    };
    return findingsOf(await gather({ ...target, aws: { region: emulatorClient.region } }, now));
  };
  const codes = async (send?: Send) => (await found(send)).map(({ level, code }) => [level, code]);
  const named = (type: string, id: RegExp): string =>
    physical.find((resource) => resource.type === type && id.test(resource.id))?.name ?? '';

  /** As AWS counts: a value of the last minutes. */
  const counted = (Namespace: string, MetricName: string, dimension: string, resource: string, Value: number) =>
    new CloudWatchClient({ ...emulatorClient, endpoint: moto.url }).send(
      new PutMetricDataCommand({
        Namespace,
        MetricData: [
          {
            MetricName,
            Dimensions: [{ Name: dimension, Value: resource }],
            Timestamp: new Date(now - 90_000),
            Value,
          },
        ],
      }),
    );
  const queueIsAged = (seconds: number) => {
    const queue =
      named('AWS::SQS::Queue', /^RefreshQueue(?!.*(?:DeadLetters|Undelivered))/)
        .split('/')
        .at(-1) ?? '';
    return counted('AWS/SQS', 'ApproximateAgeOfOldestMessage', 'QueueName', queue, seconds);
  };

  test('finds a silent planner', async () => {
    now += hourMs;
    expect(await codes()).toEqual([['fault', 'planner_silent']]);
  });

  test('finds nothing where nothing is wrong', async () => {
    await queueIsAged(2);
    expect(await found()).toEqual([]);
  });

  test('names the alarm that rings, with what its text says', async () => {
    const [alarm = ''] = alarms.map(([id]) => id).filter((id) => id.includes('OverdueConnections'));
    const cloudWatch = new CloudWatchClient({ ...emulatorClient, endpoint: moto.url });
    const set = (StateValue: 'ALARM' | 'OK') =>
      cloudWatch.send(new SetAlarmStateCommand({ AlarmName: alarm, StateValue, StateReason: 'made' }));
    onTestFinished(async () => void (await set('OK')));
    await set('ALARM');
    const [finding, ...more] = await found();
    expect([finding?.code, finding?.what, more]).toEqual(['alarm', `Alarm ${alarm} rings.`, []]);
    expect(finding?.fix).toContain('overdue');
  });

  test('names the queue that holds dead letters', async () => {
    const queue = named('AWS::SQS::Queue', /DeadLetters/);
    const client = sqsClient(moto.url);
    onTestFinished(async () => void (await client.send(new PurgeQueueCommand({ QueueUrl: queue }))));
    await client.send(new SendMessageCommand({ QueueUrl: queue, MessageBody: '{"connection":"books"}' }));
    const [finding, ...more] = await found();
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ level: 'fault', code: 'dead_letters' });
    expect(finding?.what).toMatch(/DeadLetters.* holds 1 messages\.$/);
  });

  test('finds a queue that is not emptied, and an account without room', async () => {
    await queueIsAged(400);
    concurrency = 10;
    expect((await codes()).toSorted()).toEqual([
      ['fault', 'queue_age'],
      ['warning', 'concurrency'],
    ]);
  });

  test('says what it may not look at', async () => {
    denied = true;
    const all = await found();
    expect(all.map(({ code }) => code)).toEqual(Array.from({ length: 5 }, () => 'unreadable'));
    expect(all[0]?.what).toContain('not authorized');
  });

  const refusing: Send = async () => new Response('{"message":"Forbidden"}', { status: 403 });
  const late: Send = async () =>
    new Response(JSON.stringify({ connections: [] }), { headers: { date: new Date(now - 301_000).toUTCString() } });
  const away: Send = async () => {
    throw new Error('connect ECONNREFUSED');
  };
  test.each<[string, Send]>([
    ['api_refused', refusing],
    ['clock', late],
    ['api_unreachable', away],
  ])('finds %s', async (code, send) => {
    expect(await codes(send)).toContainEqual(['fault', code]);
  });
});

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackResources.html */
function withAlarms({ body, ...reply }: Reply): Reply {
  const members = alarms.map(
    ([id]) =>
      `<member><ResourceType>AWS::CloudWatch::Alarm</ResourceType><LogicalResourceId>${id}</LogicalResourceId>` +
      `<PhysicalResourceId>${id}</PhysicalResourceId><ResourceStatus>CREATE_COMPLETE</ResourceStatus></member>`,
  );
  const { 'content-length': _length, ...headers } = reply.headers;
  return {
    ...reply,
    headers,
    body: Buffer.from(
      String(body).replace('</StackResourceSummaries>', `${members.join('')}</StackResourceSummaries>`),
    ),
  };
}

const message = 'User is not authorized to perform this';
const deniedInJson = { __type: 'AccessDeniedException', message };
const deniedInXml = {
  status: 403,
  headers: { 'content-type': 'text/xml' },
  body: Buffer.from(
    `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>${message}</Message></Error></ErrorResponse>`,
  ),
};

const json = (status: number, value: object) => ({
  status,
  headers: { 'content-type': 'application/x-amz-json-1.0' },
  body: Buffer.from(JSON.stringify(value)),
});
