/** Looks at a broker: its API, its connections, and what AWS tells of a deployed one. Changes nothing. */
import type { StackResourceSummary } from '@aws-sdk/client-cloudformation';
import manifest from '../../package.json' with { type: 'json' };
import { Refused } from '../api.ts';
import type { Broker } from '../broker.ts';
import { CommandFailure } from '../failure.ts';
import type { Target } from '../target.ts';
import type { ApiAnswer, DeploymentEvidence, Evidence, Readable, Releases } from './evidence.ts';

export async function gather(target: Target, now: number): Promise<Evidence> {
  const api = await apiAnswer(target.broker);
  const deployment = await deploymentOf(target, now);
  const releases = releasesOf(target);
  return {
    now,
    api,
    ...(releases !== undefined && { releases }),
    ...(api.kind === 'answered' && { connections: await target.broker.all() }),
    ...(deployment !== undefined && { deployment }),
  };
}

/** An address alone does not tell the release of what is there. */
function releasesOf(target: Target): Releases | undefined {
  if (target.kind === 'local') return { own: manifest.version, broker: target.running.release };
  return target.stack === undefined ? undefined : { own: manifest.version, broker: target.release };
}

export async function apiAnswer(broker: Broker): Promise<ApiAnswer> {
  try {
    const date = Date.parse((await broker.headers()).get('date') ?? '');
    return { kind: 'answered', serverDate: Number.isNaN(date) ? undefined : date };
  } catch (error) {
    if (error instanceof Refused) return { kind: 'refused', message: error.message };
    if (error instanceof CommandFailure) return { kind: 'unreachable', message: error.message };
    throw error;
  }
}

type Access = Extract<Target, { kind: 'deployed' }>['aws'];

async function deploymentOf(target: Target, now: number): Promise<DeploymentEvidence | undefined> {
  if (target.kind !== 'deployed' || target.stack === undefined) return undefined;
  const { stack, aws } = target;
  return deploymentEvidence(await readable(() => resourcesOf(stack, aws)), aws, now);
}

/** Looks at something among the stack's resources, or says why these cannot be listed. */
export const amongst =
  (resources: Readable<readonly StackResourceSummary[]>) =>
  <T>(look: (found: readonly StackResourceSummary[]) => Promise<T>): Promise<Readable<T>> =>
    'value' in resources ? readable(() => look(resources.value)) : Promise.resolve(resources);

export async function deploymentEvidence(
  resources: Readable<readonly StackResourceSummary[]>,
  aws: Access,
  now: number,
): Promise<DeploymentEvidence> {
  const among = amongst(resources);
  const [alarms, deadLetters, oldestMessageSeconds, plans, concurrency] = await Promise.all([
    among((found) => alarmsOf(physical(found, 'AWS::CloudWatch::Alarm'), aws)),
    among((found) => messagesIn(physical(found, 'AWS::SQS::Queue', /DeadLetters|Undelivered/), aws)),
    among((found) => ageOf(physical(found, 'AWS::SQS::Queue', /^(?!.*(?:DeadLetters|Undelivered))/)[0], aws, now)),
    among((found) => invocationsOf(physical(found, 'AWS::Lambda::Function', /^Plan/)[0], aws, now)),
    readable(() => concurrencyOf(aws)),
  ]);
  return { alarms, deadLetters, oldestMessageSeconds, plans, concurrency };
}

export async function readable<T>(look: () => Promise<T>): Promise<Readable<T>> {
  try {
    return { value: await look() };
  } catch (error) {
    return { unreadable: (error as Error).message };
  }
}

export async function resourcesOf(stack: string, aws: Access): Promise<readonly StackResourceSummary[]> {
  const { CloudFormationClient, paginateListStackResources } = await import('@aws-sdk/client-cloudformation');
  const client = new CloudFormationClient(aws);
  const found: StackResourceSummary[] = [];
  for await (const { StackResourceSummaries: page = [] } of paginateListStackResources(
    { client },
    { StackName: stack },
  ))
    found.push(...page);
  return found;
}

export const physical = (found: readonly StackResourceSummary[], type: string, logical = /^/): string[] =>
  found
    .filter(({ ResourceType, LogicalResourceId = '' }) => ResourceType === type && logical.test(LogicalResourceId))
    .map(({ PhysicalResourceId = '' }) => PhysicalResourceId);

async function alarmsOf(names: readonly string[], aws: Access) {
  const { CloudWatchClient, DescribeAlarmsCommand } = await import('@aws-sdk/client-cloudwatch');
  const { MetricAlarms: alarms = [] } = await new CloudWatchClient(aws).send(
    new DescribeAlarmsCommand({ AlarmNames: [...names], MaxRecords: 100 }),
  );
  return alarms.map(({ AlarmName: name = '', StateValue: state = '', AlarmDescription: description = '' }) => ({
    name,
    state,
    description,
  }));
}

async function messagesIn(urls: readonly string[], aws: Access) {
  const { GetQueueAttributesCommand, SQSClient } = await import('@aws-sdk/client-sqs');
  // The service's endpoint is that of the Region, wherever the environment says that it is.
  const client = new SQSClient({ ...aws, useQueueUrlAsEndpoint: false });
  return Promise.all(
    urls.map(async (QueueUrl) => {
      const { Attributes: attributes } = await client.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['ApproximateNumberOfMessages'] }),
      );
      return { queue: nameOf(QueueUrl), messages: Number(attributes?.ApproximateNumberOfMessages ?? 0) };
    }),
  );
}

const nameOf = (queueUrl: string): string => queueUrl.split('/').at(-1) ?? queueUrl;

const ageOf = (queueUrl: string | undefined, aws: Access, now: number): Promise<number> =>
  metric(aws, now, {
    Namespace: 'AWS/SQS',
    MetricName: 'ApproximateAgeOfOldestMessage',
    Dimensions: [{ Name: 'QueueName', Value: nameOf(queueUrl ?? '') }],
    Statistics: ['Maximum'],
  });

const invocationsOf = (functionName: string | undefined, aws: Access, now: number): Promise<number> =>
  metric(aws, now, {
    Namespace: 'AWS/Lambda',
    MetricName: 'Invocations',
    Dimensions: [{ Name: 'FunctionName', Value: functionName ?? '' }],
    Statistics: ['Sum'],
  });

/** Returns the greatest value of the last five minutes; 0 where there is no value. */
export async function metric(
  aws: Access,
  now: number,
  which: {
    readonly Namespace: string;
    readonly MetricName: string;
    readonly Dimensions: { readonly Name: string; readonly Value: string }[];
    readonly Statistics: ('Sum' | 'Maximum' | 'SampleCount')[];
  },
): Promise<number> {
  const { CloudWatchClient, GetMetricStatisticsCommand } = await import('@aws-sdk/client-cloudwatch');
  const { Datapoints: points = [] } = await new CloudWatchClient(aws).send(
    new GetMetricStatisticsCommand({
      ...which,
      Period: 60,
      StartTime: new Date(now - 300_000),
      EndTime: new Date(now),
    }),
  );
  return Math.max(0, ...points.map(({ Sum: sum, Maximum: most, SampleCount: times }) => sum ?? most ?? times ?? 0));
}

async function concurrencyOf(aws: Access): Promise<number> {
  const { GetAccountSettingsCommand, LambdaClient } = await import('@aws-sdk/client-lambda');
  const { AccountLimit: limit } = await new LambdaClient(aws).send(new GetAccountSettingsCommand({}));
  return limit?.ConcurrentExecutions ?? 0;
}
