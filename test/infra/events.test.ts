import { describe, expect, test } from 'vitest';
import { eventDetailType } from '../../shared/ports/announcer.ts';
import { propertiesIn, templatesOf, unbundled } from './deployed.ts';

const { broker, read } = templatesOf(unbundled());
const propertiesOf = propertiesIn(broker);
const rule = propertiesOf('AWS::Events::Rule', 'EventsToTopic');

/** What the policy of a resource allows: to whom, what, and under which condition. */
const allowedBy = (type: string, id: string): unknown[] => {
  const statements: Record<string, unknown>[] = propertiesOf(type, id).PolicyDocument.Statement;
  return statements
    .filter(({ Effect }) => Effect === 'Allow')
    .map(({ Principal, Action, Condition }) => ({ Principal, Action, Condition }));
};

describe('changes of connections', () => {
  test('go to a bus of the broker’s own, called like its stack', () => {
    expect(propertiesOf('AWS::Events::EventBus', 'EventsBus').Name).toBe('token-broker');
    expect(read(broker.toJSON().Outputs.EventBusName.Value)).toBe('EventsBus');
  });

  test('are forwarded to a topic, as the functions write them', () => {
    expect(read(rule.EventBusName)).toBe('EventsBus');
    expect(rule).toMatchObject({
      State: 'ENABLED',
      EventPattern: { source: ['token-broker'], 'detail-type': [eventDetailType] },
    });
    expect(rule.Targets.map(({ Arn }: { Arn: unknown }) => read(Arn))).toEqual(['EventsTopic']);
    expect(read(broker.toJSON().Outputs.EventTopicArn.Value)).toBe('EventsTopic');
  });

  test('that the topic does not take are kept for two weeks, encrypted', () => {
    expect(read(rule.Targets[0].DeadLetterConfig.Arn)).toBe('EventsUndelivered.Arn');
    expect(propertiesOf('AWS::SQS::Queue', 'EventsUndelivered')).toEqual({
      MessageRetentionPeriod: 14 * 86_400,
      SqsManagedSseEnabled: true,
    });
  });

  test.each([
    ['AWS::SNS::TopicPolicy', 'EventsTopicPolicy', 'sns:Publish'],
    ['AWS::SQS::QueuePolicy', 'EventsUndeliveredPolicy', 'sqs:SendMessage'],
  ])('come by that rule only, and not by one of another account: %s', (type, id, action) => {
    const [logicalId] = Object.keys(broker.findResources('AWS::Events::Rule', { Properties: rule }));
    expect(allowedBy(type, id)).toEqual([
      {
        Principal: { Service: 'events.amazonaws.com' },
        Action: action,
        Condition: { ArnEquals: { 'aws:SourceArn': { 'Fn::GetAtt': [logicalId, 'Arn'] } } },
      },
    ]);
  });

  test.each([
    ['AWS::SNS::TopicPolicy', 'EventsTopicPolicy'],
    ['AWS::SQS::QueuePolicy', 'EventsUndeliveredPolicy'],
  ])('travel over TLS: %s', (type, id) => {
    expect(propertiesOf(type, id).PolicyDocument.Statement).toContainEqual(
      expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
    );
  });
});
