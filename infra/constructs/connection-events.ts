import { Duration, Stack, Validations } from 'aws-cdk-lib';
import { EventBus, type IRuleTarget, Rule } from 'aws-cdk-lib/aws-events';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { eventDetailType } from '../../shared/ports/announcer.ts';

/**
 * Where changes of connections are told: a bus for programs that bring rules of their own, and a topic for people and
 * other subscribers.
 */
export class ConnectionEvents extends Construct {
  /** Called like the stack, so that rules can be written before it is deployed. */
  readonly bus: EventBus;
  readonly topic: Topic;
  /** What the topic did not take within a day, as EventBridge sent it. */
  readonly undelivered: Queue;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    const { stackName } = Stack.of(this);
    this.bus = new EventBus(this, 'Bus', {
      eventBusName: stackName,
      description: 'Token broker: changes of connections',
    });
    this.topic = new Topic(this, 'Topic', { enforceSSL: true });
    this.undelivered = new Queue(this, 'Undelivered', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    Validations.of(this.undelivered).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason: 'It is a dead-letter queue itself, of a rule; only those of other queues are recognised.',
    });

    // Not the SnsTopic of CDK: it lets every rule of every account publish.
    const target: IRuleTarget = {
      bind: () => ({ arn: this.topic.topicArn, deadLetterConfig: { arn: this.undelivered.queueArn } }),
    };
    const rule = new Rule(this, 'ToTopic', {
      description: 'Forwards changes of connections to the topic',
      eventBus: this.bus,
      eventPattern: { source: [stackName], detailType: [eventDetailType] },
      targets: [target],
    });
    const byRule = (action: string, resource: string): PolicyStatement =>
      new PolicyStatement({
        principals: [new ServicePrincipal('events.amazonaws.com')],
        actions: [action],
        resources: [resource],
        conditions: { ArnEquals: { 'aws:SourceArn': rule.ruleArn } },
      });
    this.topic.addToResourcePolicy(byRule('sns:Publish', this.topic.topicArn));
    this.undelivered.addToResourcePolicy(byRule('sqs:SendMessage', this.undelivered.queueArn));
  }
}
