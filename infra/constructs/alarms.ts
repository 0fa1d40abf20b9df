/** What wakes an operator, as data. The article of `docs/operations.md` with an alarm's name says what to do. */
import { Aws, Stack } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { metricsOf, minute } from './metrics.ts';
import { queryNameOf, type SavedQueryName } from './saved-queries.ts';

interface AlarmEntry {
  readonly name: string;
  /** A sentence for the operator, with which the description of the alarm begins. */
  readonly means: string;
  /** What names the connections, or the callers. */
  readonly query: SavedQueryName;
  readonly metric: IMetric;
  /**
   * Alarms at this value and above.
   * @default 1
   */
  readonly threshold?: number;
  /**
   * Alarms when this many minutes of the last so many are at the threshold.
   * @default the first minute
   */
  readonly minutes?: readonly [bad: number, of: number];
  /**
   * Alarms when a minute has no value, too. Only the planner speaks every minute.
   * @default false
   */
  readonly silenceIsBad?: boolean;
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

/** Those of the broker's own metrics. */
const alarmsOfBroker = (ours: ReturnType<typeof metricsOf>): readonly AlarmEntry[] => [
  {
    name: 'RefreshFailing',
    means: 'A connection was not renewed three times in a row or more; a valid token is still served until it expires.',
    query: 'failing-connections',
    metric: ours('RefreshFailing', 'Sum'),
    // Longer than the longest back-off and a call, so that it does not end between two attempts.
    minutes: [1, 20],
  },
  {
    name: 'ReauthorizationRequired',
    means: 'A grant is dead; a person has to authorize its connection again.',
    query: 'failing-connections',
    metric: ours('ReauthorizationRequired', 'Sum'),
  },
  {
    name: 'Misconfigured',
    means: 'A provider refuses the client of a connection; calls have stopped until its settings change.',
    query: 'failing-connections',
    metric: ours('Misconfigured', 'Sum'),
  },
  {
    name: 'BudgetSpent',
    means: 'A connection has used up what it may spend at its provider; it makes no call until its budget is back.',
    query: 'failing-connections',
    metric: ours('BudgetSpent', 'Sum'),
  },
  {
    name: 'ProviderDown',
    means: 'The token endpoint of a provider answers no call; one connection at a time finds out whether it is back.',
    query: 'failing-connections',
    metric: ours('ProviderDown', 'Sum'),
    minutes: [2, 3],
  },
  {
    name: 'RefusalsWithheld',
    means: 'The provider refuses many living grants of one application at once; verdicts on them are withheld.',
    query: 'failing-connections',
    metric: ours('RefusalsWithheld', 'Sum'),
  },
  {
    name: 'OverdueConnections',
    means: 'Connections are not renewed when due, or the planner that would tell is silent.',
    query: 'overdue-connections',
    metric: ours('OverdueConnections', 'Maximum'),
    minutes: [3, 3],
    silenceIsBad: true,
  },
];

/** Those of what AWS measures of the services that carry it. */
const alarmsOfServices = ({ token, api, deadLetters, undelivered, throttled }: AlarmsProps): readonly AlarmEntry[] => [
  {
    name: 'DeadLetters',
    means: 'A message was delivered ten times in vain: the refresh function fails on it, or finds no concurrency.',
    query: 'crashes',
    metric: deadLetters.metricApproximateNumberOfMessagesVisible({ ...minute, statistic: 'Maximum' }),
  },
  {
    name: 'UndeliveredEvents',
    means: 'The event topic did not take an event within a day; its subscribers do not know of a change.',
    query: 'changed-connections',
    metric: undelivered.metricApproximateNumberOfMessagesVisible({ ...minute, statistic: 'Maximum' }),
  },
  {
    name: 'TokenThrottles',
    means: 'Token requests find no concurrency left in the account.',
    query: 'refused-requests',
    metric: token.metricThrottles(minute),
  },
  {
    name: 'ApiServerErrors',
    means: 'Clients get 5xx answers: the broker fails, or tokens are unavailable for longer than clients wait.',
    query: 'refused-requests',
    metric: api.metricServerError({ ...minute, statistic: 'Sum' }),
    threshold: 5,
    minutes: [3, 5],
  },
  {
    name: 'RequestsThrottled',
    means: 'API Gateway refuses requests with 429: together they are more than the deployment lets through.',
    query: 'refused-requests',
    metric: throttled,
    threshold: 5,
    minutes: [3, 5],
  },
];

/** The anchor of an alarm's article in docs/operations.md: `refresh-failing` of `RefreshFailing`. */
const anchorOf = (name: string): string => name.replaceAll(/(?!^)[A-Z]/g, '-$&').toLowerCase();

/** What AWS counts of the functions that fail without a client being told. */
const alarmsOfFunctions = ({ plan, refresh, connections, authorizations }: AlarmsProps): readonly AlarmEntry[] => [
  {
    name: 'PlanErrors',
    means: 'The planner fails; connections are renewed only when a client asks.',
    query: 'crashes',
    metric: plan.metricErrors(minute),
    minutes: [2, 3],
  },
  {
    name: 'RefreshErrors',
    means: 'The refresh function crashes or is killed at its time-out.',
    query: 'crashes',
    metric: refresh.metricErrors(minute),
    minutes: [2, 3],
  },
  // Called by people now and then: the first one counts.
  {
    name: 'ConnectionsErrors',
    means: 'The function that puts, lists and deletes connections crashes or is killed at its time-out.',
    query: 'refused-requests',
    metric: connections.metricErrors(minute),
  },
  {
    name: 'AuthorizationsErrors',
    means: 'The function that makes links to log in with and redeems codes crashes or is killed at its time-out.',
    query: 'refused-requests',
    metric: authorizations.metricErrors(minute),
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
    const { stackName } = Stack.of(this);
    const action = new SnsAction(this.topic);
    for (const entry of [...alarmsOfBroker(metricsOf(this)), ...alarmsOfFunctions(props), ...alarmsOfServices(props)]) {
      const { name, means, query, metric, threshold = 1, minutes = [1, 1], silenceIsBad = false } = entry;
      const which = `Which: the saved query ${queryNameOf(stackName, query)} of CloudWatch Logs Insights.`;
      const alarm = new Alarm(this, name, {
        alarmDescription: `${means} ${which} What to do: ${props.runbookUrl}#${anchorOf(name)}`,
        metric,
        threshold,
        comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        datapointsToAlarm: minutes[0],
        evaluationPeriods: minutes[1],
        treatMissingData: silenceIsBad ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
      });
      alarm.addAlarmAction(action);
      alarm.addOkAction(action);
    }
  }
}
