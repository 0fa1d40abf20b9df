/** Looks at a deployed broker from outside, as a person would after `cdk deploy`. Changes nothing. */

import manifest from '../../package.json' with { type: 'json' };
import { metricNamespaceOf } from '../../shared/ports/telemetry.ts';
import { amongst, apiAnswer, deploymentEvidence, metric, physical, readable, resourcesOf } from '../doctor/gather.ts';
import type { Target } from '../target.ts';
import { canaryEvidence } from './canary.ts';
import type { DeployedFunction, VerifyEvidence } from './checks.ts';

type Deployed = Extract<Target, { kind: 'deployed' }>;
type Access = Deployed['aws'];

export async function gather(target: Deployed, stack: string, now: number): Promise<VerifyEvidence> {
  const { broker, aws } = target;
  const resources = await readable(() => resourcesOf(stack, aws));
  const among = amongst(resources);
  const [api, unsigned, deployment, counted, functions, logs, canary] = await Promise.all([
    apiAnswer(broker),
    readable(() => unsignedStatuses(broker.url)),
    deploymentEvidence(resources, aws, now),
    readable(() => countedIn(stack, aws, now)),
    among((found) => functionsOf(physical(found, 'AWS::Lambda::Function'), aws)),
    among((found) => logsOf(physical(found, 'AWS::Logs::LogGroup'), aws)),
    among((found) => canaryEvidence(found, { broker, aws }, now)),
  ]);
  const releases = { own: manifest.version, broker: target.release };
  return { api, unsigned, counted, functions, releases, logs, canary, ...deployment };
}

async function unsignedStatuses(url: string): Promise<Readonly<Record<string, number>>> {
  const calls = ['/connections', '/token/verify'];
  const statuses = calls.map(async (path) => [`GET ${path}`, (await fetch(url + path)).status] as const);
  return Object.fromEntries(await Promise.all(statuses));
}

const countedIn = (stack: string, aws: Access, now: number): Promise<number> =>
  metric(aws, now, {
    Namespace: metricNamespaceOf(stack),
    MetricName: 'OverdueConnections',
    Dimensions: [],
    Statistics: ['SampleCount'],
  });

async function functionsOf(names: readonly string[], aws: Access): Promise<readonly DeployedFunction[]> {
  const { GetFunctionConfigurationCommand, LambdaClient } = await import('@aws-sdk/client-lambda');
  const client = new LambdaClient(aws);
  return Promise.all(
    names.map(async (FunctionName) => {
      const { Runtime, Architectures, State, LastUpdateStatus } = await client.send(
        new GetFunctionConfigurationCommand({ FunctionName }),
      );
      return {
        name: FunctionName,
        runtime: Runtime ?? 'no runtime',
        architecture: Architectures?.join() ?? 'no architecture',
        state: State ?? 'no state',
        lastUpdate: LastUpdateStatus ?? 'no update',
      };
    }),
  );
}

async function logsOf(names: readonly string[], aws: Access) {
  const { CloudWatchLogsClient, DescribeLogGroupsCommand } = await import('@aws-sdk/client-cloudwatch-logs');
  const client = new CloudWatchLogsClient(aws);
  return Promise.all(
    names.map(async (group) => {
      const { logGroups = [] } = await client.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: group }));
      const found = logGroups.find(({ logGroupName }) => logGroupName === group);
      if (found === undefined) throw new Error(`there is no log group ${group}`);
      return { group, retentionDays: found.retentionInDays };
    }),
  );
}
