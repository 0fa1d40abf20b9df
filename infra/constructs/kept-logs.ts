import { RemovalPolicy } from 'aws-cdk-lib';
import { type LogGroupProps, RetentionDays } from 'aws-cdk-lib/aws-logs';

/**
 * How a log group is kept: for so many days, also without the stack; by default for 30, and not without it. A
 * deployment that fails takes back what it has created, so that it can be repeated.
 */
export const keptFor = (auditDays: number | undefined): Pick<LogGroupProps, 'retention' | 'removalPolicy'> =>
  auditDays === undefined
    ? { retention: RetentionDays.ONE_MONTH, removalPolicy: RemovalPolicy.DESTROY }
    : { retention: auditDays, removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE };
