/** Runs what is deployed in an account, wired from what its APIs report and from nothing else. */
import { SQSClient } from '@aws-sdk/client-sqs';
import { emulatorClient } from '../../local/platform/account.ts';
import type { RouteDefinition } from '../../local/platform/deployment.ts';
import { startEventSource } from '../../local/platform/event-source.ts';
import { startGateway } from '../../local/platform/gateway.ts';
import { startLambda } from '../../local/platform/lambda.ts';
import type { Credentials } from '../../local/platform/signature.ts';
import { type SignedFetch, signedFetch } from '../../local/platform/signed-fetch.ts';
import type { Account } from './account.ts';
import type { Report } from './report.ts';

export interface Running {
  readonly url: string;
  readonly credentials: Credentials;
  /** Signs, as a caller whom a policy lets in. */
  readonly fetch: SignedFetch;
  /** Every line that a function wrote. */
  readonly log: readonly string[];
  /** Lets the schedule fire once. */
  plan(): Promise<void>;
  /** Lets invocations in flight end, then stops. */
  stop(): Promise<void>;
}

const credentials = { accessKeyId: 'CALLER', secretAccessKey: 'caller' };

/** Starts the functions behind a gateway; the port stays the same between two deployments if it is given. */
export async function runDeployed(account: Account, report: Report, port = 0): Promise<Running> {
  const log: string[] = [];
  const lambda = startLambda(report.functions, {
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

  const gateway = await startGateway(port);
  gateway.serve({ routes: routesOf(report, nameOf), lambda, credentials });
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
    url: gateway.url,
    credentials,
    fetch: signedFetch(gateway.url, credentials),
    log,
    async plan() {
      for (const { schedule, state, targets } of report.rules) {
        if (schedule === null || state !== 'ENABLED') continue;
        for (const { Arn, Input = '{}' } of targets) await lambda.invoke(nameOf(Arn), JSON.parse(Input));
      }
    },
    async stop() {
      await Promise.all([gateway.close(), ...eventSources.map((source) => source.close())]);
      await lambda.close();
      sqs.destroy();
    },
  };
}

function routesOf({ apis }: Report, nameOf: (arn: string) => string): RouteDefinition[] {
  return apis.flatMap(({ routes, integrations, authorizers }) => {
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
  });
}
