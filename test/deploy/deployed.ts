/** Runs what is deployed in an account, wired from what its APIs report and from nothing else. */
import { SQSClient } from '@aws-sdk/client-sqs';
import { emulatorClient } from '../../local/platform/account.ts';
import type { FunctionDefinition, RouteDefinition } from '../../local/platform/deployment.ts';
import { startEventSource } from '../../local/platform/event-source.ts';
import { type Gateway, startGateway } from '../../local/platform/gateway.ts';
import { type Lambda, startLambda } from '../../local/platform/lambda.ts';
import type { Credentials } from '../../local/platform/signature.ts';
import { type SignedFetch, signedFetch } from '../../local/platform/signed-fetch.ts';
import { type Passing, type Reply, startProxy } from '../kill/proxy.ts';
import type { Account } from './account.ts';
import type { Report, ReportedApi } from './report.ts';

export interface Running {
  readonly url: string;
  readonly credentials: Credentials;
  /** Signs, as a caller whom a policy lets in. */
  readonly fetch: SignedFetch;
  /** Every line that a function wrote. */
  readonly log: readonly string[];
  /** Every service's endpoint, where a function that is invoked is run. */
  readonly awsUrl: string;
  /** Lets the planner's schedule fire once. */
  plan(): Promise<void>;
  /** Lets the canary's schedule fire once. */
  disturb(): Promise<void>;
  /** Lets invocations in flight end, then stops. */
  stop(): Promise<void>;
}

const credentials = { accessKeyId: 'CALLER', secretAccessKey: 'caller' };

/** Starts the functions behind a gateway; the port stays the same between two deployments if it is given. */
export async function runDeployed(account: Account, report: Report, port = 0): Promise<Running> {
  const log: string[] = [];
  const gateways = await gatewaysOf(report, port);
  const lambda = startLambda(report.functions.map(reaching(gateways)), {
    variables: {
      AWS_ENDPOINT_URL: account.url,
      AWS_REGION: emulatorClient.region,
      AWS_ACCESS_KEY_ID: emulatorClient.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: emulatorClient.credentials.secretAccessKey,
      // The one thing that differs from AWS: providers on this machine, over plain http, may be called.
      ALLOW_LOOPBACK_PROVIDERS: '1',
    },
    onLog: (_, line) => log.push(line),
  });
  const nameOf = (arn: string): string => {
    const found = report.functions.find((candidate) => candidate.arn === arn);
    if (!found) throw new Error(`no function is called ${arn}`);
    return found.name;
  };

  const fire = scheduleOf(report, (arn, event) => lambda.invoke(nameOf(arn), event));
  for (const { api, gateway } of gateways) gateway.serve({ routes: routesOf(api, nameOf), lambda, credentials });
  const [{ gateway: main }] = gateways;
  const aws = await startProxy(account.url, (passing, forward) => invoked(passing, lambda) ?? forward());
  const sqs = new SQSClient({ ...emulatorClient, endpoint: account.url });
  const eventSources = report.eventSources.map((mapping) => {
    const queueArn = mapping.EventSourceArn;
    const [, , , , accountId, queueName = ''] = queueArn.split(':');
    const definition = {
      queueName,
      queueArn,
      functionName: nameOf(mapping.FunctionArn),
      batchSize: mapping.BatchSize,
      maximumConcurrency: mapping.ScalingConfig.MaximumConcurrency,
      reportsBatchItemFailures: mapping.FunctionResponseTypes.includes('ReportBatchItemFailures'),
    };
    return startEventSource({
      definition,
      queueUrl: `${account.url}/${accountId}/${queueName}`,
      sqs,
      lambda,
      concurrency: 4,
      onError: (error) => log.push(`event source: ${error}`),
    });
  });

  return {
    url: main.url,
    awsUrl: aws.url,
    credentials,
    fetch: signedFetch(main.url, credentials),
    log,
    plan: () => fire((arn) => !isCanary(arn)),
    disturb: () => fire(isCanary),
    async stop() {
      await Promise.all([
        ...gateways.map(({ gateway }) => gateway.close()),
        ...eventSources.map((source) => source.close()),
        aws.close(),
      ]);
      await lambda.close();
      sqs.destroy();
    },
  };
}

type Gateways = readonly [Fronted, ...Fronted[]];

/** An API of the account, and where it is on this machine. */
interface Fronted {
  readonly api: ReportedApi;
  readonly gateway: Gateway;
}

/** The broker's own API first, at the port. */
async function gatewaysOf({ apis, stacks }: Report, port: number): Promise<Gateways> {
  const own = Object.values(stacks).map(({ outputs }) => outputs.ApiUrl);
  const [main, ...more] = apis.toSorted((a, b) => Number(own.includes(b.url)) - Number(own.includes(a.url)));
  if (main === undefined) throw new Error('the account has no API');
  return [
    { api: main, gateway: await startGateway(port) },
    ...(await Promise.all(more.map(async (api) => ({ api, gateway: await startGateway(0) })))),
  ];
}

/** A function that is told where an API is, is told where that is on this machine. */
const reaching =
  (gateways: Gateways) =>
  <F extends FunctionDefinition>(definition: F): F => ({
    ...definition,
    environment: Object.fromEntries(
      Object.entries(definition.environment).map(([name, value]) => [
        name,
        gateways.reduce((text, { api, gateway }) => text.replace(api.url, gateway.url), value),
      ]),
    ),
  });

/** Lets the schedules fire once whose functions are asked for. */
const scheduleOf =
  ({ rules }: Report, invoke: (arn: string, event: unknown) => Promise<unknown>) =>
  async (which: (arn: string) => boolean): Promise<void> => {
    for (const { schedule, state, targets } of rules) {
      if (schedule === null || state !== 'ENABLED') continue;
      for (const { Arn, Input = '{}' } of targets) if (which(Arn)) await invoke(Arn, JSON.parse(Input));
    }
  };

const isCanary = (arn: string): boolean => arn.includes('CanaryFunction');

/** moto would look for Docker. https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html */
function invoked({ path, body }: Passing, lambda: Lambda): Promise<Reply> | undefined {
  const [, functionName] = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(path) ?? [];
  if (functionName === undefined) return undefined;
  return lambda.invoke(decodeURIComponent(functionName), JSON.parse(body)).then((outcome) => ({
    status: 200,
    headers: 'error' in outcome ? { 'x-amz-function-error': 'Unhandled' } : {},
    body: Buffer.from('error' in outcome ? JSON.stringify(outcome.error) : outcome.payload),
  }));
}

function routesOf(
  { routes, integrations, authorizers }: ReportedApi,
  nameOf: (arn: string) => string,
): RouteDefinition[] {
  const jwt = new Map(
    authorizers.map(({ AuthorizerId, JwtConfiguration: { Issuer, Audience } }) => [
      AuthorizerId,
      { issuer: Issuer, audience: Audience },
    ]),
  );
  return routes.map(({ RouteKey, Target, AuthorizationType, AuthorizerId = '' }): RouteDefinition => {
    const integration = integrations.find(({ IntegrationId }) => Target === `integrations/${IntegrationId}`);
    const authorization = AuthorizationType === 'JWT' ? jwt.get(AuthorizerId) : AuthorizationType;
    if (!integration || !authorization) throw new Error(`${RouteKey} leads to ${Target}, behind ${AuthorizerId}`);
    return {
      routeKey: RouteKey,
      authorization,
      functionName: nameOf(integration.IntegrationUri),
      timeoutMs: integration.TimeoutInMillis ?? 30_000,
    };
  });
}
