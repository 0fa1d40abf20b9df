/**
 * `cdk deploy` for real, in an account on this machine: bootstrap, the previous release, an upgrade, the way back, the
 * other store of secrets with JWTs, and the end of the stacks; the first deployment and the upgrade fail midway before
 * they succeed. What runs in between is what was deployed, and commands are those of docs/operations.md.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import {
  CloudFormationClient,
  DescribeStackEventsCommand,
  UpdateTerminationProtectionCommand,
} from '@aws-sdk/client-cloudformation';
import { DeleteTableCommand, DynamoDBClient, ScanCommand, UpdateTableCommand } from '@aws-sdk/client-dynamodb';
import { ListSecretsCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, expect, inject, onTestFailed, test, vi } from 'vitest';
import type { Send } from '../../cli/api.ts';
import { Broker } from '../../cli/broker.ts';
import { grantsOf } from '../../cli/export/grants.ts';
import { connectCanary } from '../../cli/verify/canary.ts';
import type { Check } from '../../cli/verify/check.ts';
import { checksOf } from '../../cli/verify/checks.ts';
import { gather } from '../../cli/verify/gather.ts';
import { bundleOf } from '../../infra/bundles.ts';
import { callbackPath } from '../../lambdas/routes.ts';
import { emulatorClient } from '../../local/platform/account.ts';
import { synthesize } from '../../local/platform/synthesize.ts';
import { startAuthorizationServer } from '../../local/simulators/oidc/authorization-server.ts';
import type { CanaryConnection } from '../../shared/canary/connection.ts';
import { type Account, accountId, startAccount } from '../deploy/account.ts';
import { type Running, runDeployed } from '../deploy/deployed.ts';
import { writePreviousRelease } from '../deploy/previous-release.ts';
import type { Report } from '../deploy/report.ts';
import { newBrowser } from '../handlers/browser.ts';
import { motoMissing } from '../local/aws/worlds.ts';
import { audience, type JwtIssuer, startJwtIssuer } from '../local/platform/jwt-issuer.ts';
import { type RealServer, startOidcProvider } from './authorization-servers.ts';

if (motoMissing) test.skip('cdk deploy: skipped, because moto is not installed (pip install "moto[server]")', () => {});

/** Renewed at half their life. */
const accessTokenSeconds = 12;
const patience = { timeout: 60_000, interval: 200 };
const broker = 'token-broker';
const state = 'token-broker-state';

const scratch = mkdtempSync(join(tmpdir(), 'token-broker-deploy-'));
const directory = (name: string): string => mkdtempSync(join(scratch, `${name}-`));
const present = motoMissing ? '' : inject('assembly');
const previous = join(scratch, 'previous');
const other = join(scratch, 'other');

let account: Account;
let provider: RealServer;
let issuer: JwtIssuer;
let running: Running | undefined;
let report: Report;
/** Where clients reach every deployment: a redirect URI must not change by an upgrade. */
let port = 0;
const log: string[] = [];

beforeAll(async () => {
  if (motoMissing) return;
  [account, provider, issuer] = await Promise.all([
    startAccount(),
    startOidcProvider(directory('provider'), accessTokenSeconds),
    startJwtIssuer(),
    writePreviousRelease(previous),
  ]);
  await account.cdk('bootstrap', `aws://${accountId}/us-east-1`, '--app', present);
}, 300_000);

afterAll(async () => {
  await stop();
  await Promise.all([account?.close(), provider?.close(), issuer?.close()]);
  rmSync(scratch, { recursive: true, force: true });
});

async function stop(): Promise<void> {
  await running?.stop();
  log.push(...(running?.log ?? []));
  running = undefined;
}

/** `npx cdk deploy`, of what was synthesized before, without a person to ask. */
const cdkDeploy = (assembly: string, ...args: readonly string[]): Promise<string> =>
  account.cdk('deploy', ...args, '--app', assembly, '--require-approval', 'never');

/** Runs what the account says that it has. */
async function serve(): Promise<Running> {
  await stop();
  report = await account.report();
  running = await runDeployed(account, report, port);
  port = Number(new URL(running.url).port);
  return running;
}

/** Deploys while nothing runs, as a deployment without a client, and then runs what was deployed. */
async function deploy(assembly: string, ...args: readonly string[]): Promise<Running> {
  await stop();
  await cdkDeploy(assembly, '--all', ...(args.length > 0 ? args : ['--method', 'direct']));
  return serve();
}

/** Does what an operator does with the `aws` CLI. */
async function withClients<T>(
  act: (clients: {
    readonly cloudFormation: CloudFormationClient;
    readonly dynamoDb: DynamoDBClient;
    readonly secretsManager: SecretsManagerClient;
  }) => Promise<T>,
): Promise<T> {
  const options = { ...emulatorClient, endpoint: account.url };
  const clients = {
    cloudFormation: new CloudFormationClient(options),
    dynamoDb: new DynamoDBClient(options),
    secretsManager: new SecretsManagerClient(options),
  };
  try {
    return await act(clients);
  } finally {
    for (const client of Object.values(clients)) client.destroy();
  }
}

/** As an account that had too many requests of the kind at that moment. */
const fail = (resourceType: string): Promise<void> =>
  account.fail(resourceType, 'Resource handler returned message: "Rate exceeded"');

const unprotect = (): Promise<unknown> =>
  withClients(({ cloudFormation }) =>
    cloudFormation.send(
      new UpdateTerminationProtectionCommand({ StackName: state, EnableTerminationProtection: false }),
    ),
  );

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

async function call(fetch: Running['fetch'], request: string, body?: object): Promise<Answer> {
  const [method = '', path = ''] = request.split(' ');
  const reply = await fetch(path, { method, ...(body && { body: JSON.stringify(body) }) });
  const text = await reply.text();
  return { status: reply.status, body: text === '' ? {} : JSON.parse(text) };
}

const generationOf = async ({ fetch }: Running, connection: string): Promise<number> =>
  Number((await call(fetch, `GET /connections/${connection}`)).body.generation);

/** The planner alone brings the next generation. */
async function expectRenewed(deployed: Running, connection: string): Promise<void> {
  const before = await generationOf(deployed, connection);
  await expect
    .poll(async () => {
      await deployed.plan();
      return generationOf(deployed, connection);
    }, patience)
    .toBeGreaterThan(before);
}

/** On a busy machine a token of so few seconds may have ended before its client has it: clients ask again. */
const expectServed = async ({ fetch }: Running, connection: string): Promise<void> => {
  await expect
    .poll(() => call(fetch, `GET /token/${connection}?min_ttl=5&wait=20`), patience)
    .toMatchObject({ status: 200, body: { connection, access_token: expect.any(String) } });
};

/** Logs a person in at a provider that sends browsers back to the broker. */
async function login(deployed: Running, connection: string): Promise<void> {
  const redirectUri = `${deployed.url}${callbackPath}`;
  const database = new DatabaseSync(':memory:');
  const server = await startAuthorizationServer({ database, directory: directory('login'), redirectUri });
  const { tokenEndpoint: token_endpoint, authorizationEndpoint: authorization_endpoint, client } = server;
  const put = await call(deployed.fetch, `PUT /connections/${connection}`, {
    provider: 'generic-oauth2',
    settings: { token_endpoint, authorization_endpoint, scope: 'openid offline_access' },
    client: { client_id: client.clientId, client_secret: client.clientSecret },
  });
  expect(put.status, JSON.stringify(put.body)).toBe(201);
  const { body } = await call(deployed.fetch, `POST /connections/${connection}/authorizations`);
  const browser = newBrowser();
  const back = await browser.login(await browser.begin(String(body.connect_url)), 'allow', redirectUri);
  expect(await (await browser.open(back.href)).text()).toContain('<h1>Connected</h1>');
  await expectServed(deployed, connection);
  await server.close();
  database.close();
}

/**
 * "When a first deployment fails": what had been made is gone but for the table, and in the end the same command
 * succeeds.
 */
async function failsFirst(assembly: string): Promise<Running> {
  await fail('AWS::SecretsManager::Secret');
  await expect(deploy(assembly)).rejects.toThrow('Rate exceeded');
  const { stacks, tables } = await account.report();
  expect(stacks[state]?.status).toBe('ROLLBACK_FAILED');
  expect(Object.keys(stacks[state]?.resources ?? {})).toEqual([expect.stringMatching(/^Connections/)]);
  expect(Object.keys(stacks)).not.toContain(broker);
  await expect(deploy(assembly)).rejects.toThrow('TerminationProtection');
  await unprotect();
  await fail('AWS::CloudWatch::Dashboard');
  await expect(deploy(assembly)).rejects.toThrow('Rate exceeded');
  const again = await account.report();
  expect(again.stacks[state]).toMatchObject({ status: 'CREATE_COMPLETE', protected: true });
  expect(again.stacks[broker]).toEqual({ status: 'ROLLBACK_COMPLETE', protected: false, outputs: {}, resources: {} });
  expect(again).toMatchObject({ functions: [], apis: [], eventSources: [], rules: [] });
  const deployed = await deploy(assembly);
  await withClients(async ({ dynamoDb }) => {
    for (const TableName of tables) {
      await dynamoDb.send(new UpdateTableCommand({ TableName, DeletionProtectionEnabled: false }));
      await dynamoDb.send(new DeleteTableCommand({ TableName }));
    }
  });
  report = await account.report();
  return deployed;
}

/** What of a report is the same as long as the same is deployed. */
const deployedIn = ({ stacks, functions, apis, eventSources, rules }: Report) => ({
  outputs: stacks[broker]?.outputs,
  resources: stacks[broker]?.resources,
  functions: functions.map(({ directory: code, ...others }) => ({ ...others, bundle: basename(code) })),
  apis,
  eventSources,
  rules,
});

/** The upgrade fails with functions changed already, and is taken back under the code that runs on. */
async function failsToUpgrade(deployed: Running, connection: string): Promise<Running> {
  const before = report;
  await fail('AWS::CloudWatch::Dashboard');
  const upgrade = expect(cdkDeploy(present, '--all', '--method', 'direct')).rejects.toThrow('Rate exceeded');
  await Promise.all([upgrade, expectRenewed(deployed, connection)]);
  await expectServed(deployed, connection);
  const back = await serve();
  expect(report.stacks[broker]?.status).toBe('UPDATE_ROLLBACK_COMPLETE');
  expect(deployedIn(report)).toEqual(deployedIn(before));
  const { StackEvents = [] } = await withClients(({ cloudFormation }) =>
    cloudFormation.send(new DescribeStackEventsCommand({ StackName: broker })),
  );
  const [failed] = StackEvents.filter(({ ResourceStatus }) => ResourceStatus === 'UPDATE_FAILED');
  expect(failed?.LogicalResourceId).toMatch(/^Dashboard/);
  const ofRefresh = StackEvents.filter(({ LogicalResourceId: id }) => id?.startsWith('RefreshFunction848'));
  expect(ofRefresh.map(({ ResourceStatus }) => ResourceStatus)).toEqual([
    'UPDATE_COMPLETE',
    'UPDATE_COMPLETE',
    'CREATE_COMPLETE',
  ]);
  return back;
}

interface StateTemplate {
  readonly Resources: Readonly<Record<string, { readonly Properties: { readonly Description?: string } }>>;
}

/** "Take a retained state back": its stack is deleted, and a new one has the tables and keys that were retained. */
async function losesState(assembly: string): Promise<void> {
  const before = (await account.report()).stacks[state]?.resources;
  await unprotect();
  await account.cdk('destroy', state, '--exclusively', '--force', '--app', assembly);
  const { stacks, tables } = await account.report();
  expect(Object.keys(stacks)).toEqual(['CDKToolkit']);
  const { SecretList = [] } = await withClients(({ secretsManager }) =>
    secretsManager.send(new ListSecretsCommand({ Filters: [{ Key: 'description', Values: ['Token broker: seals'] }] })),
  );
  const { Resources }: StateTemplate = JSON.parse(readFileSync(join(assembly, `${state}.template.json`), 'utf8'));
  const mapping = Object.entries(Resources).map(
    ([id, { Properties }]): [string, Record<string, string | undefined>] => {
      const TableName = tables.find((name) => name.startsWith(`${state}-${id}-`));
      const Id = SecretList.find(({ Description }) => Description === Properties.Description)?.ARN;
      return [id, TableName === undefined ? { Id } : { TableName }];
    },
  );
  const file = join(scratch, 'state.json');
  const takeBack = (found: object): Promise<string> => {
    writeFileSync(file, JSON.stringify(found));
    return account.cdk('import', state, '--resource-mapping', file, '--app', assembly);
  };
  const wrong = mapping.map(([id, { TableName, ...key }]) => [id, TableName ? { TableName: 'another' } : key]);
  await expect(takeBack(Object.fromEntries(wrong))).rejects.toThrow('there is no AWS::DynamoDB::Table');
  await takeBack(Object.fromEntries(mapping));
  const imported = (await account.report()).stacks[state];
  expect(imported).toEqual({ status: 'IMPORT_COMPLETE', protected: true, outputs: {}, resources: before });
}

/** A saved query holds nothing: a release may do without one that the release before had. */
const mayGo = /^Queries/;

/** What is not what it was: gone, or another thing under the same logical id. */
const replacedIn = (stack: string, before: Report, after: Report): string[] =>
  Object.entries(before.stacks[stack]?.resources ?? {}).flatMap(([id, physicalId]) => {
    const now = after.stacks[stack]?.resources[id];
    return now === physicalId || (now === undefined && mayGo.test(id)) ? [] : [id];
  });

/** The bundles of an assembly, by their digests. */
const bundlesOf = (assembly: string): string[] =>
  readdirSync(assembly)
    .filter((name) => name.startsWith('asset.'))
    .sort();

const errorsOf = (calls: RealServer['calls']) => calls.filter(({ status }) => status >= 400);

test.skipIf(motoMissing)(
  'deploys, serves, upgrades, goes back, changes its store, and ends without a lost grant',
  {
    timeout: 900_000,
  },
  async () => {
    onTestFailed(() => console.error([...log, ...(running?.log ?? [])].join('\n')));
    const others = synthesize(other, () => {}, {
      secretStore: 'dynamodb',
      jwtIssuer: issuer.issuer,
      jwtAudience: audience,
      auditDays: '400',
      canary: 'true',
    });

    // The previous release: a connection is imported, served and renewed.
    let deployed = await failsFirst(previous);
    const first = report;
    expect(first.stacks[state]?.protected).toBe(true);
    const connection = {
      provider: 'generic-oauth2',
      settings: { token_endpoint: provider.tokenEndpoint },
      client: provider.client,
      refresh_token: provider.firstRefreshToken,
      renewal: 'always',
    };
    expect(await call(deployed.fetch, 'PUT /connections/exact-nl', connection)).toMatchObject({ status: 201 });
    await expectServed(deployed, 'exact-nl');
    await expectRenewed(deployed, 'exact-nl');

    // The upgrade.
    deployed = await failsToUpgrade(deployed, 'exact-nl');
    await expectServed(deployed, 'exact-nl');
    deployed = await deploy(present);
    expect([state, broker].flatMap((stack) => replacedIn(stack, first, report))).toEqual([]);
    expect(report.functions.map(({ directory: code }) => code)).not.toEqual(first.functions.map((fn) => fn.directory));
    await expectServed(deployed, 'exact-nl');
    await expectRenewed(deployed, 'exact-nl');
    await login(deployed, 'logged-in');
    await expectVerified(deployed);
    await expectReadable(deployed, 'logged-in');

    // The way back is a deployment of the broker's stack of the release before: what runs on lists connections as well.
    await cdkDeploy(previous, broker, '--exclusively', '--method', 'direct');
    expect(await call(deployed.fetch, 'GET /connections')).toMatchObject({ status: 200 });
    deployed = await serve();
    expect(deployedIn(report).functions).toEqual(deployedIn(first).functions);
    expect(await call(deployed.fetch, 'GET /connections')).toMatchObject({ status: 200 });
    await expectServed(deployed, 'exact-nl');
    await expectRenewed(deployed, 'exact-nl');

    // Secrets move to a table and JWTs open the token routes.
    await others;
    // The same sources, bundled another time, are the same bundles, to the byte.
    const [canary = '', ...more] = bundlesOf(other).filter((bundle) => !bundlesOf(present).includes(bundle));
    expect([more, bundlesOf(other).length]).toEqual([[], bundlesOf(present).length + 1]);
    expect(readFileSync(join(other, canary, 'index.js'), 'utf8')).toBe((await bundleOf('canary')).text);
    deployed = await deploy(other);
    expect(replacedIn(state, first, report)).toEqual([]);
    expect(await call(deployed.fetch, 'GET /token/exact-nl')).toMatchObject({ status: 401 });
    const jwt = await issuer.issue('token:exact-nl');
    const byJwt: Running['fetch'] = (path) =>
      fetch(deployed.url + path, { headers: { authorization: `Bearer ${jwt}` } });
    await expectServed({ ...deployed, fetch: byJwt }, 'exact-nl');
    await expectRenewed(deployed, 'exact-nl');
    expect(await itemsOf('Secrets')).toContainEqual(
      expect.objectContaining({ name: expect.stringMatching(/^exact-nl\/refresh-\d+$/) }),
    );

    await expectCanary(deployed);

    // There is no way back from that store, and nothing changes.
    await expect(cdkDeploy(present, state, '--exclusively', '--method', 'direct')).rejects.toThrow('in use by');
    expect((await account.report()).stacks[state]).toEqual({
      ...report.stacks[state],
      status: 'UPDATE_ROLLBACK_COMPLETE',
    });

    // The broker's stack is destroyed, the state's is not; a new one goes on where the old one was.
    await stop();
    await account.cdk('destroy', broker, '--exclusively', '--force', '--app', other);
    await expect(account.cdk('destroy', state, '--exclusively', '--force', '--app', other)).rejects.toThrow(
      'TerminationProtection',
    );
    const remaining = await account.report();
    expect(Object.keys(remaining.stacks).sort()).toEqual(['CDKToolkit', state]);
    expect(remaining).toMatchObject({ functions: [], apis: [], eventSources: [], rules: [] });
    // So does one that stands on a state that was lost, and it takes the log back that was kept for auditors.
    await losesState(other);
    deployed = await deploy(other, '--import-existing-resources');
    await expectServed({ ...deployed, fetch: byJwt }, 'exact-nl');
    await expectRenewed(deployed, 'exact-nl');

    // What is deleted is gone, and the queue drains.
    expect((await call(deployed.fetch, 'DELETE /connections/exact-nl')).status).toBe(200);
    await expect
      .poll(async () => (await itemsOf('Connections')).map(({ connection: name }) => name), patience)
      .toEqual(['logged-in']);
    expect(await itemsOf('Secrets')).toEqual([]);

    await stop();
    // One refresher, whatever was deployed: the provider saw no token twice.
    expect(errorsOf(provider.calls)).toEqual([]);
    const bad = log.filter((line) => /"level":"ERROR"|event source/.test(line));
    expect(bad.filter((line) => !line.includes('"connection":"canary"'))).toEqual([]);
  },
);

const targetOf = ({ url }: Running, send: Send) => {
  const { Release: release = '' } = report.stacks[broker]?.outputs ?? {};
  return { kind: 'deployed', broker: new Broker(url, send), aws: emulatorClient, stack: broker, release } as const;
};

const verified = (deployed: Running): Promise<readonly Check[]> =>
  asOperator(async () => {
    const target = targetOf(deployed, (path, request) => deployed.fetch(path, request));
    return checksOf(await gather(target, broker, Date.now()));
  });

/**
 * `npm run verify:aws`, as far as an emulator has what it looks at: moto evaluates no alarm, and counts no metric that
 * it was not given.
 */
async function expectVerified(deployed: Running): Promise<void> {
  const checks = await verified(deployed);
  const failed = checks.filter(({ passed }) => !passed).map(({ what }) => what);
  expect(failed, JSON.stringify(checks)).toEqual([
    'the planner runs every minute',
    'the planner counts what is overdue',
  ]);
  const target = targetOf(deployed, (path, request) => deployed.fetch(path, request));
  await expect(asOperator(() => connectCanary(target, broker))).rejects.toThrow(`${broker} has no canary`);
}

/**
 * The canary is connected as an operator does it; its schedule loses a reply and takes it down, and verify finds the
 * promise kept. Then a second refresher has the grant, and verify finds it broken.
 */
async function expectCanary(deployed: Running): Promise<void> {
  const failed = async () =>
    (await verified(deployed)).flatMap(({ what, passed }) => (passed || !what.startsWith('canary') ? [] : [what]));
  expect(await failed()).toEqual(['canary: it is connected']);
  const puts: CanaryConnection[] = [];
  const send: Send = (path, request) => {
    if (request.method === 'PUT') puts.push(JSON.parse(request.body ?? ''));
    return deployed.fetch(path, request);
  };
  await asOperator(() => connectCanary(targetOf(deployed, send), broker, { lifetimeSeconds: 25 }));
  for (const survived of [/1 lost, 0 down/, /1 lost, 1 down/]) {
    await deployed.disturb();
    await expect
      .poll(
        async () => {
          await deployed.plan();
          return (await verified(deployed)).at(-1)?.seen;
        },
        { timeout: 120_000, interval: 1_000 },
      )
      .toMatch(survived);
  }
  expect(await failed()).toEqual([]);

  const [connection] = puts;
  if (connection === undefined) throw new Error('there was no PUT');
  const { settings, client, refresh_token } = connection;
  const stolen = await fetch(settings.token_endpoint ?? '', {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'refresh_token', ...client, refresh_token }),
  });
  expect([stolen.status, await stolen.json()]).toEqual([400, { error: 'invalid_grant' }]);
  expect(await failed()).toEqual(
    expect.arrayContaining([
      'canary: one call for each token lifetime',
      'canary: no refresh token is used twice',
      'canary: no grant is lost',
    ]),
  );
  expect((await call(deployed.fetch, 'DELETE /connections/canary')).status).toBeLessThan(300);
  await expect
    .poll(async () => (await itemsOf('Connections')).map(({ connection: name }) => name), patience)
    .not.toContain('canary');
}

/** `token-broker export --secrets` finds the grants of a stack, once their connections are paused. */
async function expectReadable({ fetch }: Running, connection: string): Promise<void> {
  const read = await asOperator(() => grantsOf(broker, emulatorClient));
  const reading = () => asOperator(() => read(connection));
  expect(await reading()).toMatchObject({ fault: expect.stringContaining('is not paused') });
  await call(fetch, `PUT /connections/${connection}/pause`);
  await expect.poll(reading, patience).toMatchObject({ refreshToken: expect.any(String) });
  await call(fetch, `DELETE /connections/${connection}/pause`);
}

/** Asks the account as a person's tools do, whom the environment tells where it is and who they are. */
async function asOperator<T>(ask: () => Promise<T>): Promise<T> {
  vi.stubEnv('AWS_ENDPOINT_URL', running?.awsUrl ?? account.url);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
  try {
    return await ask();
  } finally {
    vi.unstubAllEnvs();
  }
}

async function itemsOf(table: 'Connections' | 'Secrets'): Promise<Record<string, unknown>[]> {
  const TableName = report.tables.find((name) => name.includes(`-${table}`));
  const { Items = [] } = await withClients(({ dynamoDb }) =>
    dynamoDb.send(new ScanCommand({ TableName, ConsistentRead: true })),
  );
  return Items.map((item) => unmarshall(item)).filter((item) => !String(Object.values(item)[0]).startsWith('#'));
}
