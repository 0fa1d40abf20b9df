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
      // Lambda's advice for a queue that feeds a function: a throttled delivery is tried again within this time.
      visibilityTimeout: Duration.millis(6 * limits.refreshTimeoutMs),
      // Longer than all deliveries of a message take. After an outage of the function, two hours of messages are left
      // to go through, not days of them.
      retentionPeriod: Duration.hours(2),
      // A delivery that finds no concurrency counts, though no code has run: three would be dead letters without a
      // fault.
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: 10 },
    });
  }

  /**
   * One message for each invocation, and as many at once as are reserved for the consumer: more would be throttled.
   * Without a reservation at most 100, a tenth of the usual quota of an account, which leaves the rest to token
   * requests; that these leave any to renewals is not ensured then.
   */
  feed(consumer: IFunction, reservedConcurrency = 100): void {
    consumer.addEventSource(
      new SqsEventSource(this.queue, {
        batchSize: 1,
        reportBatchItemFailures: true,
        maxConcurrency: reservedConcurrency,
      }),
    );
  }
}
