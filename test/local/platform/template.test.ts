import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { readAssembly } from '../../../local/platform/assembly.ts';
import type { Deployment } from '../../../local/platform/deployment.ts';
import { deploymentOf, type Place, secretsOf } from '../../../local/platform/template.ts';

const fixture = join(import.meta.dirname, 'fixtures/assembly');
const place: Place = {
  apiUrl: 'http://127.0.0.1:8790',
  queueUrl: (name) => `http://127.0.0.1:9324/000000000000/${name}`,
  secretArn: (name) => `arn:aws:secretsmanager:us-east-1:000000000000:secret:${name}`,
};
const deployed = deploymentOf(readAssembly(fixture), place);

const copies: string[] = [];
afterEach(() => {
  for (const copy of copies.splice(0)) rmSync(copy, { recursive: true });
});

/** The fixture with one text in one of its templates replaced by another. */
function changed(file: string, from: string, to: string): () => Deployment {
  const copy = mkdtempSync(join(tmpdir(), 'assembly-'));
  copies.push(copy);
  cpSync(fixture, copy, { recursive: true });
  const path = join(copy, file);
  const text = readFileSync(path, 'utf8');
  expect(text).toContain(from);
  writeFileSync(path, text.replace(from, to));
  return () => deploymentOf(readAssembly(copy), place);
}

describe('the deployment read from a template', () => {
  test('resolves a function’s environment across stacks', () => {
    expect(deployed.functions[0]).toEqual({
      name: 'Echo',
      arn: 'arn:aws:lambda:us-east-1:000000000000:function:Echo',
      directory: join(fixture, 'asset.functions'),
      handler: 'index.http',
      timeoutMs: 29_000,
      memoryMb: 256,
      environment: {
        TABLE_NAME: 'Table1',
        SECRET_ID: 'arn:aws:secretsmanager:us-east-1:000000000000:secret:Sealing',
        QUEUE_URL: 'http://127.0.0.1:9324/000000000000/work',
        PREFIX: 'broker/test/us-east-1',
        API: 'http://127.0.0.1:8790/oauth of work, not $' + '{Base}',
        EVENT_BUS_NAME: 'changes',
      },
    });
  });

  test('has what is reserved for a function', () => {
    const read = changed('broker.template.json', '"MemorySize": 256', '"ReservedConcurrentExecutions": 3');
    expect(read().functions.map(({ reservedConcurrency }) => reservedConcurrency)).toEqual([3, undefined]);
  });

  test('gives a function what Lambda gives when the template says nothing', () => {
    expect(deployed.functions[1]).toMatchObject({ name: 'consume', timeoutMs: 3_000, memoryMb: 128, environment: {} });
  });

  test('has the routes with their authorization', () => {
    expect(deployed.routes).toEqual([
      { routeKey: 'GET /items/{item}', authorization: 'AWS_IAM', functionName: 'Echo', timeoutMs: 30_000 },
      { routeKey: 'PUT /open', authorization: 'NONE', functionName: 'Echo', timeoutMs: 30_000 },
      {
        routeKey: 'GET /token',
        authorization: { issuer: 'https://idp.example', audience: ['broker', 'workers'] },
        functionName: 'Echo',
        timeoutMs: 30_000,
      },
    ]);
  });

  test('has what the stage lets through: together of all routes, and of those with settings of their own', () => {
    const read = changed(
      'broker.template.json',
      '"StageName"',
      `"DefaultRouteSettings": { "ThrottlingRateLimit": 7, "ThrottlingBurstLimit": 3 },
        "RouteSettings": { "PUT /open": { "ThrottlingRateLimit": 1, "ThrottlingBurstLimit": 2 } },
        "StageName"`,
    );
    const [first, open, last] = read().routes.map(({ throttle }) => throttle);
    expect(first).toEqual({ requestsPerSecond: 7, burst: 3 });
    expect(last).toBe(first);
    expect(open).toEqual({ requestsPerSecond: 1, burst: 2 });
  });

  test('has queues, and the event source that feeds a function from one', () => {
    const deadLetterTargetArn = 'arn:aws:sqs:us-east-1:000000000000:Dead';
    expect(deployed.queues).toEqual([
      { name: 'Dead', properties: {} },
      {
        name: 'work',
        properties: { VisibilityTimeout: 480, RedrivePolicy: { deadLetterTargetArn, maxReceiveCount: 3 } },
      },
    ]);
    expect(deployed.eventSources).toEqual([
      {
        queueName: 'work',
        queueArn: 'arn:aws:sqs:us-east-1:000000000000:work',
        functionName: 'consume',
        batchSize: 1,
        maximumConcurrency: 100,
        reportsBatchItemFailures: true,
      },
    ]);
  });

  test('has the schedules that are on, with their inputs', () => {
    expect(deployed.schedules).toEqual([
      { functionName: 'consume', everyMs: 60_000, input: '{}' },
      { functionName: 'consume', everyMs: 7_200_000, input: '{"from":"schedule"}' },
    ]);
  });

  test('has event buses, and leaves out the rules that forward events', () => {
    expect(deployed.eventBuses).toEqual(['changes']);
    expect(deployed.schedules).toHaveLength(2);
  });

  test('has tables and secrets, and lists what it leaves out', () => {
    expect(deployed.tables.map(({ name, properties }) => [name, Object.keys(properties)])).toEqual([
      ['Table1', ['KeySchema', 'AttributeDefinitions', 'BillingMode']],
    ]);
    expect(secretsOf(readAssembly(fixture))).toMatchObject([
      { name: 'Sealing', generate: { PasswordLength: 64, ExcludePunctuation: true } },
    ]);
    expect(deployed.ignored).toEqual({ 'AWS::KMS::Key': 1, 'AWS::IAM::Role': 2, 'AWS::SNS::Topic': 1 });
  });
});

describe('what cannot run locally is an error that says where', () => {
  test('an unknown intrinsic', () => {
    expect(changed('broker.template.json', '{ "Ref": "Stage" }', '{ "Fn::Base64": "x" }')).toThrow(
      'broker.Echo.Environment.Variables.PREFIX[1]: unknown intrinsic Fn::Base64',
    );
  });

  test('a reference to a resource that is not here', () => {
    expect(changed('broker.template.json', '{ "Ref": "Stage" }', '{ "Ref": "Role" }')).toThrow(
      'broker.Echo.Environment.Variables.PREFIX: refers to Role, AWS::IAM::Role, which the local broker does not have',
    );
  });

  test('such a reference in a place of its own', () => {
    expect(
      changed('broker.template.json', '"FunctionName": { "Ref": "Consume" }', '"FunctionName": { "Ref": "Role" }'),
    ).toThrow(
      'broker.Mapping cannot run locally: FunctionName: refers to Role, AWS::IAM::Role, which the local broker does ' +
        'not have',
    );
  });

  test('a reference to nothing', () => {
    expect(changed('broker.template.json', '{ "Ref": "Stage" }', '{ "Ref": "Stag" }')).toThrow(
      'broker has no resource Stag',
    );
  });

  test('an attribute that is not known', () => {
    expect(changed('broker.template.json', '"ApiEndpoint"', '"ApiKey"')).toThrow('Api has no attribute ApiKey');
  });

  test('an import that nobody exports', () => {
    expect(changed('broker.template.json', 'state:Table', 'state:Chair')).toThrow('no stack exports state:Chair');
  });

  test('a schedule whose target is not here', () => {
    const target =
      '"Targets": [{ "Id": "Target0", "Arn": { "Fn::GetAtt": ["Consume", "Arn"] } }]\n      }\n    },\n    "TwoHours"';
    expect(
      changed(
        'broker.template.json',
        target,
        target.replace('{ "Fn::GetAtt": ["Consume", "Arn"] }', '{ "Ref": "Topic" }'),
      ),
    ).toThrow(
      'broker.Rule cannot run locally: Targets.0.Arn: refers to Topic, AWS::SNS::Topic, which the local broker does ' +
        'not have',
    );
  });

  test('a schedule that is no rate', () => {
    expect(changed('broker.template.json', 'rate(1 minute)', 'cron(0 * * * ? *)')).toThrow(
      'broker.Rule: only rate(…) schedules run locally',
    );
  });

  test('an authorizer of another kind', () => {
    expect(changed('broker.template.json', '"AWS_IAM"', '"CUSTOM"')).toThrow(
      /broker\.RouteGet cannot run locally: AuthorizationType: .*"CUSTOM"/,
    );
    expect(changed('broker.template.json', '"AuthorizerType": "JWT"', '"AuthorizerType": "REQUEST"')).toThrow(
      /broker\.Authorizer cannot run locally: AuthorizerType: .*"REQUEST"/,
    );
  });

  test('an authorizer that is not there', () => {
    expect(changed('broker.template.json', '"AWS_IAM"', '"JWT"')).toThrow('broker.RouteGet: there is no authorizer');
  });

  test('a token that comes elsewhere than in the Authorization header', () => {
    expect(changed('broker.template.json', '$request.header.Authorization', '$request.querystring.token')).toThrow(
      /broker\.Authorizer cannot run locally: IdentitySource\.0: /,
    );
  });

  test('scopes that API Gateway would look for', () => {
    expect(
      changed(
        'broker.template.json',
        '"AuthorizationType": "JWT"',
        '"AuthorizationType": "JWT", "AuthorizationScopes": ["a"]',
      ),
    ).toThrow(/broker\.RouteJwt cannot run locally: AuthorizationScopes: /);
  });

  test('code that no asset manifest names', () => {
    expect(changed('broker.assets.json', '0a1b.zip', '0a1c.zip')).toThrow('names the object 0a1b.zip');
  });
});
