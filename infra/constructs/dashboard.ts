/** The few numbers that tell how the broker is, as data. */
import { Duration, Stack } from 'aws-cdk-lib';
import { Dashboard, GraphWidget, type IMetric, MathExpression, type Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { type Metric as MetricName, metricNamespaceOf } from '../../shared/ports/telemetry.ts';
import { metricsOf, minute } from './metrics.ts';

interface BrokerDashboardProps {
  /** The function that serves tokens. */
  readonly token: IFunction;
  /** The queue that renewals come from. */
  readonly refreshQueue: IQueue;
}

const hour = Duration.hours(1);
const hourly = (metric: Metric): Metric => metric.with({ period: hour });

/** A curve for each provider that there is: their names come with connections, after the deployment. */
const byProvider = (namespace: string, name: MetricName): IMetric =>
  new MathExpression({
    expression: `SEARCH('{${namespace},provider} MetricName="${name}"', 'Sum', 3600)`,
    usingMetrics: {},
    label: name,
    period: hour,
  });

const graphs = (
  namespace: string,
  ours: ReturnType<typeof metricsOf>,
  { token, refreshQueue }: BrokerDashboardProps,
): Readonly<Record<string, readonly IMetric[]>> => ({
  Renewals: [ours('RefreshSucceeded', 'Sum'), ours('RefreshFailed', 'Sum'), ours('RefreshFailing', 'Sum')],
  'How long renewals take (ms)': [ours('RefreshDurationMs', 'p50'), ours('RefreshDurationMs', 'p99')],
  'Connections that are overdue': [ours('OverdueConnections', 'Maximum')],
  'Connections that need a person': [ours('ReauthorizationRequired', 'Sum'), ours('Misconfigured', 'Sum')],
  'How long GET /token takes (ms)': ['p50', 'p99'].map((statistic) => token.metricDuration({ ...minute, statistic })),
  'Errors of GET /token': [token.metricErrors(minute), token.metricThrottles(minute)],
  'Calls of the token endpoint for each token set (1 is what is meant)': [
    new MathExpression({
      expression: 'calls / sets',
      usingMetrics: { calls: hourly(ours('ProviderCalled', 'Sum')), sets: hourly(ours('RefreshSucceeded', 'Sum')) },
      label: 'calls for each',
      period: hour,
    }),
  ],
  'Calls of each provider': [byProvider(namespace, 'ProviderCalled'), byProvider(namespace, 'CallHeldBack')],
  'What was saved and lost, by provider': [
    byProvider(namespace, 'OrphanAdopted'),
    byProvider(namespace, 'GrantLost'),
    byProvider(namespace, 'ReauthorizationRequired'),
  ],
  'Age of the oldest message in the refresh queue (s)': [
    refreshQueue.metricApproximateAgeOfOldestMessage({ ...minute, statistic: 'Maximum' }),
  ],
});

/**
 * The dashboard, called like stack and Region: an account has one list for all Regions, in which a second of the same
 * name would replace the first.
 */
export class BrokerDashboard extends Construct {
  constructor(scope: Construct, id: string, props: BrokerDashboardProps) {
    super(scope, id);
    const { stackName, region } = Stack.of(this);
    const widgets = Object.entries(graphs(metricNamespaceOf(stackName), metricsOf(this), props)).map(
      ([title, left]) => new GraphWidget({ title, left: [...left], width: 12, leftYAxis: { min: 0 } }),
    );
    new Dashboard(this, 'Dashboard', { dashboardName: `${stackName}-${region}`, widgets: [widgets] });
  }
}
