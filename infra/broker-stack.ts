import { CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Grant, IGrantable } from 'aws-cdk-lib/aws-iam';
import { RecursiveLoop } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { callbackPath } from '../lambdas/routes.ts';
import { limits } from '../shared/domain/limits.ts';
import { Alarms } from './constructs/alarms.ts';
import {
  announceOn,
  claimRemoval,
  connectionSecrets,
  dueKeys,
  type FunctionBinding,
  items,
  type MayOfSecrets,
  sealedSecrets,
  sealingKey,
  sendTo,
} from './constructs/bindings.ts';
import { BrokerApi } from './constructs/broker-api.ts';
import { BrokerFunction } from './constructs/broker-function.ts';
import { ConnectionEvents } from './constructs/connection-events.ts';
import { BrokerDashboard } from './constructs/dashboard.ts';
import { RefreshQueue } from './constructs/refresh-queue.ts';
import { wholeNumber } from './context.ts';
import type { JwtAuthorization } from './jwt-authorization.ts';
import { dueIndex, type StateStack } from './state-stack.ts';

/** Everything that can be thrown away and deployed again. */
export class BrokerStack extends Stack {
  readonly #api: BrokerApi;

  constructor(
    scope: Construct,
    id: string,
    { table, accessKey, refreshKey, stateKey, secrets }: StateStack,
    jwt?: JwtAuthorization,
  ) {
    super(scope, id, { description: 'Token broker: functions, API, queue and alarms' });
    const secretPrefix = `${this.stackName}/`;
    const secretsOf = (may: MayOfSecrets): FunctionBinding =>
      secrets === undefined
        ? connectionSecrets(this, secretPrefix, may)
        : sealedSecrets(this, secrets, secretPrefix, may);
    const requests = new RefreshQueue(this, 'RefreshQueue');
    // Two is the least that an event source can be limited to.
    const reservedConcurrency = wholeNumber(this.node, 'reservedRefreshConcurrency', { from: 2, to: 1_000 });
    const events = new ConnectionEvents(this, 'Events');

    // Reads no refresh token: neither the secrets nor the key that opens sealed ones.
    const token = new BrokerFunction(this, 'TokenFunction', {
      name: 'token',
      timeoutMs: limits.tokenTimeoutMs,
      memoryMb: 512,
      bindings: [
        items(table, 'GetItem', 'UpdateItem'),
        sealingKey('ACCESS_KEY_SECRET_ID', accessKey),
        sendTo(requests.queue),
      ],
    });

    const refresh = new BrokerFunction(this, 'RefreshFunction', {
      name: 'refresh',
      timeoutMs: limits.refreshTimeoutMs,
      memoryMb: 512,
      bindings: [
        items(table, 'GetItem', 'PutItem', 'UpdateItem', 'DeleteItem'),
        sealingKey('ACCESS_KEY_SECRET_ID', accessKey),
        sealingKey('REFRESH_KEY_SECRET_ID', refreshKey),
        secretsOf({ read: ['refresh', 'client'], write: ['refresh'], remove: ['refresh', 'client'] }),
        sendTo(requests.queue),
        announceOn(events.bus),
      ],
      // A wait sends its message again. Lambda takes that for a runaway loop and, unless told, drops it after about 16 hops.
      recursiveLoop: RecursiveLoop.ALLOW,
      reservedConcurrency,
    });
    requests.feed(refresh, reservedConcurrency);

    const plan = new BrokerFunction(this, 'PlanFunction', {
      name: 'plan',
      timeoutMs: limits.planIntervalMs,
      memoryMb: 256,
      bindings: [dueKeys(table, dueIndex), sendTo(requests.queue)],
    });
    // What a failed minute left, the next one finds: retries would only overlap with it.
    plan.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: Duration.millis(limits.planIntervalMs) });
    new Rule(this, 'EveryMinute', {
      schedule: Schedule.rate(Duration.millis(limits.planIntervalMs)),
      targets: [new LambdaFunction(plan, { retryAttempts: 0 })],
    });

    // Writes refresh tokens that are imported, and reads none.
    const connections = new BrokerFunction(this, 'ConnectionsFunction', {
      name: 'connections',
      timeoutMs: limits.tokenTimeoutMs,
      memoryMb: 256,
      bindings: [
        items(table, 'GetItem', 'PutItem', 'UpdateItem', 'Scan'),
        claimRemoval(table),
        secretsOf({ read: [], write: ['refresh', 'client'], remove: [] }),
        sendTo(requests.queue),
      ],
    });

    // Talks to the provider while a person waits, and goes on when API Gateway has given up: what a code brought is not to be lost.
    const authorizations = new BrokerFunction(this, 'AuthorizationsFunction', {
      name: 'authorizations',
      timeoutMs: limits.refreshTimeoutMs,
      memoryMb: 256,
      bindings: [
        items(table, 'GetItem', 'UpdateItem'),
        sealingKey('ACCESS_KEY_SECRET_ID', accessKey),
        sealingKey('STATE_KEY_SECRET_ID', stateKey),
        secretsOf({ read: ['client'], write: ['refresh'], remove: [] }),
        sendTo(requests.queue),
      ],
    });

    // Whoever reads secrets has to know where they are from now on before anybody writes them there.
    authorizations.node.addDependency(refresh);
    connections.node.addDependency(authorizations);

    this.#api = new BrokerApi(this, 'Api', { token, connections, authorizations }, jwt);
    const { topic } = new Alarms(this, 'Alarms', {
      token,
      refresh,
      plan,
      connections,
      authorizations,
      api: this.#api.api,
      deadLetters: requests.deadLetters,
      undelivered: events.undelivered,
    });

    new BrokerDashboard(this, 'Dashboard', { token, refreshQueue: requests.queue });

    new CfnOutput(this, 'ApiUrl', { value: this.#api.api.apiEndpoint });
    new CfnOutput(this, 'RedirectUri', {
      value: `${this.#api.api.apiEndpoint}${callbackPath}`,
      description: 'To be registered with each provider',
    });
    new CfnOutput(this, 'AlarmTopicArn', { value: topic.topicArn });
    new CfnOutput(this, 'EventBusName', { value: events.bus.eventBusName });
    new CfnOutput(this, 'EventTopicArn', { value: events.topic.topicArn });
    new CfnOutput(this, 'RefreshQueueUrl', { value: requests.queue.queueUrl });
  }

  /**
   * Lets a principal get the access token of one connection (for `default` also as `GET /token`), and nothing else.
   * Throws if that is no connection's name, or if JWTs open the token routes, where no policy has an effect.
   */
  grantGetToken(grantee: IGrantable, connection: string): Grant {
    return this.#api.grantGetToken(grantee, connection);
  }
}
