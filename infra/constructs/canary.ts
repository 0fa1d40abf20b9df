import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { HttpApi, HttpMethod, HttpStage } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { AttributeType, BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import type { CanaryOrder } from '../../shared/canary/serve.ts';
import { limits } from '../../shared/domain/limits.ts';
import { items, told } from './bindings.ts';
import { BrokerFunction } from './broker-function.ts';

/** The broker asks every few minutes. What strangers send can take neither the account's concurrency nor its money. */
const throttle = { rateLimit: 2, burstLimit: 5 };

const disturb: CanaryOrder = { order: 'disturb' };

/**
 * The canary: an authorization server of the deployment's own, which a schedule disturbs. Its API is not the broker's,
 * whose alarms its faults would ring, and no function URL, which no throttle bounds. All of it goes with the choice.
 */
export class Canary extends Construct {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    const table = new Table(this, 'State', {
      partitionKey: { name: 'id', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const api = new HttpApi(this, 'Api', {
      apiName: `${Stack.of(this).stackName}-canary`,
      createDefaultStage: false,
    });
    const canary = new BrokerFunction(this, 'Function', {
      name: 'canary',
      timeoutMs: limits.canary.timeoutMs,
      memoryMb: 256,
      bindings: [items(table, 'GetItem', 'PutItem'), told({ TOKEN_ENDPOINT: `${api.apiEndpoint}/token` })],
    });
    const routes = api.addRoutes({
      path: '/token',
      methods: [HttpMethod.POST],
      integration: new HttpLambdaIntegration('canary', canary),
    });
    const stage = new HttpStage(this, 'Stage', { httpApi: api, stageName: '$default', autoDeploy: true, throttle });
    // A second fault would only meet the first: what one order misses, the next one brings.
    canary.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: Duration.minutes(1) });
    new Rule(this, 'Faults', {
      schedule: Schedule.rate(Duration.millis(limits.canary.faultEveryMs)),
      targets: [new LambdaFunction(canary, { event: RuleTargetInput.fromObject(disturb), retryAttempts: 0 })],
    });
    Validations.of(table).acknowledge({
      id: 'AwsSolutions-DDB3',
      reason: 'One item, of which a new one is made whenever an operator connects the canary.',
    });
    for (const route of routes)
      Validations.of(route).acknowledge({
        id: 'AwsSolutions-APIG4',
        reason: 'A token endpoint (RFC 6749 §3.2): its client authenticates in the body, and its tokens open nothing.',
      });
    Validations.of(stage).acknowledge({
      id: 'AwsSolutions-APIG1',
      reason: 'It counts the calls of its client itself; those of strangers change nothing.',
    });
  }
}
