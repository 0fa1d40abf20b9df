/** What alarms and the dashboard look at, a minute at a time. */
import { Duration, Stack } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { IConstruct } from 'constructs';
import type { Metric as MetricName } from '../../shared/ports/telemetry.ts';
import { metricNamespaceOf } from '../../shared/ports/telemetry.ts';

export const minute = { period: Duration.minutes(1) };

/** Returns the metrics that the functions of a construct's stack count, each of all providers together. */
export const metricsOf = (construct: IConstruct) => {
  const namespace = metricNamespaceOf(Stack.of(construct).stackName);
  return (metricName: MetricName, statistic: 'Sum' | 'Maximum' | 'p50' | 'p99'): Metric =>
    new Metric({ namespace, metricName, statistic, ...minute });
};
