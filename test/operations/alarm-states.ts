/**
 * When a CloudWatch alarm rings, as its documentation says: a pure function of the alarm's definition in the template
 * and of the minutes that have a value.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
 */

/** The properties of `AWS::CloudWatch::Alarm` that decide. */
export interface AlarmDefinition {
  readonly Period: number;
  readonly Threshold: number;
  readonly EvaluationPeriods: number;
  readonly DatapointsToAlarm: number;
  readonly TreatMissingData: string;
  readonly ComparisonOperator: string;
  readonly Statistic: string;
}

/** One value of a metric, and the minute that it belongs to. */
export interface Datum {
  readonly minute: number;
  readonly value: number;
}

/**
 * Returns whether the alarm rings at the end of a minute. CloudWatch looks at more minutes than the alarm names, since
 * data may come late; how many more is not documented (two in its examples). As long as these hold enough values, the
 * most recent values decide, and missing ones count for nothing; else each that is missing is filled in.
 */
export function rings(alarm: AlarmDefinition, data: readonly Datum[], minute: number, more: number): boolean {
  const { Period, EvaluationPeriods: wanted, DatapointsToAlarm, TreatMissingData } = alarm;
  if (Period !== 60) throw new Error(`only minutes are looked at here, not ${Period} s`);
  if (!['breaching', 'notBreaching'].includes(TreatMissingData)) throw new Error(`${TreatMissingData} is unknown here`);
  const range = Array.from({ length: wanted + more }, (_, i) => minute - wanted - more + 1 + i);
  const there = range.flatMap((at) => {
    const values = data.filter((datum) => datum.minute === at).map(({ value }) => value);
    return values.length === 0 ? [] : [statistic(alarm, values)];
  });
  const latest = there.slice(-wanted);
  const filled = TreatMissingData === 'breaching' ? wanted - latest.length : 0;
  return latest.filter((value) => breaches(alarm, value)).length + filled >= DatapointsToAlarm;
}

function statistic({ Statistic }: AlarmDefinition, values: readonly number[]): number {
  if (Statistic === 'Sum') return values.reduce((sum, value) => sum + value, 0);
  if (Statistic === 'Maximum') return Math.max(...values);
  throw new Error(`the statistic ${Statistic} is unknown here`);
}

function breaches({ ComparisonOperator, Threshold }: AlarmDefinition, value: number): boolean {
  if (ComparisonOperator !== 'GreaterThanOrEqualToThreshold') throw new Error(`${ComparisonOperator} is unknown here`);
  return value >= Threshold;
}

/** What the functions' log lines in CloudWatch's embedded metric format tell: the values without dimensions. */
export function dataIn(lines: readonly object[], namespace: string, metric: string): Datum[] {
  return (lines as readonly EmbeddedMetrics[]).flatMap((line) =>
    (line._aws?.CloudWatchMetrics ?? [])
      .filter(
        ({ Namespace, Dimensions, Metrics }) =>
          Namespace === namespace &&
          Dimensions.some((names) => names.length === 0) &&
          Metrics.some(({ Name }) => Name === metric),
      )
      .map(() => ({ minute: minuteOf(line._aws?.Timestamp ?? Number.NaN), value: Number(line[metric]) })),
  );
}

export const minuteOf = (ms: number): number => Math.floor(ms / 60_000);

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html */
interface EmbeddedMetrics extends Readonly<Record<string, unknown>> {
  readonly _aws?: {
    readonly Timestamp: number;
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string }[];
    }[];
  };
}
