import { readFileSync } from 'node:fs';
import { Match } from 'aws-cdk-lib/assertions';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { describe, expect, test } from 'vitest';
import { type Route, routes } from '../../lambdas/routes.ts';
import { limits } from '../../shared/domain/limits.ts';
import { logEvents } from '../../shared/ports/telemetry.ts';
import { propertiesIn, templatesOf, unbundled, withoutHash } from './deployed.ts';

const deployment = unbundled();
const { state, broker, read } = templatesOf(deployment);
const propertiesOf = propertiesIn(broker);

describe('state', () => {
  test('outlives its stack, whose creation can be repeated if it fails, and which is not deleted by mistake', () => {
    expect(deployment.state.terminationProtection).toBe(true);
    const resources: Record<string, { DeletionPolicy: string; UpdateReplacePolicy: string }> = state.toJSON().Resources;
    for (const resource of Object.values(resources))
      expect(resource).toMatchObject({ DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' });
  });

  test('keeps its logical ids: another id would be another, empty table', () => {
    expect(Object.keys(state.toJSON().Resources).sort()).toEqual([
      'AccessKeyE6B25659',
      'Connections827CEF2F',
      'RefreshKey172F2F5D',
      expect.stringMatching(/^StateKey/),
    ]);
  });

  test('is one table with one item a connection, an index of what is due, and one of names', () => {
    state.hasResourceProperties('AWS::DynamoDB::Table', {
      KeySchema: [{ AttributeName: 'connection', KeyType: 'HASH' }],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'due',
          KeySchema: [
            { AttributeName: 'dueShard', KeyType: 'HASH' },
            { AttributeName: 'dueAt', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
        {
          IndexName: 'names',
          KeySchema: [
            { AttributeName: 'dueShard', KeyType: 'HASH' },
            { AttributeName: 'connection', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
      AttributeDefinitions: Match.arrayWith([{ AttributeName: 'dueAt', AttributeType: 'N' }]),
      BillingMode: 'PAY_PER_REQUEST',
      DeletionProtectionEnabled: true,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    });
  });

  test('has three sealing keys of 64 letters and digits', () => {
    state.allResourcesProperties('AWS::SecretsManager::Secret', {
      GenerateSecretString: { PasswordLength: 64, ExcludePunctuation: true },
    });
    state.resourceCountIs('AWS::SecretsManager::Secret', 3);
  });

  test('cannot lose an output that the broker stack uses', () => {
    expect(JSON.stringify(broker.toJSON())).toContain('"Fn::ImportValue":"token-broker-state:');
  });
});

describe('state with secrets in a table', () => {
  const chosen = unbundled({ secretStore: 'dynamodb' });
  const { state: sealed } = templatesOf(chosen);

  test('has a table of versions and a key more, and nothing else has changed', () => {
    const before: Record<string, unknown> = state.toJSON().Resources;
    const resources: Record<string, { DeletionPolicy: string; UpdateReplacePolicy: string }> =
      sealed.toJSON().Resources;
    expect(resources).toMatchObject(before);
    const added = Object.keys(resources).filter((id) => !(id in before));
    expect(added.map(withoutHash).sort()).toEqual(['Secrets', 'SecretsKey']);
    for (const id of added)
      expect(resources[id]).toMatchObject({ DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' });
    expect(propertiesIn(sealed)('AWS::DynamoDB::Table', 'Secrets')).toEqual({
      KeySchema: [
        { AttributeName: 'name', KeyType: 'HASH' },
        { AttributeName: 'versionId', KeyType: 'RANGE' },
      ],
      AttributeDefinitions: [
        { AttributeName: 'name', AttributeType: 'S' },
        { AttributeName: 'versionId', AttributeType: 'S' },
      ],
      BillingMode: 'PAY_PER_REQUEST',
      DeletionProtectionEnabled: true,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    });
    sealed.allResourcesProperties('AWS::SecretsManager::Secret', {
      GenerateSecretString: { PasswordLength: 64, ExcludePunctuation: true },
    });
  });

  test('passes the AwsSolutions rules', () => {
    expect(() => unbundled({ secretStore: 'dynamodb' }).app.synth()).not.toThrow();
  });

  test('is chosen by name, and the default can be written out', () => {
    expect(templatesOf(unbundled({ secretStore: 'secrets-manager' })).state.toJSON()).toEqual(state.toJSON());
  });
});

describe('functions', () => {
  test('run on Node 24 and arm64, log JSON, and keep their logs for a month', () => {
    broker.allResourcesProperties('AWS::Lambda::Function', {
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      LoggingConfig: { LogFormat: 'JSON', SystemLogLevel: 'WARN', LogGroup: { Ref: Match.anyValue() } },
    });
    broker.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 });
  });

  test.each([
    ['TokenFunction', limits.tokenTimeoutMs],
    ['RefreshFunction', limits.refreshTimeoutMs],
    ['PlanFunction', limits.planIntervalMs],
    ['ConnectionsFunction', limits.tokenTimeoutMs],
    ['AuthorizationsFunction', limits.refreshTimeoutMs],
  ])('%s ends when the limits say', (id, ms) => {
    expect(propertiesOf('AWS::Lambda::Function', id).Timeout * 1_000).toBe(ms);
  });

  test('refresh may send to its own queue for ever; no other may loop', () => {
    const looping = Object.entries(
      broker.findResources('AWS::Lambda::Function', { Properties: { RecursiveLoop: 'Allow' } }),
    );
    expect(looping.map(([logicalId]) => withoutHash(logicalId))).toEqual(['RefreshFunction']);
  });
});

describe('the refresh queue', () => {
  const queue = propertiesOf('AWS::SQS::Queue', 'RefreshQueue');
  const mapping = propertiesOf(
    'AWS::Lambda::EventSourceMapping',
    'RefreshFunctionSqsEventSourcetokenbrokerRefreshQueueBD656840',
  );

  test('feeds refresh one message at a time, which fails alone', () => {
    expect(read(mapping.EventSourceArn)).toBe('RefreshQueue.Arn');
    expect(read(mapping.FunctionName)).toBe('RefreshFunction');
    expect(mapping).toMatchObject({ BatchSize: 1, FunctionResponseTypes: ['ReportBatchItemFailures'] });
  });

  test('leaves most of an account’s concurrency (1,000) to others', () => {
    expect(mapping.ScalingConfig.MaximumConcurrency).toBeLessThanOrEqual(200);
  });

  test('reserves no concurrency by default: an account with a small quota could not deploy', () => {
    for (const { Properties } of Object.values(broker.findResources('AWS::Lambda::Function')))
      expect(Properties).not.toHaveProperty('ReservedConcurrentExecutions');
  });

  // As cdk.json has it, and as `cdk deploy -c` hands it on.
  test.each([2, '20', 1_000])('takes as much concurrency as was reserved for it: %j', (reservedRefreshConcurrency) => {
    const { broker: reserving } = templatesOf(unbundled({ reservedRefreshConcurrency }));
    const inReserve = propertiesIn(reserving);
    expect(inReserve('AWS::Lambda::Function', 'RefreshFunction').ReservedConcurrentExecutions).toBe(
      Number(reservedRefreshConcurrency),
    );
    const [{ Properties } = { Properties: {} }] = Object.values(
      reserving.findResources('AWS::Lambda::EventSourceMapping'),
    );
    expect(Properties.ScalingConfig.MaximumConcurrency).toBe(Number(reservedRefreshConcurrency));
  });

  test.each([
    [{ refreshConcurrency: '4' }, 4],
    [{ refreshConcurrency: 50, reservedRefreshConcurrency: 60 }, 50],
    [{ refreshConcurrency: 60, reservedRefreshConcurrency: 50 }, 50],
  ])('runs no more renewals at once than %j lets it', (settings, atOnce) => {
    const mappings = templatesOf(unbundled(settings)).broker.findResources('AWS::Lambda::EventSourceMapping');
    expect(Object.values(mappings).map(({ Properties }) => Properties.ScalingConfig.MaximumConcurrency)).toEqual([
      atOnce,
    ]);
  });

  test('has a message delivered often before it is dead: a throttled delivery counts, though no code has run', () => {
    expect(queue.RedrivePolicy.maxReceiveCount).toBe(10);
  });

  test('hides a message for at least six times as long as refresh may take', () => {
    expect(queue.VisibilityTimeout).toBeGreaterThanOrEqual(
      6 * propertiesOf('AWS::Lambda::Function', 'RefreshFunction').Timeout,
    );
  });

  test('keeps a message for longer than all its deliveries and the longest delay take', () => {
    expect(queue.MessageRetentionPeriod).toBeGreaterThan(
      queue.RedrivePolicy.maxReceiveCount * queue.VisibilityTimeout + limits.messageDelayMaxMs / 1_000,
    );
  });

  test('is encrypted, hands what fails to the dead letters, and is no FIFO queue, which has no delays', () => {
    expect(read(queue.RedrivePolicy.deadLetterTargetArn)).toBe('RefreshQueueDeadLetters.Arn');
    broker.allResourcesProperties('AWS::SQS::Queue', { SqsManagedSseEnabled: true, FifoQueue: Match.absent() });
  });
});

test('plan runs at its interval; a failed run is not repeated on top of the next', () => {
  const { ScheduleExpression, State, Targets } = propertiesOf('AWS::Events::Rule', 'EveryMinute');
  expect({ ScheduleExpression, State }).toEqual({ ScheduleExpression: 'rate(1 minute)', State: 'ENABLED' });
  expect(limits.planIntervalMs).toBe(60_000);
  expect(Targets).toHaveLength(1);
  expect(read(Targets[0].Arn)).toBe('PlanFunction.Arn');
  expect(Targets[0].RetryPolicy).toEqual({ MaximumRetryAttempts: 0 });
  broker.hasResourceProperties('AWS::Lambda::EventInvokeConfig', { MaximumRetryAttempts: 0 });
});

describe('the HTTP API', () => {
  test('has the routes of routes.ts, each to its function, and behind IAM unless it is public', () => {
    const integrations = Object.fromEntries(
      Object.entries(broker.findResources('AWS::ApiGatewayV2::Integration')).map(([id, { Properties }]) => [
        withoutHash(id),
        read(Properties.IntegrationUri),
      ]),
    );
    const deployed = Object.values(broker.findResources('AWS::ApiGatewayV2::Route')).map(({ Properties }) => ({
      key: Properties.RouteKey,
      authorization: Properties.AuthorizationType,
      function: integrations[read(Properties.Target).replace('integrations/', '')],
    }));
    const ids = {
      token: 'TokenFunction.Arn',
      connections: 'ConnectionsFunction.Arn',
      authorizations: 'AuthorizationsFunction.Arn',
    };
    expect(deployed).toHaveLength(routes.length);
    const expected = (routes as readonly Route[]).map(({ method, path, function: name, public: open }) => ({
      key: `${method} ${path}`,
      authorization: open ? 'NONE' : 'AWS_IAM',
      function: ids[name as keyof typeof ids],
    }));
    expect(deployed).toEqual(expect.arrayContaining(expected));
  });

  test('is open to strangers where a browser begins and ends a login, slowly', () => {
    const open = Object.values(broker.findResources('AWS::ApiGatewayV2::Route')).filter(
      ({ Properties }) => Properties.AuthorizationType !== 'AWS_IAM',
    );
    const keys = open.map(({ Properties }) => Properties.RouteKey).toSorted();
    expect(keys).toEqual(['GET /connect/{connection}', 'GET /oauth/callback', 'GET /oauth/callback/{connection}']);
    const { RouteSettings } = propertiesOf('AWS::ApiGatewayV2::Stage', 'ApiStage');
    const slowly = { ThrottlingRateLimit: 10, ThrottlingBurstLimit: 20 };
    expect(RouteSettings).toEqual(Object.fromEntries(keys.map((key) => [key, slowly])));
  });

  test('logs where an account’s policy for vended logs has room for it', () => {
    expect(propertiesOf('AWS::Logs::LogGroup', 'ApiAccessLogs').LogGroupName).toBe(
      '/aws/vendedlogs/token-broker/access',
    );
  });

  test('logs who called what, and neither headers nor queries', () => {
    const { AccessLogSettings, DefaultRouteSettings, StageName } = propertiesOf('AWS::ApiGatewayV2::Stage', 'ApiStage');
    expect(StageName).toBe('$default');
    expect(Object.keys(JSON.parse(AccessLogSettings.Format))).toEqual(
      expect.arrayContaining(['requestId', 'caller', 'route', 'status']),
    );
    expect(AccessLogSettings.Format).not.toMatch(/header|query|authorizer\.|protocol/i);
    expect(DefaultRouteSettings).toEqual({
      ThrottlingRateLimit: expect.any(Number),
      ThrottlingBurstLimit: expect.any(Number),
    });
  });

  test('its functions answer before it gives up after 30 s, but for the one that a provider may keep waiting', () => {
    for (const id of ['TokenFunction', 'ConnectionsFunction'])
      expect(propertiesOf('AWS::Lambda::Function', id).Timeout).toBeLessThan(30);
  });
});

describe('alarms', () => {
  const alarms = Object.entries(broker.findResources('AWS::CloudWatch::Alarm')).map(([id, { Properties }]) => ({
    ...Properties,
    name: withoutHash(id).replace('Alarms', ''),
  }));
  const named = (name: string) => alarms.find((alarm) => alarm.name === name);

  test('ring for each function that fails without a client being told', () => {
    const routed = (routes as readonly Route[]).map((route) => route.function);
    const crashes = alarms.filter(({ Namespace, MetricName }) => Namespace === 'AWS/Lambda' && MetricName === 'Errors');
    const watched = crashes.map(({ Dimensions }) => read(Dimensions[0].Value));
    const functions = Object.keys(broker.findResources('AWS::Lambda::Function')).map(withoutHash);
    expect(functions).toHaveLength(5);
    // A crash of the token function is a 5xx to its client, for which the API's alarm rings.
    expect(functions.filter((id) => !watched.includes(id))).toEqual(['TokenFunction']);
    expect(routed).toContain('token');
    expect(named('ApiServerErrors')).toMatchObject({ Namespace: 'AWS/ApiGateway', MetricName: '5xx' });
  });

  test('ring for each queue of what could not be handled', () => {
    const queues = Object.values(broker.findResources('AWS::SQS::Queue')).map(({ Properties }) => Properties);
    const rules = Object.values(broker.findResources('AWS::Events::Rule')).flatMap(
      ({ Properties }) => Properties.Targets,
    );
    const targets = [
      ...queues.flatMap(({ RedrivePolicy }) => (RedrivePolicy ? [read(RedrivePolicy.deadLetterTargetArn)] : [])),
      ...rules.flatMap(({ DeadLetterConfig }) => (DeadLetterConfig ? [read(DeadLetterConfig.Arn)] : [])),
    ];
    const watched = alarms
      .filter(({ Namespace }) => Namespace === 'AWS/SQS')
      .map(({ Dimensions }) => read(Dimensions[0].Value).replace(/\.QueueName$/, '.Arn'));
    expect(targets).toHaveLength(2);
    expect(watched.sort()).toEqual(targets.sort());
  });

  test('ring for requests that API Gateway refuses with 429, which only its access log tells', () => {
    const { LogGroupName, FilterPattern, MetricTransformations } = propertiesOf('AWS::Logs::MetricFilter', 'Throttled');
    expect(read(LogGroupName)).toBe('ApiAccessLogs');
    const { AccessLogSettings } = propertiesOf('AWS::ApiGatewayV2::Stage', 'ApiStage');
    expect(read(AccessLogSettings.DestinationArn)).toContain('ApiAccessLogs.Arn');
    expect(JSON.parse(AccessLogSettings.Format).status).toBe('$context.status');
    expect(FilterPattern).toBe('{ $.status = "429" }');
    const [{ MetricName, MetricNamespace, MetricValue }] = MetricTransformations;
    expect(MetricValue).toBe('1');
    expect(named('RequestsThrottled')).toMatchObject({
      MetricName,
      Namespace: MetricNamespace,
      Statistic: 'Sum',
      Threshold: 5,
    });
  });

  test('tell one topic, when they begin and when they end', () => {
    for (const { AlarmActions, OKActions } of alarms)
      expect([AlarmActions, OKActions].map((actions) => actions.map(read))).toEqual([['AlarmsTopic'], ['AlarmsTopic']]);
  });

  test('ring by silence only where something must be said every minute', () => {
    for (const { name, TreatMissingData } of alarms)
      expect([name, TreatMissingData]).toEqual([name, name === 'OverdueConnections' ? 'breaching' : 'notBreaching']);
  });

  test('ring for a planner that is silent, or connections that are late, for three minutes', () => {
    expect(named('OverdueConnections')).toMatchObject({
      Threshold: 1,
      EvaluationPeriods: 3,
      DatapointsToAlarm: 3,
      Period: 60,
      Statistic: 'Maximum',
    });
  });

  test('do not end between two attempts of a connection that goes on failing', () => {
    const failing = named('RefreshFailing');
    expect(failing).toMatchObject({ Threshold: 1, DatapointsToAlarm: 1, Period: 60, Statistic: 'Sum' });
    expect(failing?.EvaluationPeriods * 60_000).toBeGreaterThanOrEqual(
      limits.backOffMaxMs * 1.25 + limits.callTimeoutMs,
    );
  });

  test.each([
    'ReauthorizationRequired',
    'Misconfigured',
    'DeadLetters',
    'UndeliveredEvents',
    'ConnectionsErrors',
    'AuthorizationsErrors',
  ])('ring for the first %s', (name) => {
    expect(named(name)).toMatchObject({
      Threshold: 1,
      EvaluationPeriods: 1,
      DatapointsToAlarm: 1,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
    });
  });

  test('look at our metrics where the functions write them: in their namespace, without dimensions', () => {
    const ours = alarms.filter(({ MetricName, name }) => MetricName === name);
    expect(ours).toHaveLength(8);
    for (const { Namespace, Dimensions } of ours)
      expect({ Namespace, Dimensions }).toEqual({ Namespace: 'TokenBroker', Dimensions: undefined });
  });

  test.each(['Plan', 'Refresh', 'Connections', 'Authorizations'])('ring when the function of %s crashes', (name) => {
    const { Namespace, MetricName, Statistic, Dimensions } = named(`${name}Errors`) ?? {};
    expect({ Namespace, MetricName, Statistic }).toEqual({
      Namespace: 'AWS/Lambda',
      MetricName: 'Errors',
      Statistic: 'Sum',
    });
    expect(Dimensions.map(({ Name, Value }: { Name: string; Value: unknown }) => [Name, read(Value)])).toEqual([
      ['FunctionName', `${name}Function`],
    ]);
  });

  test.each([
    ['DeadLetters', 'RefreshQueueDeadLetters'],
    ['UndeliveredEvents', 'EventsUndelivered'],
  ])('%s rings for what lies in its own queue', (name, queue) => {
    const { Namespace, MetricName, Statistic, Dimensions } = named(name) ?? {};
    expect({ Namespace, MetricName, Statistic }).toEqual({
      Namespace: 'AWS/SQS',
      MetricName: 'ApproximateNumberOfMessagesVisible',
      Statistic: 'Maximum',
    });
    expect(Dimensions.map(({ Name, Value }: { Name: string; Value: unknown }) => [Name, read(Value)])).toEqual([
      ['QueueName', `${queue}.QueueName`],
    ]);
  });

  test('have one article each in the operations manual, named after its alarm, and the manual has no other', () => {
    const manual = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
    const [, articles = ''] = /^## Alarms$(.*?)^## /ms.exec(manual) ?? [];
    const headings = [...articles.matchAll(/^### (.+)$/gm)].map(([, heading = '']) => heading.toLowerCase());
    expect(headings.map((heading) => heading.replaceAll(' ', '')).sort()).toEqual(
      alarms.map(({ name }) => name.toLowerCase()).sort(),
    );
    const anchors = alarms.map(
      ({ AlarmDescription }) => String(AlarmDescription).match(/docs\/operations\.md#([a-z-]+)$/)?.[1],
    );
    expect(anchors.sort()).toEqual(headings.map((heading) => heading.replaceAll(' ', '-')).sort());
  });

  test('name the saved query that says which connections, as their articles do', () => {
    const manual = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
    const saved = Object.values(broker.findResources('AWS::Logs::QueryDefinition')).map(({ Properties }) => Properties);
    for (const { name, AlarmDescription } of alarms) {
      const [, query = '', anchor = ''] =
        /the saved query token-broker\/([a-z-]+) of CloudWatch Logs Insights\..*#([a-z-]+)$/.exec(AlarmDescription) ??
        [];
      expect([name, saved.map(({ Name }) => Name)]).toEqual([name, expect.arrayContaining([`token-broker/${query}`])]);
      const heading = anchor.replaceAll('-', ' ');
      const [, article = ''] = new RegExp(`^### ${heading}$(.*?)^##`, 'ims').exec(manual) ?? [];
      expect([name, article]).toEqual([name, expect.stringContaining(`\`${query}\``)]);
    }
  });

  test('may publish: the policy that asks for TLS takes the default one’s place', () => {
    broker.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith(
          [
            Match.objectLike({
              Effect: 'Allow',
              Action: 'sns:Publish',
              Principal: { Service: 'cloudwatch.amazonaws.com' },
              Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
            }),
            Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
          ].reverse(),
        ),
      },
    });
  });
});

describe('saved queries', () => {
  const saved = Object.values(broker.findResources('AWS::Logs::QueryDefinition')).map(({ Properties }) => Properties);

  test('ask for events that are logged', () => {
    const asked = saved.flatMap(({ QueryString }) => [...QueryString.matchAll(/"([a-z]+_[a-z_]+|authorized)"/g)]);
    expect(asked.length).toBeGreaterThan(10);
    expect(asked.map(([, event]) => event).filter((event) => !logEvents.some((known) => known === event))).toEqual([]);
  });

  test('look at the functions’ own log groups, or at the access log', () => {
    for (const { LogGroupNames } of saved)
      for (const group of LogGroupNames) expect(read(group)).toMatch(/^(\w+FunctionLogs|ApiAccessLogs)$/);
  });
});

test('a resource against the AwsSolutions rules stops the synthesis', () => {
  const { app, broker: unsafe } = unbundled();
  new Queue(unsafe, 'Unsecured');
  expect(() => app.synth()).toThrow(/AwsSolutions-SQS4/);
});
