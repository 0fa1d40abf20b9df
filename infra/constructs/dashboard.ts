/** The few numbers that tell how the broker is, as data. */
import { Stack } from 'aws-cdk-lib';
import { Dashboard, GraphWidget, type IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { metricsOf, minute } from './metrics.ts';

interface BrokerDashboardProps {
  /** The function that serves tokens. */
  readonly token: IFunction;
  /** The queue that renewals come from. */
  readonly refreshQueue: IQueue;
}

const graphs = (
  ours: ReturnType<typeof metricsOf>,
  { token, refreshQueue }: BrokerDashboardProps,
): Readonly<Record<string, readonly IMetric[]>> => ({
  Renewals: [ours('RefreshSucceeded', 'Sum'), ours('RefreshFailed', 'Sum'), ours('RefreshFailing', 'Sum')],
  'How long renewals take (ms)': [ours('RefreshDurationMs', 'p50'), ours('RefreshDurationMs', 'p99')],
  'Connections that are overdue': [ours('OverdueConnections', 'Maximum')],
  'Connections that need a person': [ours('ReauthorizationRequired', 'Sum'), ours('Misconfigured', 'Sum')],
  'How long GET /token takes (ms)': ['p50', 'p99'].map((statistic) => token.metricDuration({ ...minute, statistic })),
  'Errors of GET /token': [token.metricErrors(minute), token.metricThrottles(minute)],
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
    const widgets = Object.entries(graphs(metricsOf(this), props)).map(
      ([title, left]) => new GraphWidget({ title, left: [...left], width: 12, leftYAxis: { min: 0 } }),
    );
    new Dashboard(this, 'Dashboard', { dashboardName: `${stackName}-${region}`, widgets: [widgets] });
  }
}
