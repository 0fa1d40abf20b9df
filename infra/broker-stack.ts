import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Grant, IGrantable } from 'aws-cdk-lib/aws-iam';
import { FilterPattern, MetricFilter } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { callbackPath, type Permission } from '../lambdas/routes.ts';
import manifest from '../package.json' with { type: 'json' };
import { assertRelations } from '../shared/domain/limit-relations.ts';
import { metricNamespaceOf } from '../shared/ports/telemetry.ts';
import type { CustomDomain, JwtAuthorization, Throttle } from './choices.ts';
import { Alarms } from './constructs/alarms.ts';
import { BrokerApi } from './constructs/broker-api.ts';
import { Canary } from './constructs/canary.ts';
import { ConnectionEvents } from './constructs/connection-events.ts';
import { BrokerDashboard } from './constructs/dashboard.ts';
import { FixedEgress } from './constructs/fixed-egress.ts';
import { minute } from './constructs/metrics.ts';
import { grantPermission } from './constructs/permissions.ts';
import { RefreshQueue } from './constructs/refresh-queue.ts';
import { SavedQueries } from './constructs/saved-queries.ts';
import { defaultRunbookUrl, defaultThrottle } from './context.ts';
import { addFunctions } from './functions.ts';
import type { StateStack } from './state-stack.ts';

export interface BrokerStackProps extends StackProps {
  /** The state that it works on, of the same account and Region. */
  readonly state: StateStack;
  /**
   * Whose JWTs open the token routes.
   * @default signatures (IAM) open them
   */
  readonly jwt?: JwtAuthorization | undefined;
  /**
   * A host name of the operator's own.
   * @default API Gateway's own
   */
  readonly domain?: CustomDomain | undefined;
  /**
   * How much the API lets through, of all clients together.
   * @default 1,000 requests a second, 500 at once
   */
  readonly throttle?: Throttle;
  /**
   * The most renewals that run at once, 2 to 1,000. Nothing is reserved by it, so it works at any quota.
   * @default as many as are reserved, or 100
   */
  readonly refreshConcurrency?: number | undefined;
  /**
   * Invocations that are kept for renewals, 2 to 1,000, and the most that run at once.
   * @default none are kept
   */
  readonly reservedRefreshConcurrency?: number | undefined;
  /**
   * Invocations that are kept for token requests, and the most that run at once: what the account has beyond them is
   * left to renewals, the planner and logins.
   * @default none are kept, and as many run as the account has left
   */
  readonly reservedTokenConcurrency?: number | undefined;
  /**
   * The allocation id of an Elastic IP address, from which alone providers are then called. It costs a NAT gateway.
   * @default any address of AWS
   */
  readonly egressAddress?: string | undefined;
  /**
   * How many days the audit log is kept, which says who read and changed what: the access log, and those of the
   * functions that callers reach, which then have a line for each answer. They outlive the stack. One of the numbers
   * that CloudWatch Logs offers.
   * @default 30, the access log alone, and it goes with the stack
   */
  readonly auditDays?: number | undefined;
  /**
   * Where alarms say that their articles are; `#` and the name of one follow.
   * @default docs/operations.md
   */
  readonly runbookUrl?: string;
  /**
   * Whether the deployment has an authorization server of its own, public and harmless, from which one connection can
   * renew while a schedule disturbs it: what it saw is part of `npm run verify:aws`. It goes with the stack.
   * @default false
   */
  readonly canary?: boolean;
}

/**
 * The functions, the API, the queue and the alarms. It can be deleted and deployed again, but its host name (unless it
 * has a domain of its own), subscriptions and logs go with it. All names of its own begin with its stack name, which no
 * other deployment has. Throws if the limits contradict each other.
 */
export class BrokerStack extends Stack {
  readonly #api: BrokerApi;
  readonly #jwt: JwtAuthorization | undefined;

  constructor(scope: Construct, id: string, props: BrokerStackProps) {
    assertRelations();
    const {
      state,
      jwt,
      domain,
      throttle = defaultThrottle,
      refreshConcurrency,
      reservedRefreshConcurrency,
      reservedTokenConcurrency,
      egressAddress,
      auditDays,
      runbookUrl = defaultRunbookUrl,
      canary = false,
      ...stackProps
    } = props;
    super(scope, id, { description: 'Token broker: functions, API, queue and alarms', ...stackProps });
    const requests = new RefreshQueue(this, 'RefreshQueue');
    const events = new ConnectionEvents(this, 'Events');

    const functions = addFunctions(this, {
      state,
      requests,
      events,
      jwt,
      domain,
      refreshConcurrency,
      reservedRefreshConcurrency,
      reservedTokenConcurrency,
      auditDays,
      egress: egressAddress === undefined ? undefined : new FixedEgress(this, 'Egress', { address: egressAddress }),
    });

    this.#jwt = jwt;
    this.#api = new BrokerApi(this, 'Api', {
      functions,
      throttle,
      jwt,
      domain,
      auditDays,
    });
    const throttled = new MetricFilter(this, 'Throttled', {
      logGroup: this.#api.accessLogs,
      filterPattern: FilterPattern.stringValue('$.status', '=', '429'),
      metricNamespace: metricNamespaceOf(this.stackName),
      metricName: 'RequestsThrottled',
    });
    const { topic } = new Alarms(this, 'Alarms', {
      ...functions,
      api: this.#api.api,
      deadLetters: requests.deadLetters,
      undelivered: events.undelivered,
      throttled: throttled.metric({ ...minute, statistic: 'Sum' }),
      runbookUrl,
    });

    if (canary) new Canary(this, 'Canary');
    const audited = auditDays !== undefined;
    new SavedQueries(this, 'Queries', { functions, accessLogs: this.#api.accessLogs, audited });
    new BrokerDashboard(this, 'Dashboard', { token: functions.token, refreshQueue: requests.queue });

    this.#tell({ alarmTopic: topic, events, requests });
  }

  /**
   * Lets a principal get the access token of one connection (for `default` also as `GET /token`), and report it as
   * refused. Throws, as the other grants do, where nothing would be granted: if that is no connection's name, or if the
   * principal takes no policy from this app or is of another account; this one also if JWTs open the token routes,
   * where no policy has an effect.
   */
  grantGetToken(grantee: IGrantable, connection: string): Grant {
    if (this.#jwt) {
      const scope = `${this.#jwt.scopePrefix ?? 'token:'}${connection}`;
      throw new Error(
        `grantGetToken: JWTs of ${this.#jwt.issuer} open the token routes, where an IAM policy has no effect: ` +
          `have that issuer give ${scope}; nothing was granted`,
      );
    }
    return this.grant('getToken', grantee, connection);
  }

  /** Lets a principal see the status of one connection, or of every connection and their list if it names none. */
  grantRead(grantee: IGrantable, connection?: string): Grant {
    return this.grant('read', grantee, connection);
  }

  /** Lets a principal make links to log in with, for one connection or for every connection, and see their status. */
  grantConnect(grantee: IGrantable, connection?: string): Grant {
    return this.grant('connect', grantee, connection);
  }

  /** Lets a principal put, delete, pause, connect and see one connection, or every one. It gets no token by that. */
  grantManage(grantee: IGrantable, connection?: string): Grant {
    return this.grant('manage', grantee, connection);
  }

  /** What an operator needs after the deployment. */
  #tell({
    alarmTopic,
    events,
    requests,
  }: {
    readonly alarmTopic: ITopic;
    readonly events: ConnectionEvents;
    readonly requests: RefreshQueue;
  }): void {
    const { url, api, stage } = this.#api;
    new CfnOutput(this, 'ApiUrl', { value: url });
    new CfnOutput(this, 'Release', { value: manifest.version, description: 'Of the broker that is deployed' });
    new CfnOutput(this, 'ApiArn', {
      value: this.formatArn({ service: 'execute-api', resource: api.apiId, resourceName: stage.stageName }),
      description: 'Followed by /METHOD/PATH, the resource of an IAM policy for callers',
    });
    new CfnOutput(this, 'RedirectUri', {
      value: `${url}${callbackPath}`,
      description: 'To be registered with each provider',
    });
    new CfnOutput(this, 'FirstRequest', {
      value: [
        `curl --aws-sigv4 "aws:amz:${this.region}:execute-api" --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"`,
        `-H "x-amz-security-token: $AWS_SESSION_TOKEN" ${url}/connections`,
      ].join(' '),
      description: 'Lists the connections, for a caller that grantRead or grantManage let in',
    });
    new CfnOutput(this, 'AlarmTopicArn', { value: alarmTopic.topicArn });
    new CfnOutput(this, 'EventBusName', { value: events.bus.eventBusName });
    new CfnOutput(this, 'EventTopicArn', { value: events.topic.topicArn });
    new CfnOutput(this, 'RefreshQueueUrl', { value: requests.queue.queueUrl });
  }

  private grant(permission: Permission, grantee: IGrantable, connection: string | undefined): Grant {
    const { api, stage } = this.#api;
    return grantPermission(grantee, { permission, connection, api, stage });
  }
}
