import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import { HttpApi, HttpMethod, HttpStage, LogGroupLogDestination } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { type FunctionName, routes } from '../../lambdas/routes.ts';
import { parseConnectionName } from '../../shared/domain/connection-name.ts';

/** Who called what, and how it ended. Neither headers nor the query, where a caller might put what is secret. */
const accessLogFormat = {
  time: '$context.requestTime',
  requestId: '$context.requestId',
  caller: '$context.identity.userArn',
  route: '$context.routeKey',
  path: '$context.path',
  status: '$context.status',
  latencyMs: '$context.responseLatency',
  error: '$context.error.message',
};

/** The functions that `routes` names. */
export type RoutedFunctions = Readonly<Record<Extract<FunctionName, (typeof routes)[number]['function']>, IFunction>>;

/** The HTTP API: every route of `routes`, each behind IAM. */
export class BrokerApi extends Construct {
  readonly api: HttpApi;
  readonly stage: HttpStage;

  constructor(scope: Construct, id: string, functions: RoutedFunctions) {
    super(scope, id);
    this.api = new HttpApi(this, 'Api', { apiName: Stack.of(this).stackName, createDefaultStage: false, defaultAuthorizer: new HttpIamAuthorizer() });
    const integrations = {
      token: new HttpLambdaIntegration('token', functions.token),
      connections: new HttpLambdaIntegration('connections', functions.connections),
    };
    for (const route of routes) {
      this.api.addRoutes({ path: route.path, methods: [HttpMethod[route.method]], integration: integrations[route.function] });
    }
    this.stage = new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      // A tenth of what all HTTP APIs of an account share: a runaway client cannot starve its neighbours.
      throttle: { rateLimit: 1_000, burstLimit: 500 },
      accessLogSettings: {
        destination: new LogGroupLogDestination(new LogGroup(this, 'AccessLogs', { retention: RetentionDays.ONE_MONTH, removalPolicy: RemovalPolicy.DESTROY })),
        format: AccessLogFormat.custom(JSON.stringify(accessLogFormat)),
      },
    });
  }

  /**
   * Lets a principal get the access token of one connection, and do nothing else.
   * Throws if the name is not a connection's: in a policy, `*` would name them all.
   */
  grantGetToken(grantee: IGrantable, connection: string): Grant {
    if (parseConnectionName(connection) === undefined) {
      throw new Error(`grantGetToken: ${JSON.stringify(connection)} is not a connection's name (1 to 63 of a-z, 0-9 and inner hyphens); nothing was granted`);
    }
    // `GET /token` is short for the connection named `default`.
    const calls = [
      ['GET', `/token/${connection}`],
      ['POST', `/token/${connection}/rejections`],
      ...(connection === 'default' ? [['GET', '/token'] as const] : []),
    ] as const;
    const resourceArns = calls.map(([method, path]) => this.api.arnForExecuteApi(method, path, this.stage.stageName));
    return Grant.addToPrincipal({ grantee, actions: ['execute-api:Invoke'], resourceArns });
  }
}
