import { CfnOutput, Stack, Validations } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  ApiMapping,
  type CfnStage,
  DomainName,
  HttpApi,
  HttpMethod,
  HttpNoneAuthorizer,
  HttpStage,
  LogGroupLogDestination,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer, HttpJwtAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { type FunctionName, type Route, routes } from '../../lambdas/routes.ts';
import type { CustomDomain, JwtAuthorization, Throttle } from '../choices.ts';
import { urlOf } from '../context.ts';
import { keptFor } from './kept-logs.ts';

/** Who called what, and how it ended. Neither headers nor the query, where a caller might put what is secret. */
const accessLogFormat = {
  time: '$context.requestTime',
  requestId: '$context.requestId',
  caller: '$context.identity.userArn',
  sourceIp: '$context.identity.sourceIp',
  route: '$context.routeKey',
  path: '$context.path',
  status: '$context.status',
  latencyMs: '$context.responseLatency',
  error: '$context.error.message',
};

/** A caller with a JWT has no ARN; this is whom the issuer says that it is. */
const jwtLogFormat = { subject: '$context.authorizer.claims.sub' };

/** The functions that `routes` names. */
type RoutedFunctions = Readonly<Record<Extract<FunctionName, (typeof routes)[number]['function']>, IFunction>>;

/** What strangers may send to a public route: enough for every login, too little to take the account's concurrency. */
const publicThrottle = { ThrottlingRateLimit: 10, ThrottlingBurstLimit: 20 };

interface BrokerApiProps {
  /** What answers its routes. */
  readonly functions: RoutedFunctions;
  /** How much it lets through, of all clients together; API Gateway answers the rest with 429. */
  readonly throttle: Throttle;
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
   * How many days the access log is kept; it then outlives the stack.
   * @default 30, and it goes with the stack
   */
  readonly auditDays?: number | undefined;
}

/** The HTTP API: every route of `routes`, behind IAM unless it is public or JWTs open it. */
export class BrokerApi extends Construct {
  readonly api: HttpApi;
  readonly stage: HttpStage;
  /** Where clients and browsers reach it, without a slash at the end. */
  readonly url: string;
  readonly accessLogs: LogGroup;

  constructor(scope: Construct, id: string, { functions, throttle, jwt, domain, auditDays }: BrokerApiProps) {
    super(scope, id);
    const authorizer = jwt && new HttpJwtAuthorizer('Jwt', jwt.issuer, { jwtAudience: [...jwt.audience] });
    const { stackName } = Stack.of(this);
    this.api = new HttpApi(this, 'Api', {
      apiName: stackName,
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
        ...(route.jwt && authorizer && { authorizer }),
      });
      return route.public ? added : [];
    });
    for (const route of open) {
      const reason =
        'A browser that comes back from a login has no signature. The handler wants a state that was sealed here.';
      Validations.of(route).acknowledge({ id: 'AwsSolutions-APIG4', reason });
    }
    this.accessLogs = new LogGroup(this, 'AccessLogs', {
      // CloudWatch's policy for vended logs grows with each group outside this prefix, and is full in an old account.
      logGroupName: `/aws/vendedlogs/${stackName}/access`,
      ...keptFor(auditDays),
    });
    this.stage = new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: throttle.requestsPerSecond, burstLimit: throttle.burst },
      accessLogSettings: {
        destination: new LogGroupLogDestination(this.accessLogs),
        format: AccessLogFormat.custom(JSON.stringify({ ...accessLogFormat, ...(jwt && jwtLogFormat) })),
      },
    });
    const stage = this.stage.node.defaultChild as CfnStage;
    stage.routeSettings = Object.fromEntries(
      all.filter((route) => route.public).map(({ method, path }) => [`${method} ${path}`, publicThrottle]),
    );
    // Settings of a route that is not there yet would be refused.
    stage.node.addDependency(...open);
    if (domain) this.serveAt(domain);
    this.url = domain ? urlOf(domain) : this.api.apiEndpoint;
  }

  private serveAt({ name, certificateArn, path }: CustomDomain): void {
    const certificate = Certificate.fromCertificateArn(this, 'Certificate', certificateArn);
    const domainName = new DomainName(this, 'Domain', { domainName: name, certificate });
    new ApiMapping(this, 'Mapping', {
      api: this.api,
      domainName,
      stage: this.stage,
      ...(path !== undefined && { apiMappingKey: path }),
    });
    new CfnOutput(Stack.of(this), 'DomainTarget', {
      value: domainName.regionalDomainName,
      description: `What the name ${name} has to point to, by a CNAME or an alias record`,
    });
  }
}
