/**
 * Where bundles run while they are measured: the emulators, each behind a proxy that notes what passes and can be made
 * slow, and execution environments as on Lambda, which take invocations from the Runtime API.
 */
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { FunctionName } from '../lambdas/routes.ts';
import { createTable, startDynamoDb } from '../local/aws/dynamodb/dynamodb.ts';
import { startEventBridge } from '../local/aws/eventbridge/eventbridge.ts';
import { startSecretsManager } from '../local/aws/secrets-manager/secrets-manager.ts';
import { startSqs } from '../local/aws/sqs/sqs.ts';
import { account, emulatorClient } from '../local/platform/account.ts';
import { readAssembly } from '../local/platform/assembly.ts';
import type { FunctionDefinition } from '../local/platform/deployment.ts';
import { startEnvironment } from '../local/platform/execution-environment.ts';
import { eventOf as gatewayEventOf } from '../local/platform/payload.ts';
import { createSecrets } from '../local/platform/secrets.ts';
import { synthesize } from '../local/platform/synthesize.ts';
import { deploymentOf, secretsOf } from '../local/platform/template.ts';
import { startProxy } from '../test/kill/proxy.ts';
import type { Item } from './write-units.ts';

/** A call as it passed a proxy. */
export interface Passed {
  readonly url: string;
  /** The operation, such as `GetItem`; `token` of a call to the provider. */
  readonly call: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  readonly reply: { readonly status: number; readonly body: string };
  readonly beganAt: number;
  readonly endedAt: number;
}

export interface Environment {
  /** CPU milliseconds of all its threads since its start. */
  cpuMs(): number;
  /** Asks a process that was started with a file for its heap to write into it. */
  tellHeap(): void;
  /** Throws if the handler did. */
  invoke(event: object): Promise<{ readonly statusCode?: number; readonly body?: string }>;
  end(): Promise<void>;
}

/** How a process is watched besides. */
interface Watched {
  /** It reads the clock that the stage forwards. */
  readonly moved?: boolean;
  /** Where it writes how many bytes live, when it is asked. */
  readonly heapFile?: string;
}

export type Stage = Awaited<ReturnType<typeof startStage>>;

export async function startStage(directory: string) {
  const assemblyDirectory = join(directory, 'cdk.out');
  await synthesize(assemblyDirectory);
  writeFileSync(join(assemblyDirectory, 'package.json'), '{ "type": "commonjs" }\n');
  const assembly = readAssembly(assemblyDirectory);
  const database = new DatabaseSync(':memory:');
  const emulators = {
    DYNAMODB: await startDynamoDb(),
    SECRETS_MANAGER: await startSecretsManager({ database }),
    SQS: await startSqs({ database }),
    EVENTBRIDGE: await startEventBridge({ database }),
  };

  let passed: Passed[] = [];
  let latencyMs = 0;
  /** Between a function and what it calls. */
  const watch = (target: string, delayMs: () => number, callOf: (headers: Passed['headers']) => string) => {
    const proxy = startProxy(target, async ({ headers, body }, forward) => {
      const beganAt = performance.now();
      const reply = await forward();
      await sleep(delayMs());
      const text = reply.body.toString();
      passed.push({
        url: (await proxy).url,
        call: callOf(headers),
        headers,
        body,
        reply: { status: reply.status, body: text },
        beganAt,
        endedAt: performance.now(),
      });
      return reply;
    });
    return proxy;
  };
  const operationOf = (headers: Passed['headers']): string => String(headers['x-amz-target']).split('.')[1] ?? '';
  const names = Object.keys(emulators) as (keyof typeof emulators)[];
  const proxies = await Promise.all(names.map((name) => watch(emulators[name].url, () => latencyMs, operationOf)));
  const endpoints = Object.fromEntries(names.map((name, i) => [`AWS_ENDPOINT_URL_${name}`, proxies[i]?.url ?? '']));

  const secretsManager = new SecretsManagerClient({ ...emulatorClient, endpoint: emulators.SECRETS_MANAGER.url });
  const secrets = await createSecrets(secretsOf(assembly), secretsManager);
  const deployment = deploymentOf(assembly, {
    apiUrl: 'http://127.0.0.1:1',
    queueUrl: (name) => `${endpoints.AWS_ENDPOINT_URL_SQS}/${account.accountId}/${name}`,
    secretArn: (name) => secrets.get(name) ?? name,
  });
  for (const { name, properties } of deployment.tables)
    await createTable(emulators.DYNAMODB.url, { TableName: name, ...properties });
  for (const { name } of deployment.queues) emulators.SQS.createQueue(name);
  for (const name of deployment.eventBuses) emulators.EVENTBRIDGE.createEventBus(name);
  const table = new DynamoDBClient({ ...emulatorClient, endpoint: emulators.DYNAMODB.url });

  const clock = join(directory, 'clock');
  let forwardedMs = 0;
  const setClock = (ms: number): void => {
    forwardedMs = ms;
    writeFileSync(`${clock}.new`, String(ms));
    renameSync(`${clock}.new`, clock);
  };
  setClock(0);
  // The emulators and the deadlines of invocations go by it, too.
  process.env.FORWARDED_CLOCK = clock;
  createRequire(import.meta.url)(clockModule);

  const definitionOf = (name: FunctionName): FunctionDefinition => {
    const found = deployment.functions.find((definition) => definition.name.toLowerCase().includes(`${name}function`));
    if (found === undefined) throw new Error(`the template has no function ${name}`);
    return found;
  };

  /** Starts a function cold, of the template or, with its variables, another bundle. */
  async function start(
    what: FunctionName | { readonly bundle: string },
    { moved = false, heapFile }: Watched = {},
  ): Promise<Environment> {
    const definition =
      typeof what === 'string' ? definitionOf(what) : { ...definitionOf('token'), directory: what.bundle };
    const variables = {
      AWS_REGION: account.region,
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      ...endpoints,
      ALLOW_LOOPBACK_PROVIDERS: '1',
      ...(moved && { FORWARDED_CLOCK: clock, NODE_OPTIONS: `--require ${clockModule}` }),
      ...(heapFile !== undefined && { LIVE_HEAP_FILE: heapFile, NODE_OPTIONS: `--require ${heapModule}` }),
    };
    const log: string[] = [];
    let idle = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    const environment = await startEnvironment(definition, variables, {
      idle: () => idle.resolve(),
      exited: () => gone.resolve(),
      log: (line) => log.push(line),
    });
    const ended = gone.promise.then(() => Promise.reject(new Error(log.join('\n'))));
    ended.catch(() => undefined);
    await Promise.race([idle.promise, ended]);
    const { pid } = environment;
    return {
      cpuMs: () => cpuMsOf(pid),
      tellHeap: () => process.kill(pid, 'SIGUSR2'),
      async invoke(event) {
        await Promise.race([idle.promise, ended]);
        idle = Promise.withResolvers<void>();
        const outcome = await environment.invoke(JSON.stringify(event));
        if ('error' in outcome) throw new Error(`${JSON.stringify(outcome.error)}\n${log.join('\n')}`);
        return JSON.parse(outcome.payload) ?? {};
      },
      async end() {
        environment.kill();
        await gone.promise;
      },
    };
  }

  return {
    start,
    /** Lets time pass for this process and for environments that are `moved`. */
    forward: (ms: number): void => setClock(forwardedMs + ms),
    /** Back to the real time. */
    rewind: (): void => setClock(0),
    /** Each reply of AWS comes this much later. */
    slow: (ms: number): void => {
      latencyMs = ms;
    },
    watchProvider: (url: string) =>
      watch(
        url,
        () => 0,
        () => 'token',
      ),
    /** What passed while `act` ran. */
    async calls(act: () => Promise<unknown>): Promise<readonly Passed[]> {
      const during: Passed[] = [];
      passed = during;
      await act();
      passed = [];
      return during;
    },
    async read(connection: string): Promise<Item | undefined> {
      const TableName = definitionOf('token').environment.TABLE_NAME;
      return (await table.send(new GetItemCommand({ TableName, Key: { connection: { S: connection } } }))).Item;
    },
    async close(): Promise<void> {
      for (const client of [table, secretsManager]) client.destroy();
      for (const server of [...proxies, ...Object.values(emulators)]) await server.close();
      database.close();
    },
  };
}

const heapModule = join(import.meta.dirname, 'live-heap.cjs');
const clockModule = join(import.meta.dirname, '../test/end-to-end/forwarded-clock.cjs');

/** What the scheduler has given to each of the process's threads. */
function cpuMsOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const nanoseconds = threads.map((thread) => {
    try {
      return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
    } catch {
      return 0;
    }
  });
  return nanoseconds.reduce((sum, ns) => sum + ns, 0) / 1e6;
}

/** A request as the gateway hands it on, signed. */
export function eventOf(routeKey: string, connection: string, body?: object) {
  const [method, template = ''] = routeKey.split(' ');
  const request = { method, headers: { 'content-type': 'application/json' }, httpVersion: '1.1', socket: {} };
  return gatewayEventOf(request, {
    routeKey,
    path: template.replace('{connection}', connection),
    rawQuery: '',
    pathParameters: { connection },
    body: Buffer.from(body === undefined ? '' : JSON.stringify(body)),
    caller: { accessKeyId: 'local' },
  });
}

/** A message of the refresh queue. */
export const messageFor = (connection: string) => ({
  Records: [{ messageId: '1', body: JSON.stringify({ connection }), attributes: {} }],
});
