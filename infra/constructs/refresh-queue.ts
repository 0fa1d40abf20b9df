import { Duration } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { limits } from '../../shared/domain/limits.ts';

const secured = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true } as const;

/** The single way to ask for a refresh. Losing a message loses nothing: the planner asks the table again. */
export class RefreshQueue extends Construct {
  readonly queue: Queue;
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.deadLetters = new Queue(this, 'DeadLetters', { ...secured, retentionPeriod: Duration.days(14) });
    this.queue = new Queue(this, 'Queue', {
      ...secured,
      visibilityTimeout: Duration.millis(limits.visibilityTimeouts * limits.refreshTimeoutMs),
      retentionPeriod: Duration.millis(limits.messageRetentionMs),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: limits.deliveries },
    });
  }

  /**
   * One message for each invocation, and `maxConcurrency` of them at once, which leaves the rest of the account's quota
   * to token requests, the planner and logins.
   */
  feed(consumer: IFunction, maxConcurrency: number): void {
    consumer.addEventSource(
      new SqsEventSource(this.queue, {
        batchSize: 1,
        reportBatchItemFailures: true,
        maxConcurrency,
      }),
    );
  }
}
