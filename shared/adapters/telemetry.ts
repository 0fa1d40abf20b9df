/** Facts to CloudWatch: JSON log lines, and metrics in the embedded metric format, which cost no call. */
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { type Metric, metricNamespaceOf, type Telemetry } from '../ports/telemetry.ts';

const unitOf = (metric: Metric) => (metric === 'RefreshDurationMs' ? MetricUnit.Milliseconds : MetricUnit.Count);

/**
 * Each metric is counted once without dimensions, for alarms, and once by provider. It is written at once, so a killed
 * process loses none and handlers have nothing to flush. `service` names the function in the log lines, `deployment`
 * its broker stack.
 */
export function cloudWatchTelemetry(service: string, deployment: string): Telemetry {
  const logger = new Logger({ serviceName: service });
  const metrics = new Metrics({ namespace: metricNamespaceOf(deployment) });
  // Powertools adds the service as a dimension, with which an alarm on the bare metric would see nothing.
  metrics.clearDefaultDimensions();
  return {
    info: (event, fields) => logger.info(event, fields),
    warn: (event, fields) => logger.warn(event, fields),
    error: (event, fields) => logger.error(event, fields),
    count(metric, value, provider) {
      metrics.addDimensions({});
      if (provider !== undefined) metrics.addDimensions({ provider });
      metrics.addMetric(metric, unitOf(metric), value).publishStoredMetrics();
    },
  };
}
