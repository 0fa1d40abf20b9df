import { RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  type CfnStage,
  HttpApi,
  HttpMethod,
  HttpNoneAuthorizer,
  HttpStage,
  type IHttpRouteAuthorizer,
  LogGroupLogDestination,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer, HttpJwtAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { type FunctionName, type Route, routes } from '../../lambdas/routes.ts';
import { parseConnectionName } from '../../shared/domain/connection-name.ts';
import { type JwtAuthorization, jwtContext } from '../jwt-authorization.ts';

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

/** A caller with a JWT has no ARN; whom the issuer says that it is. */
const jwtLogFormat = { subject: '$context.authorizer.claims.sub' };

/** The functions that `routes` names. */
export type RoutedFunctions = Readonly<Record<Extract<FunctionName, (typeof routes)[number]['function']>, IFunction>>;

/** What strangers may send to a public route: enough for every login there is, too little to starve the rest of concurrency. */
const publicThrottle = { ThrottlingRateLimit: 10, ThrottlingBurstLimit: 20 };

/** The HTTP API: every route of `routes`, each behind IAM unless it is public, or JWTs open it and an issuer of such is given. */
export class BrokerApi extends Construct {
  readonly api: HttpApi;
  readonly stage: HttpStage;
  readonly #jwt: IHttpRouteAuthorizer | undefined;

  constructor(scope: Construct, id: string, functions: RoutedFunctions, jwt?: JwtAuthorization) {
    super(scope, id);
    this.#jwt = jwt && new HttpJwtAuthorizer('Jwt', jwt.issuer, { jwtAudience: [...jwt.audience] });
    this.api = new HttpApi(this, 'Api', {
      apiName: Stack.of(this).stackName,
      createDefaultStage: false,
      defaultAuthorizer: new HttpIamAuthorizer(),
    });
    const integrations = {
      token: new HttpLambdaIntegration('token', functions.token),
      connections: new HttpLambdaIntegration('connections', functions.connections),
      authorizations: new HttpLambdaIntegration('authorizations', functions.authorizations),
    };
    const all: readonly (Route & { readonly function: keyof RoutedFunctions })[] = routes;
    const open = all.flatMap((route) => {
      const added = this.api.addRoutes({
        path: route.path,
        methods: [HttpMethod[route.method]],
        integration: integrations[route.function],
        ...(route.public && { authorizer: new HttpNoneAuthorizer() }),
        ...(route.jwt && this.#jwt && { authorizer: this.#jwt }),
      });
      return route.public ? added : [];
    });
    for (const route of open) {
      const reason =
        'A browser that comes back from a login has no signature. The handler does nothing without a state that was sealed here.';
      Validations.of(route).acknowledge({ id: 'AwsSolutions-APIG4', reason });
    }
    this.stage = new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      // A tenth of what all HTTP APIs of an account share: a runaway client cannot starve its neighbours.
      throttle: { rateLimit: 1_000, burstLimit: 500 },
      accessLogSettings: {
        destination: new LogGroupLogDestination(
          new LogGroup(this, 'AccessLogs', {
            retention: RetentionDays.ONE_MONTH,
            removalPolicy: RemovalPolicy.DESTROY,
          }),
        ),
        format: AccessLogFormat.custom(JSON.stringify({ ...accessLogFormat, ...(jwt && jwtLogFormat) })),
      },
    });
    const stage = this.stage.node.defaultChild as CfnStage;
    stage.routeSettings = Object.fromEntries(
      all.filter((route) => route.public).map(({ method, path }) => [`${method} ${path}`, publicThrottle]),
    );
    // Settings of a route that is not there yet would be refused.
    stage.node.addDependency(...open);
  }

  /**
   * Lets a principal get the access token of one connection, and do nothing else.
   * Throws if the name is not a connection's: in a policy, `*` would name them all. Throws if JWTs open the token routes: nobody asks IAM there.
   */
  grantGetToken(grantee: IGrantable, connection: string): Grant {
    if (this.#jwt) {
      const reason = `JWTs open the token routes (CDK context ${jwtContext.issuer}), where an IAM policy has no effect`;
      throw new Error(
        `grantGetToken: ${reason}: have the issuer give the scope token:${connection}; nothing was granted`,
      );
    }
    if (parseConnectionName(connection) === undefined) {
      throw new Error(
        `grantGetToken: ${JSON.stringify(connection)} is not a connection's name (1 to 63 of a-z, 0-9 and inner hyphens); nothing was granted`,
      );
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
