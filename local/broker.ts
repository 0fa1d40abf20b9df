import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { JwtAuthorization, SecretStore, Throttle } from '../infra/choices.ts';
import { callbackPath } from '../lambdas/routes.ts';
import type { ProviderName } from './arguments.ts';
import { createTable, startDynamoDb } from './aws/dynamodb/dynamodb.ts';
import { type DeliveredEvent, startEventBridge } from './aws/eventbridge/eventbridge.ts';
import { startSecretsManager } from './aws/secrets-manager/secrets-manager.ts';
import { startSqs } from './aws/sqs/sqs.ts';
import { chooseSecretStore } from './chosen-store.ts';
import { type DemoProvider, startDemoProvider } from './demo/demo.ts';
import { kept } from './kept.ts';
import { logFileIn } from './log-file.ts';
import { account, emulatorClient } from './platform/account.ts';
import { readAssembly } from './platform/assembly.ts';
import type { Deployment } from './platform/deployment.ts';
import { startEventSource } from './platform/event-source.ts';
import { type Refusal, startGateway } from './platform/gateway.ts';
import { defaultConcurrency, type Lambda, startLambda } from './platform/lambda.ts';
import { lockDirectory, lockFile } from './platform/lock.ts';
import { startSchedule } from './platform/schedule.ts';
import { createSecrets } from './platform/secrets.ts';
import type { Credentials } from './platform/signature.ts';
import { type SignedFetch, signedFetch } from './platform/signed-fetch.ts';
import { type Context, synthesize } from './platform/synthesize.ts';
import { deploymentOf, secretsOf } from './platform/template.ts';
import { credentialsFile, noteRunning } from './running-broker.ts';
import type { TokenCall } from './simulators/oidc/authorization-server.ts';
import { startWeather } from './simulators/weather.ts';
import { serveTriggers, type Triggers, triggersOf } from './triggers.ts';

export interface LocalBrokerOptions {
  /** 0 for any free one. */
  readonly port: number;
  /** Everything that is kept is kept here, and goes on at the next start. */
  readonly directory: string;
  /** Which provider to start besides. */
  readonly provider: ProviderName;
  /** Whose JWTs open the token routes; by default signatures do. */
  readonly jwt?: JwtAuthorization;
  /** By default `secrets-manager`. */
  readonly secretStore?: SecretStore;
  /** How many invocations run at a time before Lambda throttles. By default 1,000, of which 8 of a function at once. */
  readonly concurrency?: number;
  /** What the gateway lets through; by default what a deployment does. */
  readonly throttle?: Throttle;
  /** A cloud assembly to run; by default the app's, synthesized when its sources have changed. */
  readonly assembly?: string;
  /** Each line that a function writes. */
  readonly onLog?: (functionName: string, line: string) => void;
  readonly onTokenCall?: (call: TokenCall) => void;
  /** Each event that is put on an event bus, once: a repetition, which has the same `id` in its detail, is left out. */
  readonly onEvent?: (event: DeliveredEvent) => void;
  /** Each request that the gateway did not let through. */
  readonly onRefusal?: (refusal: Refusal) => void;
  readonly onSynthesis?: () => void;
  /** For tests, which put something in between: where the emulators are to be reached, given where they are. */
  readonly endpoints?: (emulators: Endpoints) => Promise<Endpoints>;
  /** For tests: environment variables that every function gets besides. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** Base URLs of what stands for AWS. */
export interface Endpoints {
  readonly dynamoDb: string;
  readonly secretsManager: string;
  readonly sqs: string;
  readonly eventBridge: string;
}

export interface LocalBroker {
  readonly url: string;
  readonly credentials: Credentials;
  /** Signs with these credentials. */
  readonly fetch: SignedFetch;
  readonly deployment: Deployment;
  readonly lambda: Pick<Lambda, 'invoke' | 'environments'>;
  readonly provider: DemoProvider | undefined;
  /** What can be seen and made to go wrong at it. */
  readonly triggers: Triggers | undefined;
  /** Lets invocations in flight end, then stops everything. No process is left when it resolves. */
  close(): Promise<void>;
}

/**
 * Deploys the synthesized template to this machine and runs it. Everything listens on the loopback interface only.
 * Rejects, leaving nothing behind, if the directory or the port is taken, or if the template says something that cannot
 * run here.
 */
export async function startLocalBroker(options: LocalBrokerOptions): Promise<LocalBroker> {
  const closing: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (const end of closing.splice(0).reverse()) await end();
  };
  try {
    return { ...(await start(options, (end) => closing.push(end))), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(
  options: LocalBrokerOptions,
  onClose: (end: () => unknown) => void,
): Promise<Omit<LocalBroker, 'close'>> {
  const directory = resolve(options.directory);
  keepPrivate(directory);
  const lock = lockDirectory(directory);
  onClose(lock.release);
  const keepChoice = chooseSecretStore(directory, options.secretStore ?? 'secrets-manager');
  const gateway = await startGateway(options.port);
  onClose(gateway.close);

  const assemblyDirectory = options.assembly ?? join(directory, 'cdk.out');
  if (options.assembly === undefined) await synthesize(assemblyDirectory, options.onSynthesis, contextOf(options));
  // On Lambda no package.json lies above a bundle. Here this project's would, and make CommonJS pass for an ES module.
  writeFileSync(join(assemblyDirectory, 'package.json'), '{\n  "type": "commonjs"\n}\n');
  const assembly = readAssembly(assemblyDirectory);

  const database = new DatabaseSync(join(directory, 'broker.sqlite'));
  onClose(() => database.close());
  const dynamoDb = await startDynamoDb({ directory: join(directory, 'dynamodb') });
  onClose(dynamoDb.close);
  const secretsManager = await startSecretsManager({ database });
  onClose(secretsManager.close);
  const sqs = await startSqs({ database });
  onClose(sqs.close);
  const told = new Set<unknown>();
  const eventBridge = await startEventBridge({
    database,
    onEvent(event) {
      const { id } = event.detail;
      if (!told.has(id)) options.onEvent?.(event);
      if (id !== undefined) told.add(id);
    },
  });
  onClose(eventBridge.close);
  const emulators = {
    dynamoDb: dynamoDb.url,
    secretsManager: secretsManager.url,
    sqs: sqs.url,
    eventBridge: eventBridge.url,
  };
  const endpoints = (await options.endpoints?.(emulators)) ?? emulators;

  const secrets = await createSecrets(
    secretsOf(assembly),
    new SecretsManagerClient({ ...emulatorClient, endpoint: endpoints.secretsManager }),
  );
  const queueUrl = (name: string): string => `${endpoints.sqs}/${account.accountId}/${name}`;
  const deployment = deploymentOf(assembly, {
    apiUrl: gateway.url,
    queueUrl,
    secretArn: (name) => secrets.get(name) ?? name,
  });
  for (const { name, properties } of deployment.tables)
    await createTable(dynamoDb.url, { TableName: name, ...properties });
  keepChoice();
  for (const { name, properties } of deployment.queues) sqs.createQueue(name, attributesOf(properties));
  for (const name of deployment.eventBuses) {
    eventBridge.createEventBus(name);
    for (const { detail } of eventBridge.events(name)) if (detail.id !== undefined) told.add(detail.id);
  }

  const { onRefusal, onTokenCall } = options;
  const note = logFileIn(directory);
  const onLog = (functionName: string, line: string): void => {
    note(functionName, line);
    options.onLog?.(functionName, line);
  };
  const weather = startWeather();
  const provider =
    options.provider === 'none'
      ? undefined
      : await startDemoProvider(options.provider, {
          database,
          directory,
          weather,
          redirectUri: `${gateway.url}${callbackPath}`,
          ...(onTokenCall && { onTokenCall }),
        });
  if (provider) onClose(provider.close);

  const lambda = startLambda(deployment.functions, {
    variables: {
      AWS_REGION: account.region,
      AWS_DEFAULT_REGION: account.region,
      AWS_ACCESS_KEY_ID: emulatorClient.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: emulatorClient.credentials.secretAccessKey,
      AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamoDb,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoints.secretsManager,
      AWS_ENDPOINT_URL_SQS: endpoints.sqs,
      AWS_ENDPOINT_URL_EVENTBRIDGE: endpoints.eventBridge,
      // The one thing that differs from AWS: providers on this machine, over plain http, may be called.
      ALLOW_LOOPBACK_PROVIDERS: '1',
      ...options.variables,
    },
    ...(options.concurrency && { concurrency: options.concurrency, quota: options.concurrency }),
    onLog,
  });

  const queues = new SQSClient({ ...emulatorClient, endpoint: endpoints.sqs });
  const eventSources = deployment.eventSources.map((definition) =>
    startEventSource({
      definition,
      queueUrl: queueUrl(definition.queueName),
      sqs: queues,
      lambda,
      concurrency: options.concurrency ?? defaultConcurrency,
      onError: (error) => onLog(definition.functionName, `event source ${definition.queueName}: ${error}`),
    }),
  );
  // First nothing new comes in; then, while callers wait, what is in flight ends or is killed.
  onClose(() => Promise.all([gateway.close(), ...eventSources.map((source) => source.close()), lambda.close()]));
  for (const schedule of deployment.schedules) onClose(startSchedule(schedule, lambda).close);

  const credentials = kept<Credentials>(join(directory, credentialsFile), newCredentials);
  gateway.serve({ routes: deployment.routes, lambda, credentials, ...(onRefusal && { onRefusal }) });
  const triggers = provider && triggersOf(provider, weather);
  const served = triggers && (await servedTriggers(triggers, onClose));
  onClose(noteRunning(directory, { url: gateway.url, ...(served && { triggers: served }) }));
  return {
    url: gateway.url,
    credentials,
    fetch: signedFetch(gateway.url, credentials),
    deployment,
    lambda,
    provider,
    triggers,
  };
}

async function servedTriggers(triggers: Triggers, onClose: (end: () => unknown) => void) {
  const key = randomBytes(24).toString('base64url');
  const { url, close } = await serveTriggers(triggers, key);
  onClose(close);
  return { url, key };
}

/** Makes the directory if need be. What this process writes from now on, no other user of the machine can read. */
function keepPrivate(directory: string): void {
  process.umask(0o077);
  mkdirSync(directory, { recursive: true });
  const names = readdirSync(directory);
  // A directory that holds other things as well may be shared on purpose: it stays as open as it is.
  if (names.length === 0 || names.includes(lockFile)) chmodSync(directory, 0o700);
}

const newCredentials = (): Credentials => ({
  accessKeyId: `LOCAL${randomBytes(8).toString('hex').toUpperCase()}`,
  secretAccessKey: randomBytes(30).toString('base64url'),
});

/**
 * As it is given to `cdk deploy`. What is the default is left out: an assembly that was made without it is the same.
 */
const contextOf = ({ jwt, throttle, secretStore = 'secrets-manager' }: LocalBrokerOptions): Context => ({
  ...(secretStore !== 'secrets-manager' && { secretStore }),
  ...(jwt && { jwtIssuer: jwt.issuer, jwtAudience: jwt.audience.join(',') }),
  ...(jwt?.claim !== undefined && { jwtClaim: jwt.claim }),
  ...(jwt?.scopePrefix !== undefined && { jwtScopePrefix: jwt.scopePrefix }),
  ...(throttle && { requestsPerSecond: String(throttle.requestsPerSecond), requestBurst: String(throttle.burst) }),
});

/** SQS takes the values of attributes as text. */
function attributesOf(properties: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [
      name,
      typeof value === 'object' ? JSON.stringify(value) : String(value),
    ]),
  );
}
