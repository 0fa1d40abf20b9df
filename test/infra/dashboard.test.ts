import { expect, test } from 'vitest';
import { metricNamespace } from '../../shared/adapters/telemetry.ts';
import { propertiesIn, templatesOf, unbundled } from './deployed.ts';

const { broker, read } = templatesOf(unbundled());

test('one dashboard, called like stack and Region, shows the numbers that matter', () => {
  broker.resourceCountIs('AWS::CloudWatch::Dashboard', 1);
  const { DashboardName, DashboardBody } = propertiesIn(broker)('AWS::CloudWatch::Dashboard', 'Dashboard');
  expect(read(DashboardName)).toBe('token-broker-AWS::Region');
  const widgets: { properties: { metrics: unknown[][] } }[] = JSON.parse(read(DashboardBody)).widgets;
  const shown = widgets.flatMap(({ properties }) =>
    properties.metrics.map((metric) => metric.filter((part) => typeof part === 'string').join(' ')),
  );
  expect(shown).toEqual([
    ...['RefreshSucceeded', 'RefreshFailed', 'RefreshFailing', 'RefreshDurationMs', 'RefreshDurationMs'].map(
      (name) => `${metricNamespace} ${name}`,
    ),
    ...['OverdueConnections', 'ReauthorizationRequired', 'Misconfigured'].map((name) => `${metricNamespace} ${name}`),
    ...['Duration', 'Duration', 'Errors', 'Throttles'].map((name) => `AWS/Lambda ${name} FunctionName TokenFunction`),
    'AWS/SQS ApproximateAgeOfOldestMessage QueueName RefreshQueue.QueueName',
  ]);
});
