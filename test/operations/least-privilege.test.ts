/**
 * The rights of each function are as wide as its calls: all that the functions do is seen between them and AWS, and
 * held against the policies of the template. Nothing is done that is not allowed, nothing allowed that is never done.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DeleteSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { DeployedName, FunctionName } from '../../lambdas/routes.ts';
import { createTable } from '../../local/aws/dynamodb/dynamodb.ts';
import {
  type AuthorizationServer,
  startAuthorizationServer,
} from '../../local/simulators/oidc/authorization-server.ts';
import { newBrowser } from '../handlers/browser.ts';
import { lifetimeSeconds } from '../handlers/provider.ts';
import { routed } from '../handlers/request.ts';
import { secretsInTable } from '../handlers/stores.ts';
import { openWorld, origin } from '../handlers/world.ts';
import { templatesOf, unbundled } from '../infra/deployed.ts';
import { allows, type Call, covers, type Statement } from './policies.ts';
import { type Names, type RecordedCall, recording } from './recorded-calls.ts';

// Hours are played, by functions that start cold now and then.
vi.setConfig({ testTimeout: 120_000 });

const functions: readonly FunctionName[] = ['token', 'refresh', 'plan', 'connections', 'authorizations'];

const names: Names = {
  tables: { connections: 'Connections.Arn', secrets: 'Secrets.Arn', canary: 'CanaryState.Arn' },
  secrets: {
    'access-key': 'AccessKey',
    'refresh-key': 'RefreshKey',
    'state-key': 'StateKey',
    'secrets-key': 'SecretsKey',
  },
  queue: 'RefreshQueue.Arn',
  bus: 'EventsBus.Arn',
};

/** What Lambda does with a function's rights, not the function: it writes its logs and reads its queue. */
const ofLambda = (action: string): boolean =>
  action.startsWith('logs:') || (action.startsWith('sqs:') && action !== 'sqs:SendMessage');

const asList = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value]);

/** The statements of a function's role, by the template of a deployment. */
function statementsOf(context: Readonly<Record<string, string>>): (name: DeployedName) => Statement[] {
  const { broker, read } = templatesOf(unbundled(context));
  const policies = Object.values(broker.findResources('AWS::IAM::Policy')).map(({ Properties }) => Properties);
  return (name) => {
    const role = `${name[0]?.toUpperCase()}${name.slice(1)}FunctionRole`;
    return policies
      .filter(({ Roles }) => Roles.map(read).includes(role))
      .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
      .map(({ Effect, Action, Resource, Condition = {} }) => ({
        effect: Effect,
        actions: asList<string>(Action),
        resources: asList(Resource).map(read),
        conditions: Object.fromEntries(
          Object.entries<Record<string, string | string[]>>(Condition).map(([operator, keys]) => [
            operator,
            Object.fromEntries(Object.entries(keys).map(([key, values]) => [key, asList(values)])),
          ]),
        ),
      }));
  };
}

let world: Awaited<ReturnType<typeof openWorld>>;
let server: AuthorizationServer;
let admin: SecretsManagerClient;
/** Where tables are made, past the recorder. */
let dynamoDb: string;
let atWork: DeployedName = 'token';
const calls: RecordedCall[] = [];
const directory = mkdtempSync(join(tmpdir(), 'privilege-'));
const database = new DatabaseSync(':memory:');
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  world = await openWorld();
  // Past the recorder, which stands in the environment later.
  admin = new SecretsManagerClient({ endpoint: process.env.AWS_ENDPOINT_URL_SECRETS_MANAGER ?? '' });
  await world.stores.newSecretsTable();
  dynamoDb = process.env.AWS_ENDPOINT_URL_DYNAMODB ?? '';
  server = await startAuthorizationServer({ database, directory, redirectUri: `${origin}/oauth/callback` });
  const queue = new URL(process.env.REFRESH_QUEUE_URL ?? '');
  const before = async (url: string): Promise<string> => {
    const proxy = await recording(url, names, () => atWork, calls);
    closing.push(proxy.close);
    return proxy.url;
  };
  for (const service of ['DYNAMODB', 'SECRETS_MANAGER', 'EVENTBRIDGE'])
    process.env[`AWS_ENDPOINT_URL_${service}`] = await before(process.env[`AWS_ENDPOINT_URL_${service}`] ?? '');
  process.env.REFRESH_QUEUE_URL = `${await before(queue.origin)}${queue.pathname}`;
});

afterAll(async () => {
  admin.destroy();
  for (const close of closing) await close();
  await world.close();
  await server.close();
  database.close();
  rmSync(directory, { recursive: true });
});

/** As a client; what a scene puts, it must have put. */
async function call(request: string, body?: unknown) {
  atWork = routed(request).name;
  const answer = await world.call(request, body);
  if (request.startsWith('PUT')) expect(answer, request).toMatchObject({ body: { connection: expect.any(String) } });
  return answer;
}
const refresh = async (connection: string): Promise<void> => {
  atWork = 'refresh';
  await world.refresh(connection);
};

const body = (client: string, more: object = {}) => ({
  provider: 'generic-oauth2',
  settings: { token_endpoint: world.provider.tokenEndpoint },
  client: { client_id: client, client_secret: world.secret('client') },
  refresh_token: world.secret('refresh'),
  renewal: 'always',
  ...more,
});

/** Its secrets are to be deleted, as by a removal that was overtaken: only a reader or a writer can bring them back. */
async function losesItsSecrets(connection: string): Promise<void> {
  const kept = world.stores.vault() as readonly { readonly name: string }[];
  for (const SecretId of new Set(kept.map(({ name }) => name)))
    if (SecretId.startsWith(`token-broker/${connection}/`)) await admin.send(new DeleteSecretCommand({ SecretId }));
}

type Store = 'secrets-manager' | 'dynamodb';

/** All that the functions do, of every kind. */
async function live(store: Store): Promise<void> {
  await aLife(`lived-${store}`);
  await badDays(`down-${store}`, store);
  await aClaim(`claimed-${store}`);
  await logins(`person-${store}`, store);
  if (store === 'dynamodb') await oldVersions(`down-${store}-2`);
}

/** A connection comes, is used, goes, and comes again under the same name. */
async function aLife(connection: string): Promise<void> {
  await call(`PUT /connections/${connection}`, body(connection));
  atWork = 'plan';
  await world.plan();
  await refresh(connection);
  const { body: token } = await call(`GET /token/${connection}`);
  await call(`POST /token/${connection}/rejections?wait=0`, { generation: token.generation });
  await call('GET /connections');
  for (let i = 0; i < 10; i += 1) {
    world.later(lifetimeSeconds + 60);
    await call(`GET /token/${connection}?wait=0`);
    await refresh(connection);
  }
  await call(`DELETE /connections/${connection}`);
  await refresh(connection);
  await call(`PUT /connections/${connection}`, body(connection));
  await refresh(connection);
}

/** A provider is down for a whole application, and Secrets Manager does not take a refresh token. */
async function badDays(application: string, store: Store): Promise<void> {
  world.provider.instead = () => ({ status: 503, body: {} });
  const connections = ['1', '2', '3'].map((number) => `${application}-${number}`);
  for (const connection of connections) {
    await call(`PUT /connections/${connection}`, body(application));
    await refresh(connection);
  }
  world.provider.instead = undefined;
  const [connection = ''] = connections;
  world.later(lifetimeSeconds);
  world.stores.secretsManager.down = store === 'secrets-manager';
  await refresh(connection);
  world.stores.secretsManager.down = false;
  world.later(lifetimeSeconds);
  await refresh(connection);
}

/** A provider knows one grant for a user and an application: the claim moves, and goes with the connection. */
async function aClaim(connection: string): Promise<void> {
  for (const account of ['first', 'second'])
    await call(
      `PUT /connections/${connection}`,
      body('exact', {
        provider: 'exact-online',
        account,
        settings: { token_endpoint: world.provider.tokenEndpoint, country: 'nl' },
      }),
    );
  await refresh(connection);
  await call(`DELETE /connections/${connection}`);
  await refresh(connection);
}

/** A connection that only a login can bring to life. */
async function putForLogin(connection: string): Promise<void> {
  const { tokenEndpoint: token_endpoint, authorizationEndpoint: authorization_endpoint, client } = server;
  await call(`PUT /connections/${connection}`, {
    provider: 'generic-oauth2',
    settings: { token_endpoint, authorization_endpoint, scope: 'openid offline_access' },
    client: { client_id: client.clientId, client_secret: client.clientSecret },
  });
}

async function logIn(connection: string): Promise<void> {
  atWork = 'authorizations';
  const url = await world.begin(await world.link(connection));
  const { searchParams } = await newBrowser().login(url.href, 'allow', `${origin}/oauth/callback`);
  expect(await world.open(connection, searchParams)).toMatchObject({ title: 'Connected' });
}

/** A person logs in, and again when the secrets are to be deleted; then a cold environment renews without them. */
async function logins(connection: string, store: Store): Promise<void> {
  await putForLogin(connection);
  await logIn(connection);
  await refresh(connection);
  if (store === 'secrets-manager') await world.with({}, () => withoutItsSecrets(connection));
}

async function withoutItsSecrets(connection: string): Promise<void> {
  await losesItsSecrets(connection);
  await logIn(connection);
  await losesItsSecrets(connection);
  world.later(lifetimeSeconds);
  await call(`GET /token/${connection}?wait=0`);
  await refresh(connection);
}

/** What was in Secrets Manager when the store was switched is read, and brought back, where it is. */
async function beforeTheSwitch(): Promise<void> {
  await putForLogin('moved');
  await call('PUT /connections/stayed', body('stayed'));
  await refresh('stayed');
}

async function afterTheSwitch(): Promise<void> {
  await losesItsSecrets('moved');
  await logIn('moved');
  await losesItsSecrets('stayed');
  world.later(lifetimeSeconds);
  await refresh('stayed');
}

/** Versions that are a day old are pruned now and then. */
async function oldVersions(connection: string): Promise<void> {
  for (let i = 0; i < 130; i += 1) {
    world.later(i === 65 ? 2 * 86_400 : lifetimeSeconds);
    await refresh(connection);
  }
}

describe.each(['secrets-manager', 'dynamodb'] as const)('with secrets in %s', (store) => {
  const policies = statementsOf({ secretStore: store });

  beforeAll(async () => {
    if (store === 'dynamodb') await beforeTheSwitch();
    calls.length = 0;
    await world.with(store === 'dynamodb' ? secretsInTable : {}, () => live(store));
    // In environments that have nothing in memory.
    if (store === 'dynamodb') await world.with(secretsInTable, afterTheSwitch);
  }, 120_000);

  test.each(functions)('%s does nothing that it may not', (name) => {
    expect(refusedBy(policies(name), callsOf(name))).toEqual([]);
  });

  test.each(functions)('%s may do nothing that it never does', (name) => {
    expect(unusedIn(policies(name), callsOf(name))).toEqual([]);
  });
});

function callsOf(name: DeployedName): readonly Call[] {
  const own = calls.filter(({ by }) => by === name);
  expect(own.length).toBeGreaterThan(0);
  return own;
}

const refusedBy = (policies: readonly Statement[], own: readonly Call[]): Call[] =>
  own.filter((made) => !allows(policies, made));

const unusedIn = (policies: readonly Statement[], own: readonly Call[]): string[] =>
  policies
    .filter(({ effect }) => effect === 'Allow')
    .flatMap((statement) =>
      statement.actions.flatMap((action) =>
        statement.resources.map((resource) => ({ ...statement, actions: [action], resources: [resource] })),
      ),
    )
    .filter(({ actions: [action = ''] }) => !ofLambda(action))
    .filter((right) => !own.some((made) => covers(right, made)))
    .map(({ actions: [action], resources: [resource] }) => `${action} ${resource}`);

test('a canary, where there is one, does nothing that it may not, and may do nothing that it never does', async () => {
  await createTable(dynamoDb, {
    TableName: 'canary',
    AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
  });
  await world.with({ TABLE_NAME: 'canary', TOKEN_ENDPOINT: `${origin}/token` }, async () => {
    const { handler } = await import('../../lambdas/canary.ts');
    atWork = 'canary';
    for (const order of ['grant', 'disturb', 'report'] as const) await handler({ order });
    await handler(routed('PUT /connections/canary').event);
  });
  const policies = statementsOf({ canary: 'true' })('canary');
  expect(refusedBy(policies, callsOf('canary'))).toEqual([]);
  expect(unusedIn(policies, callsOf('canary'))).toEqual([]);
});
