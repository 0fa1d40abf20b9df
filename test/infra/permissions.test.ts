import { readFileSync } from 'node:fs';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import {
  AccountPrincipal,
  AccountRootPrincipal,
  ArnPrincipal,
  Group,
  type IGrantable,
  ManagedPolicy,
  Role,
  ServicePrincipal,
  User,
} from 'aws-cdk-lib/aws-iam';
import { describe, expect, test } from 'vitest';
import { BrokerStack } from '../../infra/broker-stack.ts';
import { StateStack } from '../../infra/state-stack.ts';
import { type FunctionName, type Route, routes } from '../../lambdas/routes.ts';
import { templatesOf, unbundled, withoutHash } from './deployed.ts';

// A stack of an operator's own, whose roles may get tokens.
const deployment = unbundled();
const clients = new Stack(deployment.app, 'clients');
const client = (id: string): Role => new Role(clients, id, { assumedBy: new AccountRootPrincipal() });
deployment.broker.grantGetToken(client('Worker'), 'exact-nl');
deployment.broker.grantGetToken(client('Newcomer'), 'default');

const { broker, read } = templatesOf(deployment);

const asList = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value]);

/** Reads what the policies of a role allow, and under which condition: `{'sqs:SendMessage': ['RefreshQueue.Arn']}`. */
const grantsIn =
  (read: (value: unknown) => string) =>
  (template: typeof broker, role: string): Record<string, string[]> => {
    const grants: Record<string, string[]> = {};
    for (const { Properties } of Object.values(template.findResources('AWS::IAM::Policy'))) {
      if (!Properties.Roles.map(read).includes(role)) continue;
      for (const { Effect, Action, Resource, Condition } of Properties.PolicyDocument.Statement) {
        if (Effect !== 'Allow') continue;
        const resources = asList(Resource).map(
          (resource) => `${read(resource)}${Condition === undefined ? '' : ` if ${JSON.stringify(Condition)}`}`,
        );
        for (const action of asList<string>(Action)) grants[action] = [...(grants[action] ?? []), ...resources].sort();
      }
    }
    return grants;
  };
const allowed = grantsIn(read);

const roleOf: Record<FunctionName, string> = {
  token: 'TokenFunctionRole',
  refresh: 'RefreshFunctionRole',
  plan: 'PlanFunctionRole',
  connections: 'ConnectionsFunctionRole',
  authorizations: 'AuthorizationsFunctionRole',
};
const functions = Object.values(broker.findResources('AWS::Lambda::Function')).map(({ Properties }) => Properties);
const environmentIn =
  (template: typeof broker, read: (value: unknown) => string) =>
  (name: FunctionName): Record<string, string> => {
    const all = Object.values(template.findResources('AWS::Lambda::Function')).map(({ Properties }) => Properties);
    const variables = all.find(({ Role }) => read(Role) === `${roleOf[name]}.Arn`)?.Environment.Variables ?? {};
    return Object.fromEntries(Object.entries(variables).map(([variable, value]) => [variable, read(value)]));
  };
const environmentOf = environmentIn(broker, read);

const secret = (name: string): string =>
  `arn:AWS::Partition:secretsmanager:AWS::Region:AWS::AccountId:secret:token-broker/${name}`;
const logs = (name: string) => ({
  'logs:CreateLogStream': [`${name}Logs.Arn`],
  'logs:PutLogEvents': [`${name}Logs.Arn`],
});

/** Keys of claims begin so, and no connection's name does. */
const ofKeys = (keys: readonly string[]) => ({ 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': keys } });
const claimsOnly = `Connections.Arn if ${JSON.stringify(ofKeys(['#grant#*']))}`;

describe('each function may do what it must, and nothing else', () => {
  test('token reads and marks items, asks for refreshes, and opens access tokens', () => {
    expect(allowed(broker, roleOf.token)).toEqual({
      ...logs('TokenFunction'),
      'dynamodb:GetItem': ['Connections.Arn'],
      'dynamodb:UpdateItem': ['Connections.Arn'],
      'sqs:SendMessage': ['RefreshQueue.Arn'],
      'secretsmanager:GetSecretValue': ['AccessKey'],
    });
  });

  test('refresh is the only one that reads refresh tokens and their key', () => {
    expect(allowed(broker, roleOf.refresh)).toEqual({
      ...logs('RefreshFunction'),
      'dynamodb:DeleteItem': ['Connections.Arn'],
      'dynamodb:GetItem': ['Connections.Arn'],
      'dynamodb:PutItem': ['Connections.Arn'],
      'dynamodb:UpdateItem': ['Connections.Arn'],
      'secretsmanager:DeleteSecret': [secret('*/client*'), secret('*/refresh-*')],
      'secretsmanager:GetSecretValue': ['AccessKey', 'RefreshKey', secret('*/client*'), secret('*/refresh-*')],
      'secretsmanager:CreateSecret': [secret('*/refresh-*')],
      'secretsmanager:PutSecretValue': [secret('*/refresh-*')],
      'secretsmanager:RestoreSecret': [secret('*/client*'), secret('*/refresh-*')],
      'sqs:ChangeMessageVisibility': ['RefreshQueue.Arn'],
      'sqs:DeleteMessage': ['RefreshQueue.Arn'],
      'sqs:GetQueueAttributes': ['RefreshQueue.Arn'],
      'sqs:GetQueueUrl': ['RefreshQueue.Arn'],
      'sqs:ReceiveMessage': ['RefreshQueue.Arn'],
      'sqs:SendMessage': ['RefreshQueue.Arn'],
      'events:PutEvents': ['EventsBus.Arn'],
    });
  });

  test('plan sees the keys of the due index, and no item', () => {
    expect(allowed(broker, roleOf.plan)).toEqual({
      ...logs('PlanFunction'),
      'dynamodb:Query': ['Connections.Arn/index/due'],
      'sqs:SendMessage': ['RefreshQueue.Arn'],
    });
  });

  test('connections stores secrets and cannot read one', () => {
    const written = [secret('*/client*'), secret('*/refresh-*')];
    expect(allowed(broker, roleOf.connections)).toEqual({
      ...logs('ConnectionsFunction'),
      'dynamodb:BatchGetItem': ['Connections.Arn'],
      'dynamodb:DeleteItem': [claimsOnly],
      'dynamodb:GetItem': ['Connections.Arn'],
      'dynamodb:PutItem': ['Connections.Arn'],
      'dynamodb:Query': ['Connections.Arn/index/names'],
      'dynamodb:UpdateItem': ['Connections.Arn'],
      'secretsmanager:CreateSecret': written,
      'secretsmanager:PutSecretValue': written,
      'secretsmanager:RestoreSecret': written,
      // The refresh function is to look at once: it alone tells subscribers, and revokes a deleted connection's grant.
      'sqs:SendMessage': ['RefreshQueue.Arn'],
    });
  });

  test('authorizations stores the grants that logins bring, and cannot read them back', () => {
    expect(allowed(broker, roleOf.authorizations)).toEqual({
      ...logs('AuthorizationsFunction'),
      'dynamodb:GetItem': ['Connections.Arn'],
      'dynamodb:UpdateItem': ['Connections.Arn'],
      'secretsmanager:GetSecretValue': ['AccessKey', 'StateKey', secret('*/client*')],
      'secretsmanager:CreateSecret': [secret('*/refresh-*')],
      'secretsmanager:PutSecretValue': [secret('*/refresh-*')],
      'secretsmanager:RestoreSecret': [secret('*/client*'), secret('*/refresh-*')],
      'sqs:SendMessage': ['RefreshQueue.Arn'],
    });
  });

  test.each(['refresh', 'authorizations', 'connections', 'token', 'plan'] as const)(
    '%s may restore every secret of a connection that it may use',
    (name) => {
      const { 'secretsmanager:RestoreSecret': restored = [], ...others } = allowed(broker, roleOf[name]);
      const used = [
        ...(others['secretsmanager:GetSecretValue'] ?? []),
        ...(others['secretsmanager:PutSecretValue'] ?? []),
      ];
      expect(restored).toEqual([...new Set(used.filter((resource) => resource.includes('/')))].sort());
    },
  );

  test('only authorizations opens what a browser brings back', () => {
    const readers = Object.values(roleOf).filter((role) =>
      allowed(broker, role)['secretsmanager:GetSecretValue']?.includes('StateKey'),
    );
    expect(readers).toEqual([roleOf.authorizations]);
  });

  test('only refresh puts events on the bus, which has no policy of its own', () => {
    const announcers = Object.values(roleOf).filter((role) => 'events:PutEvents' in allowed(broker, role));
    expect(announcers).toEqual([roleOf.refresh]);
    broker.resourceCountIs('AWS::Events::EventBusPolicy', 0);
  });

  test('nothing is granted by another way than these policies', () => {
    for (const { Properties } of Object.values(broker.findResources('AWS::IAM::Role'))) {
      expect(Object.keys(Properties)).toEqual(['AssumeRolePolicyDocument']);
    }
    expect(functions.map(({ Role }) => read(Role)).sort()).toEqual(
      Object.values(roleOf)
        .map((role) => `${role}.Arn`)
        .sort(),
    );
  });

  test('what is deleted is removed by refresh alone, which can revoke it first', () => {
    const removers = Object.values(roleOf).filter(
      (role) =>
        allowed(broker, role)['dynamodb:DeleteItem']?.some((resource) => resource !== claimsOnly) ||
        'secretsmanager:DeleteSecret' in allowed(broker, role),
    );
    expect(removers).toEqual([roleOf.refresh]);
  });
});

describe('the pattern for one kind of secret', () => {
  const matches = (pattern: string, arn: string): boolean =>
    new RegExp(
      `^${pattern
        .replace(/[.+^${}()|[\]\\]/g, '\\$&')
        .replaceAll('*', '.*')
        .replaceAll('?', '.')}$`,
    ).test(arn);
  const connectionNames = ['exact-nl', 'client', 'client-1', 'refresh-0', 'a'];

  test.each(connectionNames)('lets authorizations read the client secret of %s, and no refresh token', (connection) => {
    const readable = allowed(broker, roleOf.authorizations)['secretsmanager:GetSecretValue'] ?? [];
    expect(readable.some((pattern) => matches(pattern, secret(`${connection}/client-a1B2c3`)))).toBe(true);
    expect(readable.some((pattern) => matches(pattern, secret(`${connection}/refresh-0-a1B2c3`)))).toBe(false);
  });

  test.each(connectionNames)(
    'covers the secrets of %s before they exist, when their ARN has no suffix yet',
    (connection) => {
      const creatable = allowed(broker, roleOf.connections)['secretsmanager:CreateSecret'] ?? [];
      expect(creatable.some((pattern) => matches(pattern, secret(`${connection}/client`)))).toBe(true);
      expect(creatable.some((pattern) => matches(pattern, secret(`${connection}/refresh-1`)))).toBe(true);
    },
  );
});

describe('the environment names what was granted', () => {
  test.each<[FunctionName, Record<string, string>]>([
    [
      'token',
      {
        DEPLOYMENT: 'token-broker',
        TABLE_NAME: 'Connections',
        ACCESS_KEY_SECRET_ID: 'AccessKey',
        REFRESH_QUEUE_URL: 'RefreshQueue',
      },
    ],
    [
      'refresh',
      {
        DEPLOYMENT: 'token-broker',
        TABLE_NAME: 'Connections',
        ACCESS_KEY_SECRET_ID: 'AccessKey',
        REFRESH_KEY_SECRET_ID: 'RefreshKey',
        SECRET_PREFIX: 'token-broker/',
        REFRESH_QUEUE_URL: 'RefreshQueue',
        EVENT_BUS_NAME: 'EventsBus',
      },
    ],
    [
      'plan',
      { DEPLOYMENT: 'token-broker', TABLE_NAME: 'Connections', DUE_INDEX: 'due', REFRESH_QUEUE_URL: 'RefreshQueue' },
    ],
    [
      'connections',
      {
        DEPLOYMENT: 'token-broker',
        TABLE_NAME: 'Connections',
        NAME_INDEX: 'names',
        SECRET_PREFIX: 'token-broker/',
        REFRESH_QUEUE_URL: 'RefreshQueue',
      },
    ],
    [
      'authorizations',
      {
        DEPLOYMENT: 'token-broker',
        TABLE_NAME: 'Connections',
        ACCESS_KEY_SECRET_ID: 'AccessKey',
        STATE_KEY_SECRET_ID: 'StateKey',
        SECRET_PREFIX: 'token-broker/',
        REFRESH_QUEUE_URL: 'RefreshQueue',
      },
    ],
  ])('%s', (name, environment) => {
    expect(environmentOf(name)).toEqual(environment);
  });
});

describe('with secrets in a table', () => {
  const chosen = unbundled({ secretStore: 'dynamodb' });
  const { broker: template, read: readChosen } = templatesOf(chosen);
  const grants = grantsIn(readChosen);
  const grantsOf = (name: FunctionName) => grants(template, roleOf[name]);
  const onItems = (keys: readonly string[], writes?: 'writes'): string =>
    `Secrets.Arn if ${JSON.stringify({
      ...ofKeys(keys),
      ...(writes && { StringEqualsIfExists: { 'dynamodb:ReturnValues': 'NONE' } }),
    })}`;
  const [refreshTokens, clients, both] = [['*/refresh-*'], ['*/client'], ['*/refresh-*', '*/client']];
  /** What the other store grants, but for its secrets. */
  const without = (all: Record<string, string[]>, ...actions: string[]) =>
    Object.fromEntries(Object.entries(all).filter(([action]) => !actions.includes(action)));
  const writing = ['secretsmanager:CreateSecret', 'secretsmanager:PutSecretValue', 'secretsmanager:RestoreSecret'];

  test.each(['token', 'plan'] as const)('%s may do what it may with the other, so nothing with secrets', (name) => {
    expect(grantsOf(name)).toEqual(allowed(broker, roleOf[name]));
    expect(JSON.stringify(grantsOf(name))).not.toMatch(/Secrets|refresh-|client/);
    expect(environmentIn(template, readChosen)(name)).toEqual(environmentOf(name));
  });

  test('refresh reads and removes both kinds, also in Secrets Manager, and writes refresh tokens', () => {
    const before = allowed(broker, roleOf.refresh);
    expect(grantsOf('refresh')).toEqual({
      ...without(before, ...writing),
      'dynamodb:GetItem': ['Connections.Arn', onItems(both)],
      'dynamodb:PutItem': ['Connections.Arn', onItems(refreshTokens, 'writes')],
      'dynamodb:Query': [onItems(both)],
      'dynamodb:DeleteItem': ['Connections.Arn', onItems(both)],
      'secretsmanager:GetSecretValue': [
        'AccessKey',
        'RefreshKey',
        'SecretsKey',
        secret('*/client*'),
        secret('*/refresh-*'),
      ],
      // To read one that was deleted a moment ago.
      'secretsmanager:RestoreSecret': [secret('*/client*'), secret('*/refresh-*')],
    });
    expect(before['secretsmanager:DeleteSecret']).toHaveLength(2);
  });

  test('connections writes both kinds and reads none; Secrets Manager gives it the key and nothing else', () => {
    expect(grantsOf('connections')).toEqual({
      ...without(allowed(broker, roleOf.connections), ...writing),
      'dynamodb:PutItem': ['Connections.Arn', onItems(both, 'writes')],
      'secretsmanager:GetSecretValue': ['SecretsKey'],
    });
  });

  test('authorizations reads clients, writes refresh tokens, and does neither the other way round', () => {
    expect(grantsOf('authorizations')).toEqual({
      ...without(allowed(broker, roleOf.authorizations), ...writing),
      'dynamodb:GetItem': ['Connections.Arn', onItems(clients)],
      'dynamodb:PutItem': [onItems(refreshTokens, 'writes')],
      'secretsmanager:GetSecretValue': ['AccessKey', 'SecretsKey', 'StateKey', secret('*/client*')],
      'secretsmanager:RestoreSecret': [secret('*/client*')],
    });
  });

  test.each(['refresh', 'connections', 'authorizations'] as const)(
    '%s cannot write secrets in a transaction, which could ask for the item that refused it',
    (name) => {
      const denied = Object.values(template.findResources('AWS::IAM::Policy'))
        .filter(({ Properties }) => Properties.Roles.map(readChosen).includes(roleOf[name]))
        .flatMap(({ Properties }) => Properties.PolicyDocument.Statement)
        .filter(({ Effect }: { Effect: string }) => Effect === 'Deny');
      expect(denied.map((statement) => ({ ...statement, Resource: readChosen(statement.Resource) }))).toEqual([
        {
          Effect: 'Deny',
          Action: 'dynamodb:PutItem',
          Resource: 'Secrets.Arn',
          Condition: { StringEquals: { 'dynamodb:EnclosingOperation': 'TransactWriteItems' } },
        },
      ]);
    },
  );

  test.each<[FunctionName, Record<string, string>]>([
    ['refresh', { SECRET_PREFIX: 'token-broker/' }],
    ['connections', {}],
    ['authorizations', { SECRET_PREFIX: 'token-broker/' }],
  ])('the environment of %s names the table, its key, and Secrets Manager where it may be read', (name, earlier) => {
    const { SECRET_PREFIX: _, ...others } = environmentOf(name);
    expect(environmentIn(template, readChosen)(name)).toEqual({
      ...others,
      ...earlier,
      SECRETS_TABLE_NAME: 'Secrets',
      SECRETS_KEY_SECRET_ID: 'SecretsKey',
    });
  });

  test('whoever reads secrets is updated before those who write them', () => {
    const dependenciesOf = (name: FunctionName): string[] => {
      const all = Object.values(template.findResources('AWS::Lambda::Function'));
      return all
        .filter(({ Properties }) => readChosen(Properties.Role) === `${roleOf[name]}.Arn`)
        .flatMap(({ DependsOn }) => DependsOn.map(withoutHash));
    };
    expect(dependenciesOf('authorizations')).toContain('RefreshFunction');
    expect(dependenciesOf('connections')).toContain('AuthorizationsFunction');
  });
});

describe('grantGetToken', () => {
  const callable = (role: string): string[] => {
    const { 'execute-api:Invoke': invoke = [], ...others } = allowed(Template.fromStack(clients), role);
    expect(others).toEqual({});
    return invoke;
  };
  const api = 'arn:AWS::Partition:execute-api:AWS::Region:AWS::AccountId:Api/$default';

  test('lets a role get the token of one connection, report that it was refused, and call nothing else', () => {
    expect(callable('Worker')).toEqual([`${api}/GET/token/exact-nl`, `${api}/POST/token/exact-nl/rejections`]);
  });

  test('grants what the manual has for roles that no CDK app makes', () => {
    const manual = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
    const [, policy = ''] = /```json\n(\{\n {2}"Version".*?)\n```/s.exec(manual) ?? [];
    const { Statement } = JSON.parse(policy.replaceAll('<ApiArn>', read(broker.toJSON().Outputs.ApiArn.Value)));
    expect(Statement).toEqual([{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: callable('Worker') }]);
  });

  test.each(['grantGetToken', 'grantRead', 'grantConnect', 'grantManage'] as const)(
    'the manual says what %s grants, as resources of a policy',
    (method) => {
      const { app, broker: fresh } = unbundled();
      const others = new Stack(app, 'clients');
      fresh[method](new Role(others, 'Caller', { assumedBy: new AccountRootPrincipal() }), 'exact-nl');
      const granted = allowed(Template.fromStack(others), 'Caller')['execute-api:Invoke'] ?? [];
      const manual = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
      const [, row = ''] = new RegExp(`^\\| \`${method}\` \\| (.*) \\|$`, 'm').exec(manual) ?? [];
      const [one = ''] = row.split(';');
      const written = [...one.matchAll(/`([A-Z]+\/[^`]+)`/g)].map(([, resource]) => `${api}/${resource}`);
      expect(written.length).toBeGreaterThan(0);
      expect(written.sort()).toEqual(granted);
    },
  );

  test('includes the short form for the connection named default', () => {
    expect(callable('Newcomer')).toEqual([
      `${api}/GET/token`,
      `${api}/GET/token/default`,
      `${api}/POST/token/default/rejections`,
    ]);
  });

  test.each(['*', 'exact-*', 'Exact', '-exact', 'exact-', 'a/b', '', 'x'.repeat(64)])(
    'refuses %j, which is no connection',
    (name) => {
      const { app, broker: fresh } = unbundled();
      const role = new Role(new Stack(app, 'clients'), 'Worker', { assumedBy: new AccountRootPrincipal() });
      for (const grant of ['grantGetToken', 'grantRead', 'grantConnect', 'grantManage'] as const)
        expect(() => fresh[grant](role, name)).toThrow(
          new RegExp(`^${grant}: .*not a connection's name.*nothing was granted$`),
        );
    },
  );

  test('takes a name of 63 characters', () => {
    const { app, broker: fresh } = unbundled();
    const role = new Role(new Stack(app, 'clients'), 'Worker', { assumedBy: new AccountRootPrincipal() });
    expect(() => fresh.grantGetToken(role, 'x'.repeat(63))).not.toThrow();
  });
});

describe('the grants of operators', () => {
  // An app without cdk-nag, which asks for a reason for each star.
  const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
  const state = new StateStack(app, 'token-broker-state');
  const fresh = new BrokerStack(app, 'token-broker', { state });
  const stack = new Stack(app, 'operators');
  const role = (id: string): Role => new Role(stack, id, { assumedBy: new AccountRootPrincipal() });
  fresh.grantRead(role('Reader'));
  fresh.grantRead(role('ReaderOfOne'), 'exact-nl');
  fresh.grantConnect(role('Connector'), 'exact-nl');
  fresh.grantManage(role('Manager'));
  fresh.grantManage(role('ManagerOfOne'), 'exact-nl');
  const { read: readFresh } = templatesOf({ state, broker: fresh });
  const clientsTemplate = Template.fromStack(stack);
  const callable = (name: string): string[] =>
    (grantsIn(readFresh)(clientsTemplate, name)['execute-api:Invoke'] ?? []).map((arn) =>
      arn.replace(/^.*\$default/, ''),
    );

  test.each([
    ['Reader', ['/GET/connections', '/GET/connections/*']],
    ['ReaderOfOne', ['/GET/connections/exact-nl']],
    [
      'Connector',
      [
        '/DELETE/connections/exact-nl/authorizations',
        '/GET/connections/exact-nl',
        '/POST/connections/exact-nl/authorizations',
      ],
    ],
    [
      'Manager',
      [
        '/DELETE/connections/*',
        '/DELETE/connections/*/authorizations',
        '/DELETE/connections/*/pause',
        '/GET/connections',
        '/GET/connections/*',
        '/POST/connections/*/authorizations',
        '/PUT/connections/*',
        '/PUT/connections/*/pause',
      ],
    ],
    [
      'ManagerOfOne',
      [
        '/DELETE/connections/exact-nl',
        '/DELETE/connections/exact-nl/authorizations',
        '/DELETE/connections/exact-nl/pause',
        '/GET/connections/exact-nl',
        '/POST/connections/exact-nl/authorizations',
        '/PUT/connections/exact-nl',
        '/PUT/connections/exact-nl/pause',
      ],
    ],
  ])('%s may call these, and gets no token', (name, calls) => {
    expect(callable(name)).toEqual(calls);
  });
});

test('each route but the public ones is in a permission', () => {
  const all: readonly Route[] = routes;
  expect(all.filter((route) => !route.public && !route.permissions?.length)).toEqual([]);
  expect(all.filter((route) => route.public && route.permissions)).toEqual([]);
});

describe('a grant that would grant nothing is an error that says what to do', () => {
  const fresh = unbundled();
  const stack = new Stack(fresh.app, 'clients');
  const arn = 'arn:aws:iam::111122223333:role/Worker';
  const elsewhere = new Stack(fresh.app, 'elsewhere', { env: { account: '444455556666', region: 'eu-west-1' } });

  test.each<[string, IGrantable]>([
    ['an account', new AccountPrincipal('111122223333')],
    ['the account itself', new AccountRootPrincipal()],
    ['an ARN', new ArnPrincipal(arn)],
    ['a service', new ServicePrincipal('ec2.amazonaws.com')],
    ['a role that was imported not to be changed', Role.fromRoleArn(stack, 'Frozen', arn, { mutable: false })],
    [
      'a role that is not to be changed',
      new Role(stack, 'Own', { assumedBy: new AccountRootPrincipal() }).withoutPolicyUpdates(),
    ],
    ['a role of another account', Role.fromRoleArn(elsewhere, 'Foreign', arn)],
  ])('to %s', (_, grantee) => {
    for (const grant of ['grantGetToken', 'grantRead', 'grantConnect', 'grantManage'] as const)
      expect(() => fresh.broker[grant](grantee, 'exact-nl')).toThrow(
        new RegExp(`^${grant}: .* policy of a role of this account allow (?:GET|POST|PUT) /.*; nothing was granted$`),
      );
  });

  test.each<[string, (id: string) => IGrantable]>([
    ['a role', (id) => new Role(stack, id, { assumedBy: new AccountRootPrincipal() })],
    ['a role that was imported', (id) => Role.fromRoleName(stack, id, 'Worker')],
    ['a user', (id) => new User(stack, id)],
    ['a group', (id) => new Group(stack, id)],
    ['a managed policy', (id) => new ManagedPolicy(stack, id)],
  ])('but not to %s', (kind, grantee) => {
    const id = kind.replaceAll(/[^a-z]/g, '');
    expect(() => fresh.broker.grantGetToken(grantee(id), 'exact-nl')).not.toThrow();
  });

  test('to a role of a stack of another account, where the account of the broker is known', () => {
    const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
    const env = { account: '111122223333', region: 'eu-west-1' };
    const state = new StateStack(app, 'state', { env });
    const placed = new BrokerStack(app, 'broker', { env, state });
    const role = new Role(new Stack(app, 'far', { env: { ...env, account: '444455556666' } }), 'Worker', {
      roleName: 'worker',
      assumedBy: new AccountRootPrincipal(),
    });
    expect(() => placed.grantGetToken(role, 'exact-nl')).toThrow(/is of account 444455556666.*nothing was granted$/);
  });
});
