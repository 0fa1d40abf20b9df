import { Duration } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { limits } from '../../shared/domain/limits.ts';

const secured = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true } as const;

/** The single way by which anybody asks for a refresh. Losing a message loses nothing: the planner asks the table again. */
export class RefreshQueue extends Construct {
  readonly queue: Queue;
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.deadLetters = new Queue(this, 'DeadLetters', { ...secured, retentionPeriod: Duration.days(14) });
    this.queue = new Queue(this, 'Queue', {
      ...secured,
      // Lambda's advice for a queue that feeds a function: a throttled delivery is tried again within this time.
      visibilityTimeout: Duration.millis(6 * limits.refreshTimeoutMs),
      // After an outage of the function, one hour of messages is left to go through, not days of them.
      retentionPeriod: Duration.hours(1),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: 3 },
    });
  }

  /** One message for each invocation, and never so many at once that token requests find no concurrency left (1,000 an account). */
  feed(consumer: IFunction): void {
    consumer.addEventSource(new SqsEventSource(this.queue, { batchSize: 1, reportBatchItemFailures: true, maxConcurrency: 100 }));
  }
}
