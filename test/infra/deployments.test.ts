/** Deployments beside each other, in a CDK app of an operator's own, and at an address of their own. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack, Stage, Token, Validations } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { AwsSolutionsChecks } from 'cdk-nag';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { retentions } from '../../infra/context.ts';
import { BrokerStack, StateStack, TokenBroker } from '../../infra/index.ts';
import manifest from '../../package.json' with { type: 'json' };
import { limits } from '../../shared/domain/limits.ts';
import { propertiesIn, templatesOf, unbundled, withoutHash } from './deployed.ts';

const usual = templatesOf(unbundled());

describe('a second deployment of the account and Region', () => {
  const deployment = unbundled({ name: 'staging' });
  const { broker, state } = templatesOf(deployment);

  test('has stacks of its own', () => {
    expect(deployment.broker.stackName).toBe('token-broker-staging');
    expect(deployment.state.stackName).toBe('token-broker-staging-state');
  });

  test('has the logical ids of the first, but for those that CDK makes of a path', () => {
    const idsOf = (template: Template) =>
      Object.keys(template.toJSON().Resources).map((id) =>
        id.replace(/tokenbroker(?:staging)?((?:RefreshQueue|PlanFunction))\w*$/, '$1'),
      );
    expect(idsOf(broker)).toEqual(idsOf(usual.broker));
    expect(idsOf(state)).toEqual(idsOf(usual.state));
  });

  /** Every text of a template that names something, or gives a pattern for names; parts of ARNs among them. */
  const namesIn = (template: Template): string[] =>
    [...JSON.stringify(template.toJSON().Resources).matchAll(/[^"\\]*(?:TokenBroker|token-broker)[^"\\]*/g)].map(
      ([text]) => text,
    );

  test('shares no name with the first: stacks, bus, dashboard, metrics, logs and secrets are apart', () => {
    const [first, second] = [new Set(namesIn(usual.broker)), new Set(namesIn(broker))];
    expect(first.size).toBeGreaterThan(5);
    const shared = [...first].filter((text) => second.has(text));
    expect(shared).toEqual([]);
  });

  test('has metrics, alarms and events of its own', () => {
    const namespaces = Object.values(broker.findResources('AWS::CloudWatch::Alarm'))
      .map(({ Properties }) => Properties.Namespace)
      .filter((namespace) => !namespace.startsWith('AWS/'));
    expect(new Set(namespaces)).toEqual(new Set(['TokenBroker/token-broker-staging']));
    for (const { Properties } of Object.values(broker.findResources('AWS::Lambda::Function')))
      expect(Properties.Environment.Variables.DEPLOYMENT).toBe('token-broker-staging');
    expect(propertiesIn(broker)('AWS::Events::Rule', 'EventsToTopic').EventPattern.source).toEqual([
      'token-broker-staging',
    ]);
  });
});

describe('the construct in another app', () => {
  const env = { account: '123456789012', region: 'eu-west-1' };
  const newApp = (): App => new App({ context: { 'aws:cdk:bundling-stacks': [] } });

  test('is two stacks, named by its path, where the stack is that it stands in', () => {
    const broker = new TokenBroker(new Stack(newApp(), 'Shop', { env }), 'Broker');
    expect([broker.state, broker.stack].map(({ stackName }) => stackName)).toEqual([
      expect.stringMatching(/^ShopBrokerState/),
      expect.stringMatching(/^ShopBrokerApi/),
    ]);
    for (const { account, region } of [broker.state, broker.stack]) expect({ account, region }).toEqual(env);
  });

  test('is where its stage is, or wherever it is deployed to', () => {
    const staged = new TokenBroker(new Stage(newApp(), 'Live', { env }), 'Broker');
    expect(staged.stack.region).toBe('eu-west-1');
    const anywhere = new TokenBroker(newApp(), 'Broker', { secretStore: 'dynamodb' });
    expect(Token.isUnresolved(anywhere.stack.region)).toBe(true);
    expect(anywhere.state.secrets).toBeDefined();
  });

  test('lets a role of another stack get a token, and passes its choices on', () => {
    const shop = new Stack(newApp(), 'Shop', { env });
    const worker = new Role(shop, 'Worker', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    const broker = new TokenBroker(shop, 'Broker', { throttle: { requestsPerSecond: 7, burst: 3 } });
    broker.grantGetToken(worker, 'exact-nl');
    expect(JSON.stringify(Template.fromStack(shop).findResources('AWS::IAM::Policy'))).toContain('GET/token/exact-nl');
    Template.fromStack(broker.stack).hasResourceProperties('AWS::ApiGatewayV2::Stage', {
      DefaultRouteSettings: Match.objectLike({ ThrottlingRateLimit: 7, ThrottlingBurstLimit: 3 }),
    });
  });
});

describe('the stacks in a stage of another app', () => {
  const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
  const stages = ['Test', 'Live'].map((id) => {
    const stage = new Stage(app, id, { env: { account: '111122223333', region: 'eu-west-1' } });
    const state = new StateStack(stage, 'token-broker-state', { secretStore: 'dynamodb' });
    return new BrokerStack(stage, 'token-broker', { state });
  });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));

  test('are synthesized, with an environment', () => {
    expect(() => app.synth()).not.toThrow();
  });

  test('are deployments with names of their own', () => {
    const [one = '', other = ''] = stages.map(({ stackName }) => stackName);
    expect([one, other]).toEqual(['Test-token-broker', 'Live-token-broker']);
    const [first, second] = stages.map((stack) => Template.fromStack(stack));
    expect(JSON.stringify(first?.toJSON())).not.toContain(other);
    expect(JSON.stringify(second?.toJSON())).not.toContain(one);
  });
});

describe('an address of one’s own', () => {
  const at = {
    domainName: 'api.example.com',
    domainCertificate: 'arn:aws:acm:eu-west-1:111122223333:certificate/0a1b2c3d-0000-4000-8000-000000000000',
  };
  const { broker, read } = templatesOf(unbundled({ ...at, domainPath: 'broker' }));

  test('has its certificate, and leads to the API by its path', () => {
    broker.hasResourceProperties('AWS::ApiGatewayV2::DomainName', {
      DomainName: at.domainName,
      DomainNameConfigurations: [{ CertificateArn: at.domainCertificate, EndpointType: 'REGIONAL' }],
    });
    const mapping = propertiesIn(broker)('AWS::ApiGatewayV2::ApiMapping', 'ApiMapping');
    expect({ ...mapping, ApiId: read(mapping.ApiId) }).toMatchObject({
      ApiMappingKey: 'broker',
      Stage: '$default',
      ApiId: 'Api',
    });
  });

  test('is what the outputs, the logins and the status say', () => {
    const { Outputs } = broker.toJSON();
    expect(Outputs.ApiUrl.Value).toBe('https://api.example.com/broker');
    expect(Outputs.Release.Value).toBe(manifest.version);
    expect(Outputs.RedirectUri.Value).toBe('https://api.example.com/broker/oauth/callback');
    expect(read(Outputs.FirstRequest.Value)).toMatch(/ https:\/\/api\.example\.com\/broker\/connections$/);
    expect(read(Outputs.DomainTarget.Value)).toBe('ApiDomain.RegionalDomainName');
    const told = Object.values(broker.findResources('AWS::Lambda::Function')).flatMap(
      ({ Properties }) => Properties.Environment.Variables.API_URL ?? [],
    );
    // Links and pages, and the status, which tells the redirect URI.
    expect(told).toEqual(['https://api.example.com/broker', 'https://api.example.com/broker']);
  });

  test('needs no path', () => {
    const { broker: bare } = templatesOf(unbundled(at));
    expect(bare.toJSON().Outputs.RedirectUri.Value).toBe('https://api.example.com/oauth/callback');
    expect(propertiesIn(bare)('AWS::ApiGatewayV2::ApiMapping', 'ApiMapping')).not.toHaveProperty('ApiMappingKey');
  });

  test('breaks none of the AwsSolutions rules', () => {
    expect(() => unbundled(at).app.synth()).not.toThrow();
  });
});

test('scopes of an issuer with other claims reach the token function, and no other', () => {
  const { broker } = templatesOf(
    unbundled({ jwtIssuer: 'https://idp.example', jwtAudience: 'b', jwtClaim: 'roles', jwtScopePrefix: 'broker/' }),
  );
  const told = Object.values(broker.findResources('AWS::Lambda::Function')).flatMap(
    ({ Properties: { Environment } }) =>
      'JWT_CLAIM' in Environment.Variables
        ? [[Environment.Variables.JWT_CLAIM, Environment.Variables.JWT_SCOPE_PREFIX]]
        : [],
  );
  expect(told).toEqual([['roles', 'broker/']]);
});

test('what the API lets through, and what is kept for token requests, are settings', () => {
  const { broker } = templatesOf(
    unbundled({ requestsPerSecond: '200', requestBurst: 50, reservedTokenConcurrency: '400' }),
  );
  expect(propertiesIn(broker)('AWS::ApiGatewayV2::Stage', 'ApiStage').DefaultRouteSettings).toEqual({
    ThrottlingRateLimit: 200,
    ThrottlingBurstLimit: 50,
  });
  const reserved = Object.values(broker.findResources('AWS::Lambda::Function')).flatMap(
    ({ Properties }) => Properties.ReservedConcurrentExecutions ?? [],
  );
  expect(reserved).toEqual([400]);
});

test('alarms refer to the articles where the operator keeps them', () => {
  const { broker } = templatesOf(unbundled({ runbookUrl: 'https://wiki.example/broker' }));
  for (const { Properties } of Object.values(broker.findResources('AWS::CloudWatch::Alarm')))
    expect(Properties.AlarmDescription).toMatch(/ What to do: https:\/\/wiki\.example\/broker#[a-z-]+$/);
});

describe('the audit log, where a time for it is chosen', () => {
  const { broker, read } = templatesOf(unbundled({ auditDays: '400' }));
  const groupsIn = (template: Template) => Object.entries(template.findResources('AWS::Logs::LogGroup'));
  /** What callers reach: API Gateway, which refuses some by itself, and the functions behind it. */
  const asked = ['ApiAccessLogs', 'TokenFunctionLogs', 'ConnectionsFunctionLogs', 'AuthorizationsFunctionLogs'];

  test('is kept for as long as was said, also without the stack, in the same groups as before, and no other is', () => {
    const before = Object.fromEntries(groupsIn(usual.broker));
    const groups = groupsIn(broker);
    expect(groups.map(([id]) => id).toSorted()).toEqual(Object.keys(before).toSorted());
    const kept = groups.filter(([, { DeletionPolicy }]) => DeletionPolicy !== 'Delete');
    expect(kept.map(([id]) => withoutHash(id)).toSorted()).toEqual(asked.toSorted());
    for (const [id, group] of kept) {
      const { Properties, DeletionPolicy } = before[id] ?? {};
      // A first deployment that fails leaves no group behind whose name the next one would find taken.
      expect(group).toMatchObject({
        Properties: { ...Properties, RetentionInDays: 400 },
        DeletionPolicy: 'RetainExceptOnCreate',
        UpdateReplacePolicy: 'Retain',
      });
      expect([Properties.RetentionInDays, DeletionPolicy]).toEqual([30, 'Delete']);
    }
  });

  test('has a line for each answer of the functions that callers reach, and of none where no time is chosen', () => {
    const logging = (template: Template) =>
      Object.values(template.findResources('AWS::Lambda::Function'))
        .filter(({ Properties }) => 'AUDIT' in Properties.Environment.Variables)
        .map(({ Properties }) => read(Properties.LoggingConfig.LogGroup));
    expect(['ApiAccessLogs', ...logging(broker)].toSorted()).toEqual(asked.toSorted());
    expect(logging(usual.broker)).toEqual([]);
  });

  test('is what who-did-what looks at, with the members that its lines have', () => {
    const { QueryString, LogGroupNames } = propertiesIn(broker)('AWS::Logs::QueryDefinition', 'Querieswhodidwhat');
    expect(LogGroupNames.map(read).toSorted()).toEqual(asked.toSorted());
    for (const member of ['principal', 'connection', 'generation', 'generationBefore', 'status', 'code', 'route'])
      expect(QueryString).toMatch(new RegExp(`\\b${member}\\b`));
  });

  test('takes the days that CloudWatch Logs takes', () => {
    const offered = Object.values(RetentionDays).filter((days) => typeof days === 'number');
    expect([...retentions, RetentionDays.INFINITE].toSorted()).toEqual(offered.toSorted());
  });
});

describe('an address from which providers are called', () => {
  const { broker } = templatesOf(unbundled({ egressAddress: 'eipalloc-0123456789abcdef0' }));

  test('is that of the one way out of the network', () => {
    const gateways = Object.values(broker.findResources('AWS::EC2::NatGateway')).map(({ Properties }) => Properties);
    expect(gateways).toMatchObject([{ AllocationId: 'eipalloc-0123456789abcdef0' }]);
    broker.resourceCountIs('AWS::EC2::EIP', 0);
    const ways = Object.entries(broker.findResources('AWS::EC2::Route')).map(([id, { Properties }]) => [
      /Egress(?:Vpc)(Gateway|Functions)/.exec(id)?.[1],
      Object.keys(Properties).find((name) => name.endsWith('GatewayId')),
    ]);
    expect(ways.toSorted()).toEqual([
      ['Functions', 'NatGatewayId'],
      ['Functions', 'NatGatewayId'],
      ['Gateway', 'GatewayId'],
      ['Gateway', 'GatewayId'],
    ]);
    const endpoints = Object.values(broker.findResources('AWS::EC2::VPCEndpoint'));
    expect(endpoints.map(({ Properties }) => [Properties.VpcEndpointType, Properties.RouteTableIds.length])).toEqual([
      ['Gateway', 2],
    ]);
  });

  test('is that of the functions that call providers, and of no other', () => {
    const functions = Object.entries(broker.findResources('AWS::Lambda::Function'));
    const inside = functions.filter(([, { Properties }]) => Properties.VpcConfig !== undefined);
    expect(inside.map(([id]) => id.replace(/Function.*/, '')).toSorted()).toEqual([
      'Authorizations',
      'Connections',
      'Refresh',
    ]);
    for (const [, { Properties }] of inside)
      for (const { Ref } of Properties.VpcConfig.SubnetIds) expect(Ref).toMatch(/^EgressVpcFunctionsSubnet/);
  });

  test('lets nothing in, and gives code in the functions no right to the network', () => {
    for (const { Properties } of Object.values(broker.findResources('AWS::EC2::SecurityGroup')))
      expect(Properties).not.toHaveProperty('SecurityGroupIngress');
    const statements = Object.values(broker.findResources('AWS::IAM::Policy')).flatMap(({ Properties }) =>
      Properties.PolicyDocument.Statement.filter(({ Action }: { Action: unknown }) => String(Action).includes('ec2:')),
    );
    expect(statements.map(({ Effect }) => Effect).toSorted()).toEqual([
      ...Array(3).fill('Allow'),
      ...Array(3).fill('Deny'),
    ]);
    for (const { Effect, Condition } of statements)
      expect(Object.keys(Condition?.ArnLike ?? {})).toEqual(Effect === 'Deny' ? ['lambda:SourceFunctionArn'] : []);
  });

  test('leaves every other resource as it is, and under its name', () => {
    const before = Object.entries(usual.broker.toJSON().Resources as Record<string, { Type: string }>);
    const after = broker.toJSON().Resources;
    const changed = before.filter(([id, resource]) => JSON.stringify(resource) !== JSON.stringify(after[id]));
    expect(new Set(changed.map(([, { Type }]) => Type))).toEqual(
      new Set(['AWS::IAM::Policy', 'AWS::Lambda::Function', 'AWS::Lambda::EventSourceMapping']),
    );
  });

  test('is against none of the AwsSolutions rules', () => {
    expect(() => unbundled({ egressAddress: 'eipalloc-0123456789abcdef0', auditDays: 400 }).app.synth()).not.toThrow();
  });
});

describe('a canary', () => {
  const { broker, state, read } = templatesOf(unbundled({ canary: 'true' }));
  const resources: Record<string, Resource> = broker.toJSON().Resources;
  const before: Record<string, Resource> = usual.broker.toJSON().Resources;
  const added = Object.entries(resources).filter(([id]) => !(id in before));
  const properties = propertiesIn(broker);

  interface Resource {
    readonly Type: string;
    readonly DeletionPolicy?: string;
    readonly Properties: Readonly<Record<string, unknown>>;
  }

  test('is there if it was chosen, beside what is there without it', () => {
    expect(templatesOf(unbundled({ canary: false })).broker.toJSON()).toEqual(usual.broker.toJSON());
    expect(Object.fromEntries(Object.entries(resources).filter(([id]) => id in before))).toEqual(before);
    expect(broker.toJSON().Outputs).toEqual(usual.broker.toJSON().Outputs);
    expect(state.toJSON()).toEqual(usual.state.toJSON());
    expect(added.filter(([id]) => !id.startsWith('Canary'))).toEqual([]);
  });

  test('wakes no operator by itself, and leaves nothing when it goes', () => {
    expect(added.filter(([, { Type }]) => Type === 'AWS::CloudWatch::Alarm')).toEqual([]);
    expect(added.filter(([, { DeletionPolicy = 'Delete' }]) => DeletionPolicy !== 'Delete')).toEqual([]);
  });

  test('may read and write its one item, and its environment has no secret', () => {
    expect(added.filter(([, { Type }]) => Type === 'AWS::IAM::Policy')).toHaveLength(1);
    const { Statement } = properties('AWS::IAM::Policy', 'CanaryFunctionRoleDefaultPolicy').PolicyDocument as {
      readonly Statement: readonly { readonly Action: readonly string[]; readonly Resource: unknown }[];
    };
    expect(Statement.map(({ Action, Resource }) => [Action, read(Resource)])).toEqual([
      [['logs:CreateLogStream', 'logs:PutLogEvents'], 'CanaryFunctionLogs.Arn'],
      [['dynamodb:GetItem', 'dynamodb:PutItem'], 'CanaryState.Arn'],
    ]);
    const { Variables } = properties('AWS::Lambda::Function', 'CanaryFunction').Environment;
    expect({
      ...Variables,
      TABLE_NAME: read(Variables.TABLE_NAME),
      TOKEN_ENDPOINT: read(Variables.TOKEN_ENDPOINT),
    }).toEqual({
      DEPLOYMENT: 'token-broker',
      TABLE_NAME: 'CanaryState',
      TOKEN_ENDPOINT: 'CanaryApi.ApiEndpoint/token',
    });
  });

  test('has one route, open to strangers, for few requests, and at no API that an alarm watches', () => {
    const routes = Object.values(broker.findResources('AWS::ApiGatewayV2::Route')).map(({ Properties }) => Properties);
    const own = routes.filter(({ ApiId }) => read(ApiId) === 'CanaryApi');
    expect(own).toMatchObject([{ RouteKey: 'POST /token', AuthorizationType: 'NONE' }]);
    expect(properties('AWS::ApiGatewayV2::Stage', 'CanaryStage').DefaultRouteSettings).toEqual({
      ThrottlingRateLimit: 2,
      ThrottlingBurstLimit: 5,
    });
    const { TimeoutInMillis = 30_000 } = properties('AWS::ApiGatewayV2::Integration', 'CanaryApiPOSTtokencanary');
    const { Timeout } = properties('AWS::Lambda::Function', 'CanaryFunction');
    expect(Timeout * 1_000).toBeLessThan(TimeoutInMillis);
    expect(limits.canary.slowMs).toBeLessThan(Timeout * 1_000);
  });

  test('is disturbed every two hours', () => {
    const { ScheduleExpression, State, Targets } = properties('AWS::Events::Rule', 'CanaryFaults');
    expect([ScheduleExpression, State]).toEqual(['rate(2 hours)', 'ENABLED']);
    expect(Targets.map(({ Arn, Input }: { Arn: unknown; Input: string }) => [read(Arn), JSON.parse(Input)])).toEqual([
      ['CanaryFunction.Arn', { order: 'disturb' }],
    ]);
  });

  test('is against none of the AwsSolutions rules', () => {
    expect(() => unbundled({ canary: true }).app.synth()).not.toThrow();
  });
});

describe('the program that CDK runs', () => {
  const outdir = mkdtempSync(join(tmpdir(), 'token-broker-main-'));
  afterAll(() => rmSync(outdir, { recursive: true }));
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  test('says what it is going to deploy, where it does not mix with what CDK prints', async () => {
    const [onStderr, onStdout] = [vi.spyOn(console, 'error'), vi.spyOn(console, 'log')];
    onStderr.mockImplementation(() => {});
    vi.stubEnv('CDK_OUTDIR', outdir);
    vi.stubEnv('CDK_CONTEXT_JSON', JSON.stringify({ 'aws:cdk:bundling-stacks': [], name: 'staging' }));
    await import('../../infra/main.ts');
    expect(onStderr.mock.calls.join()).toContain('Stacks token-broker-staging-state and token-broker-staging;');
    expect(onStdout).not.toHaveBeenCalled();
    expect(readdirSync(outdir)).toContain('token-broker-staging.template.json');
  });

  test('says what is wrong with a setting, and nothing else', async () => {
    const onStderr = vi.spyOn(console, 'error').mockImplementation(() => {});
    vi.stubEnv('CDK_OUTDIR', outdir);
    vi.stubEnv('CDK_CONTEXT_JSON', JSON.stringify({ secretStor: 'dynamodb' }));
    vi.resetModules();
    await import('../../infra/main.ts');
    const { exitCode } = process;
    process.exitCode = undefined;
    expect(onStderr.mock.calls).toEqual([
      ['CDK context: secretStor: there is no such setting; did you mean secretStore?'],
    ]);
    expect(exitCode).toBe(1);
  });

  test('says which Node.js it needs, to one that cannot run it', () => {
    const entry = JSON.stringify(join(import.meta.dirname, '../../infra/main.mjs'));
    const script = `Object.defineProperty(process.versions, 'node', { value: '20.19.0' }); await import(${entry});`;
    const { stderr, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      encoding: 'utf8',
    });
    expect(stderr).toMatch(/^The stacks need Node\.js 22\.18 or newer; this is 20\.19\.0\. Use npx cdk/);
    expect(status).toBe(1);
  });
});
