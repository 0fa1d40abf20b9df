/** What wakes an operator, as data. Each alarm names the article of `docs/operations.md` that says what to do. */
import { Aws } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { metricsOf, minute } from './metrics.ts';

interface AlarmEntry {
  readonly name: string;
  /** A sentence for the operator, with which the description of the alarm begins. */
  readonly means: string;
  /** Anchor in docs/operations.md. */
  readonly runbook: string;
  readonly metric: IMetric;
  /** Alarms at this value and above. */
  readonly threshold: number;
  /** Alarms when this many minutes of the last so many are at the threshold. */
  readonly minutes: readonly [bad: number, of: number];
  /** What a minute without a value counts as. Only the planner speaks every minute, so only its silence is alarming. */
  readonly silence: TreatMissingData.NOT_BREACHING | TreatMissingData.BREACHING;
}

interface AlarmsProps {
  readonly token: IFunction;
  readonly refresh: IFunction;
  readonly plan: IFunction;
  readonly connections: IFunction;
  readonly authorizations: IFunction;
  readonly api: HttpApi;
  readonly deadLetters: IQueue;
  readonly undelivered: IQueue;
  /** Requests that API Gateway answered with 429. */
  readonly throttled: IMetric;
  /** Where the articles are; `#` and the name of one follow. */
  readonly runbookUrl: string;
}

const quiet = TreatMissingData.NOT_BREACHING;

const alarms = (
  ours: ReturnType<typeof metricsOf>,
  { token, refresh, plan, connections, authorizations, api, deadLetters, undelivered, throttled }: AlarmsProps,
): readonly AlarmEntry[] => [
  {
    name: 'RefreshFailing',
    means: 'A connection was not renewed three times in a row or more; a valid token is still served until it expires.',
    runbook: 'refresh-failing',
    metric: ours('RefreshFailing', 'Sum'),
    threshold: 1,
    // Longer than the longest back-off and a call, so that it does not end between two attempts.
    minutes: [1, 20],
    silence: quiet,
  },
  {
    name: 'ReauthorizationRequired',
    means: 'A grant is dead; a person has to authorize its connection again.',
    runbook: 'reauthorization-required',
    metric: ours('ReauthorizationRequired', 'Sum'),
    threshold: 1,
    minutes: [1, 1],
    silence: quiet,
  },
  {
    name: 'Misconfigured',
    means: 'A provider refuses the client of a connection; calls have stopped until its settings change.',
    runbook: 'misconfigured',
    metric: ours('Misconfigured', 'Sum'),
    threshold: 1,
    minutes: [1, 1],
    silence: quiet,
  },
  {
    name: 'BudgetSpent',
    means: 'A connection has used up what it may spend at its provider; it makes no call until its budget is back.',
    runbook: 'budget-spent',
    metric: ours('BudgetSpent', 'Sum'),
    threshold: 1,
    minutes: [1, 1],
    silence: quiet,
  },
  {
    name: 'ProviderDown',
    means: 'The token endpoint of a provider answers no call; one connection at a time finds out whether it is back.',
    runbook: 'provider-down',
    metric: ours('ProviderDown', 'Sum'),
    threshold: 1,
    minutes: [2, 3],
    silence: quiet,
  },
  {
    name: 'RefusalsWithheld',
    means: 'The provider refuses many living grants of one application at once; verdicts on them are withheld.',
    runbook: 'refusals-withheld',
    metric: ours('RefusalsWithheld', 'Sum'),
    threshold: 1,
    minutes: [1, 1],
    silence: quiet,
  },
  {
    name: 'OverdueConnections',
    means: 'Connections are not renewed when due, or the planner that would tell is silent.',
    runbook: 'overdue-connections',
    metric: ours('OverdueConnections', 'Maximum'),
    threshold: 1,
    minutes: [3, 3],
    silence: TreatMissingData.BREACHING,
  },
  {
    name: 'DeadLetters',
    means: 'A message was delivered ten times in vain: the refresh function fails on it, or finds no concurrency.',
    runbook: 'dead-letters',
    metric: deadLetters.metricApproximateNumberOfMessagesVisible({ ...minute, statistic: 'Maximum' }),
    threshold: 1,
    minutes: [1, 1],
    silence: quiet,
  },
  {
    name: 'UndeliveredEvents',
    means: 'The event topic did not take an event within a day; its subscribers do not know of a change.',
    runbook: 'undelivered-events',
    metric: undelivered.metricApproximateNumberOfMessagesVisible({ ...minute, statistic: 'Maximum' }),
    threshold: 1,
    minutes: [1, 1],
    silence: quiet,
  },
  {
    name: 'PlanErrors',
    means: 'The planner fails; connections are renewed only when a client asks.',
    runbook: 'plan-errors',
    metric: plan.metricErrors(minute),
    threshold: 1,
    minutes: [2, 3],
    silence: quiet,
  },
  {
    name: 'RefreshErrors',
    means: 'The refresh function crashes or is killed at its time-out.',
    runbook: 'refresh-errors',
    metric: refresh.metricErrors(minute),
    threshold: 1,
    minutes: [2, 3],
    silence: quiet,
  },
  // Called by people now and then: the first one counts.
  {
    name: 'ConnectionsErrors',
    means: 'The function that puts, lists and deletes connections crashes or is killed at its time-out.',
    runbook: 'connections-errors',
    metric: connections.metricErrors(minute),
    threshold: 1,
    minutes: [1, 1],
    silence: quiet,
  },
  {
    name: 'AuthorizationsErrors',
    means: 'The function that makes links to log in with and redeems codes crashes or is killed at its time-out.',
    runbook: 'authorizations-errors',
    metric: authorizations.metricErrors(minute),
    threshold: 1,
    minutes: [1, 1],
    silence: quiet,
  },
  {
    name: 'TokenThrottles',
    means: 'Token requests find no concurrency left in the account.',
    runbook: 'token-throttles',
    metric: token.metricThrottles(minute),
    threshold: 1,
    minutes: [1, 1],
    silence: quiet,
  },
  {
    name: 'ApiServerErrors',
    means: 'Clients get 5xx answers: the broker fails, or tokens are unavailable for longer than clients wait.',
    runbook: 'api-server-errors',
    metric: api.metricServerError({ ...minute, statistic: 'Sum' }),
    threshold: 5,
    minutes: [3, 5],
    silence: quiet,
  },
  {
    name: 'RequestsThrottled',
    means: 'API Gateway refuses requests with 429: together they are more than the deployment lets through.',
    runbook: 'requests-throttled',
    metric: throttled,
    threshold: 5,
    minutes: [3, 5],
    silence: quiet,
  },
];

/** All alarms, and the one topic that they go to. */
export class Alarms extends Construct {
  readonly topic: Topic;

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    this.topic = new Topic(this, 'Topic', { enforceSSL: true });
    // A topic with a policy of its own has lost the default one, by which alarms of the account may publish.
    this.topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
    );
    const action = new SnsAction(this.topic);
    for (const { name, means, runbook, metric, threshold, minutes, silence } of alarms(metricsOf(this), props)) {
      const alarm = new Alarm(this, name, {
        alarmDescription: `${means} What to do: ${props.runbookUrl}#${runbook}`,
        metric,
        threshold,
        comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        datapointsToAlarm: minutes[0],
        evaluationPeriods: minutes[1],
        treatMissingData: silence,
      });
      alarm.addAlarmAction(action);
      alarm.addOkAction(action);
    }
  }
}
