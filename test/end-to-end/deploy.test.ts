/**
 * `cdk deploy` for real, in an account on this machine: bootstrap, the previous release, an upgrade, the way back, the
 * other store of secrets with JWTs, and the end of the broker's stack. What runs in between is what was deployed.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, expect, inject, onTestFailed, test, vi } from 'vitest';
import type { Send } from '../../cli/api.ts';
import { Broker } from '../../cli/broker.ts';
import { grantsOf } from '../../cli/export/grants.ts';
import { checksOf } from '../../cli/verify/checks.ts';
import { gather } from '../../cli/verify/gather.ts';
import { callbackPath } from '../../lambdas/routes.ts';
import { emulatorClient } from '../../local/platform/account.ts';
import { synthesize } from '../../local/platform/synthesize.ts';
import { startAuthorizationServer } from '../../local/simulators/oidc/authorization-server.ts';
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

/** Deploys while nothing runs, as a deployment without a client, and then runs what the account says that it has. */
async function deploy(assembly: string): Promise<Running> {
  await stop();
  await account.cdk('deploy', '--all', '--app', assembly, '--method', 'direct', '--require-approval', 'never');
  report = await account.report();
  running = await runDeployed(account, report, port);
  port = Number(new URL(running.url).port);
  return running;
}

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

/** What is not what it was: gone, or another thing under the same logical id. */
const replacedIn = (stack: string, before: Report, after: Report): string[] =>
  Object.entries(before.stacks[stack]?.resources ?? {}).flatMap(([id, physicalId]) =>
    after.stacks[stack]?.resources[id] === physicalId ? [] : [id],
  );

/** The bundles of an assembly, by their digests. */
const bundlesOf = (assembly: string): string[] =>
  readdirSync(assembly)
    .filter((name) => name.startsWith('asset.'))
    .sort();

const errorsOf = (calls: RealServer['calls']) => calls.filter(({ status }) => status >= 400);

test.skipIf(motoMissing)(
  'deploys, serves, upgrades, goes back, changes its store, and ends without a lost grant',
  {
    timeout: 600_000,
  },
  async () => {
    onTestFailed(() => console.error([...log, ...(running?.log ?? [])].join('\n')));
    const others = synthesize(other, () => {}, {
      secretStore: 'dynamodb',
      jwtIssuer: issuer.issuer,
      jwtAudience: audience,
    });

    // The previous release: a connection is imported, served and renewed.
    let deployed = await deploy(previous);
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
    deployed = await deploy(present);
    expect([state, broker].flatMap((stack) => replacedIn(stack, first, report))).toEqual([]);
    expect(report.functions.map(({ directory: code }) => code)).not.toEqual(first.functions.map((fn) => fn.directory));
    await expectServed(deployed, 'exact-nl');
    await expectRenewed(deployed, 'exact-nl');
    await login(deployed, 'logged-in');
    await expectVerified(deployed);
    await expectReadable(deployed, 'logged-in');

    // The way back is a deployment of the release before.
    deployed = await deploy(previous);
    await expectServed(deployed, 'exact-nl');
    await expectRenewed(deployed, 'exact-nl');

    // Secrets move to a table and JWTs open the token routes.
    await others;
    // The same sources, bundled another time, are the same bundles, to the byte.
    expect(bundlesOf(other)).toEqual(bundlesOf(present));
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

    // The broker's stack is destroyed, the state's is not; a new one goes on where the old one was.
    await stop();
    await account.cdk('destroy', broker, '--force', '--app', other);
    await expect(account.cdk('destroy', state, '--exclusively', '--force', '--app', other)).rejects.toThrow(
      'TerminationProtection',
    );
    const remaining = await account.report();
    expect(Object.keys(remaining.stacks).sort()).toEqual(['CDKToolkit', state]);
    expect(remaining).toMatchObject({ functions: [], apis: [], eventSources: [], rules: [] });
    deployed = await deploy(other);
    await expectServed({ ...deployed, fetch: byJwt }, 'exact-nl');

    // What is deleted is gone, and the queue drains.
    expect((await call(deployed.fetch, 'DELETE /connections/exact-nl')).status).toBe(200);
    await expect
      .poll(async () => (await itemsOf('Connections')).map(({ connection: name }) => name), patience)
      .toEqual(['logged-in']);
    expect(await itemsOf('Secrets')).toEqual([]);

    await stop();
    // One refresher, whatever was deployed: the provider saw no token twice.
    expect(errorsOf(provider.calls)).toEqual([]);
    expect(log.filter((line) => /"level":"ERROR"|event source/.test(line))).toEqual([]);
  },
);

/**
 * `npm run verify:aws`, as far as an emulator has what it looks at: moto evaluates no alarm, and counts no metric that
 * it was not given.
 */
async function expectVerified({ url, fetch }: Running): Promise<void> {
  const send: Send = (path, request) => fetch(path, request);
  const target = { kind: 'deployed' as const, broker: new Broker(url, send), aws: emulatorClient, stack: broker };
  const checks = await asOperator(async () => checksOf(await gather(target, broker, Date.now())));
  const failed = checks.filter(({ passed }) => !passed).map(({ what }) => what);
  expect(failed, JSON.stringify(checks)).toEqual([
    'the planner runs every minute',
    'the planner counts what is overdue',
  ]);
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
  vi.stubEnv('AWS_ENDPOINT_URL', account.url);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
  try {
    return await ask();
  } finally {
    vi.unstubAllEnvs();
  }
}

async function itemsOf(table: 'Connections' | 'Secrets'): Promise<Record<string, unknown>[]> {
  const client = new DynamoDBClient({ ...emulatorClient, endpoint: account.url });
  const TableName = report.tables.find((name) => name.includes(`-${table}`));
  const { Items = [] } = await client.send(new ScanCommand({ TableName, ConsistentRead: true }));
  client.destroy();
  return Items.map((item) => unmarshall(item)).filter((item) => !String(Object.values(item)[0]).startsWith('#'));
}
