/** What alarms and the dashboard look at, a minute at a time. */
import { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { metricNamespace } from '../../shared/adapters/telemetry.ts';
import type { Metric as MetricName } from '../../shared/ports/telemetry.ts';

export const minute = { period: Duration.minutes(1) };

/** A metric that the functions count, of all providers together. */
export const ours = (metricName: MetricName, statistic: 'Sum' | 'Maximum' | 'p50' | 'p99'): Metric =>
  new Metric({ namespace: metricNamespace, metricName, statistic, ...minute });
