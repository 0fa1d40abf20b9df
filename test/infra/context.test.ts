/** What the settings in the CDK context make of the deployment, and which are refused. */
import { readFileSync } from 'node:fs';
import { Stack } from 'aws-cdk-lib';
import { AccountRootPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import { describe, expect, test } from 'vitest';
import { parseSettings, summaryOf } from '../../infra/context.ts';
import { stampOf } from '../../local/platform/synthesize.ts';
import { propertiesIn, templatesOf, unbundled, withoutHash } from './deployed.ts';

const context = { jwtIssuer: 'https://idp.example', jwtAudience: 'token-broker, workers' };
const tokenRoutes = ['GET /token', 'GET /token/{connection}', 'POST /token/{connection}/rejections'];

describe('with an issuer of JWTs', () => {
  const { broker, state, read } = templatesOf(unbundled(context));
  const { broker: usual, state: usualState } = templatesOf(unbundled());
  const routes = Object.values(broker.findResources('AWS::ApiGatewayV2::Route')).map(({ Properties }) => Properties);
  const keysOf = (type: string) =>
    routes.flatMap(({ RouteKey, AuthorizationType }) => (AuthorizationType === type ? [RouteKey] : [])).toSorted();

  test('its JWTs open the token routes; the others are as they were', () => {
    expect(keysOf('JWT')).toEqual(tokenRoutes);
    expect(keysOf('NONE')).toEqual([
      'GET /connect/{connection}',
      'GET /oauth/callback',
      'GET /oauth/callback/{connection}',
    ]);
    expect(keysOf('AWS_IAM')).toHaveLength(routes.length - 6);
    expect(keysOf('AWS_IAM').filter((key) => !/ \/connections\b/.test(key))).toEqual([]);
  });

  test('there is one authorizer: issuer and audience to the letter, the token in the Authorization header', () => {
    broker.resourceCountIs('AWS::ApiGatewayV2::Authorizer', 1);
    broker.hasResourceProperties('AWS::ApiGatewayV2::Authorizer', {
      AuthorizerType: 'JWT',
      IdentitySource: ['$request.header.Authorization'],
      JwtConfiguration: { Issuer: 'https://idp.example', Audience: ['token-broker', 'workers'] },
    });
    const ids = routes.flatMap(({ AuthorizationType, AuthorizerId }) =>
      AuthorizationType === 'JWT' ? [read(AuthorizerId)] : [],
    );
    expect(ids).toEqual(['ApiJwt', 'ApiJwt', 'ApiJwt']);
    // The handler looks at scopes: they name connections, which the template does not know.
    for (const route of routes) expect(route).not.toHaveProperty('AuthorizationScopes');
  });

  test('nothing else is different, but that the access log names the subject', () => {
    type Resources = Record<string, { Type: string; Properties: Record<string, unknown> }>;
    const changed = (before: Resources, after: Resources) =>
      Object.keys({ ...before, ...after }).filter((id) => JSON.stringify(before[id]) !== JSON.stringify(after[id]));
    const { Resources, ...others } = broker.toJSON();
    const { Resources: usualResources, ...usualOthers } = usual.toJSON();
    const ids = changed(usualResources, Resources).filter(
      (id) => !tokenRoutes.includes(String(Resources[id].Properties.RouteKey)),
    );
    expect(ids.map(withoutHash).toSorted()).toEqual(['ApiJwt', 'ApiStage']);
    expect(others).toEqual(usualOthers);
    expect(state.toJSON()).toEqual(usualState.toJSON());

    const [stage, usualStage] = [broker, usual].map((template) =>
      propertiesIn(template)('AWS::ApiGatewayV2::Stage', 'ApiStage'),
    );
    const [format, usualFormat] = [stage, usualStage].map(({ AccessLogSettings }) =>
      JSON.parse(AccessLogSettings.Format),
    );
    expect(format).toEqual({ ...usualFormat, subject: '$context.authorizer.claims.sub' });
  });

  test('it breaks none of the AwsSolutions rules', () => {
    expect(() => unbundled(context).app.synth()).not.toThrow();
  });

  test('grantGetToken refuses: a policy would have no effect', () => {
    const { app, broker: stack } = unbundled(context);
    const role = new Role(new Stack(app, 'clients'), 'Worker', { assumedBy: new AccountRootPrincipal() });
    expect(() => stack.grantGetToken(role, 'exact-nl')).toThrow(
      /JWTs of https:\/\/idp\.example open the token routes.*no effect.*give token:exact-nl; nothing was granted/,
    );
  });
});

test('without one, there is no authorizer, and no JWT opens anything', () => {
  const { broker } = templatesOf(unbundled());
  broker.resourceCountIs('AWS::ApiGatewayV2::Authorizer', 0);
  expect(JSON.stringify(broker.toJSON())).not.toMatch(/"JWT"|jwt/i);
});

test('the local broker’s assembly is made anew when the context is another', () => {
  expect(stampOf(context)).toBe(stampOf({ ...context }));
  expect(new Set([stampOf({}), stampOf(context), stampOf({ ...context, jwtAudience: 'others' })]).size).toBe(3);
});

const faultsOf = (context: Record<string, unknown>): readonly string[] => {
  const parsed = parseSettings(context);
  return 'faults' in parsed ? parsed.faults : [];
};

describe('context that cannot be used stops the synthesis', () => {
  test('with every fault at once', () => {
    const faulty = { secretStor: 'dynamodb', jwtIssuer: 'http://localhost:9000', name: 'State' };
    const said = [
      'CDK context: secretStor: there is no such setting; did you mean secretStore\\?',
      'name: takes .*, not State\\.',
      'jwtIssuer: takes an https URL.*',
      'jwtAudience: is missing, and jwtIssuer needs it',
    ];
    expect(() => unbundled(faulty)).toThrow(new RegExp(`^${said.join(' ')}`));
  });

  test.each([
    ['secretStor', 'secretStore'],
    ['secretstore', 'secretStore'],
    ['secret-store', 'secretStore'],
    ['SecretsStore', 'secretStore'],
    ['jwtIsuer', 'jwtIssuer'],
    ['jwtAudiance', 'jwtAudience'],
    ['reservedRefeshConcurrency', 'reservedRefreshConcurrency'],
    ['domain_name', 'domainName'],
    ['nam', 'name'],
  ])('%s is not known: %s was meant', (given, meant) => {
    expect(faultsOf({ [given]: 'x' })).toEqual([`${given}: there is no such setting; did you mean ${meant}?`]);
  });

  test.each(['stage', 'x', 'tokens'])('%s is not known, nor like any other', (given) => {
    expect(faultsOf({ [given]: 'x' })).toEqual([
      expect.stringMatching(
        new RegExp(`^${given}: there is no such setting; known are name, secretStore, .*runbookUrl$`),
      ),
    ]);
  });

  test('each setting is in the manual, and no other is', () => {
    const manual = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
    const [, section = ''] = /^### Deploy$(.*?)^### /ms.exec(manual) ?? [];
    const told = [...section.matchAll(/^\| (`.+?) \|/gm)].flatMap(([, cell = '']) =>
      cell.replaceAll('`', '').split(', '),
    );
    const [, known = ''] = /known are (.*)$/.exec(faultsOf({ x: 1 })[0] ?? '') ?? [];
    expect(told.toSorted()).toEqual(known.split(', ').toSorted());
  });

  test('what CDK keeps there itself is let through', () => {
    const ofCdk = {
      '@aws-cdk/core:someFlag': true,
      'aws:cdk:bundling-stacks': ['*'],
      'availability-zones:account=1:region=x': ['a'],
      'hosted-zone:account=1': {},
      'cli-telemetry': false,
      'acknowledged-issue-numbers': [1],
    };
    expect(faultsOf(ofCdk)).toEqual([]);
  });

  test.each<[string, unknown, RegExp]>([
    ['name', 'state', /neither state nor/],
    ['name', 'blue-state', /neither state nor/],
    ['name', 'blue-', /inner hyphens.*, not blue-\.$/],
    ['name', '', /not nothing\.$/],
    ['secretStore', 'dynamo', /takes secrets-manager or dynamodb, not dynamo\.$/],
    ['secretStore', '', /takes secrets-manager or dynamodb, not nothing\.$/],
    ['secretStore', 'DynamoDB', /not DynamoDB\.$/],
    ['runbookUrl', 'https://wiki.example/#top', /takes an https URL without a fragment\.$/],
    ['auditDays', 29, /takes a number of days that CloudWatch Logs can keep a line for: 1, 3, .*3653, not 29\.$/],
    ['egressAddress', '203.0.113.7', /takes the allocation id of an Elastic IP address, .*, not 203\.0\.113\.7\.$/],
    ['canary', 'yes', /takes true or false, not yes\.$/],
    ['requestsPerSecond', 0, /takes a whole number from 1 to 100000, not 0\.$/],
    ['refreshConcurrency', 1, /takes a whole number from 2 to 1000, not 1\.$/],
    ...[1, 1_001, 2.5, '', 'many', '0x10', true, null].map((value): [string, unknown, RegExp] => [
      'reservedRefreshConcurrency',
      value,
      /takes a whole number from 2 to 1000, not .*\.$/,
    ]),
  ])('%s: %j', (name, value, message) => {
    expect(faultsOf({ [name]: value })).toEqual([expect.stringMatching(message)]);
  });

  test.each<[object, string, string]>([
    [{ jwtIssuer: 'https://idp.example' }, 'jwtAudience', 'jwtIssuer'],
    [{ jwtAudience: 'broker' }, 'jwtIssuer', 'jwtAudience'],
    [{ jwtClaim: 'roles' }, 'jwtIssuer', 'jwtClaim'],
    [{ jwtScopePrefix: 'broker/' }, 'jwtIssuer', 'jwtScopePrefix'],
    [{ domainName: 'broker.example' }, 'domainCertificate', 'domainName'],
    [{ domainPath: 'broker' }, 'domainName', 'domainPath'],
  ])('%j misses %s', (given, missing, asking) => {
    expect(faultsOf({ ...given })).toEqual([
      expect.stringMatching(new RegExp(`^${missing}: is missing, and ${asking} needs it; it takes `)),
    ]);
  });
});

describe('an operator is told what is going to be deployed', () => {
  const summary = (context: Record<string, unknown>): string => {
    const parsed = parseSettings(context);
    if ('faults' in parsed) throw new Error(parsed.faults.join());
    return summaryOf(parsed.settings);
  };

  test('by default', () => {
    expect(summary({})).toBe(`Stacks token-broker-state and token-broker; secrets in Secrets Manager.
Token routes: IAM signatures.
Address: API Gateway's own. At most 1000 requests/s, 500 at once.
At most 100 renewals at once. Concurrency reserved: none.
Audit: the access log, kept for 30 days, and gone with the stack.
Alarms refer to docs/operations.md.`);
  });

  test('with all that can be chosen', () => {
    const all = {
      name: 'staging',
      secretStore: 'dynamodb',
      ...context,
      jwtClaim: 'roles',
      jwtScopePrefix: 'broker/',
      domainName: 'api.example',
      domainCertificate: 'arn:aws:acm:eu-west-1:111122223333:certificate/0a1b-2c',
      domainPath: 'broker',
      requestsPerSecond: '200',
      requestBurst: 50,
      reservedRefreshConcurrency: 100,
      reservedTokenConcurrency: '400',
      egressAddress: 'eipalloc-0123456789abcdef0',
      auditDays: '400',
      canary: 'true',
      runbookUrl: 'https://wiki.example/broker',
    };
    expect(summary(all)).toBe(`Stacks token-broker-staging-state and token-broker-staging; secrets in DynamoDB.
Token routes: JWTs of https://idp.example for token-broker or workers, by broker/CONNECTION in roles.
Address: https://api.example/broker. At most 200 requests/s, 50 at once.
At most 100 renewals at once. Concurrency reserved: 100 for refresh, 400 for token.
Providers are called from the address eipalloc-0123456789abcdef0, through a NAT gateway of its own.
Audit: each answer with its generation, kept for 400 days, also when the stack is gone.
Alarms refer to https://wiki.example/broker.
With a canary: a public token endpoint of its own, which a schedule disturbs.`);
  });
});

describe('an issuer', () => {
  const parse = (jwtIssuer: unknown, allowLoopback = true) =>
    parseSettings({ jwtIssuer, jwtAudience: 'token-broker' }, { allowLoopback });

  test.each([
    'https://idp.example',
    'https://idp.example/',
    'https://idp.example/tenant/v2.0',
    'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_a',
    'http://127.0.0.1:8080',
    'http://localhost',
  ])('may be %s, and stays as it is written', (issuer) => {
    expect(parse(issuer)).toMatchObject({ settings: { jwt: { issuer, audience: ['token-broker'] } } });
  });

  test.each(['http://127.0.0.1:8080', 'http://localhost', 'https://localhost', 'https://[::1]'])(
    'may not be %s for API Gateway, which cannot reach it',
    (issuer) => {
      expect(parse(issuer, false)).toEqual({ faults: [expect.stringMatching(/which API Gateway can reach\.$/)] });
    },
  );

  test.each<unknown>([
    'http://idp.example',
    'http://127.0.0.1.idp.example',
    'http://10.0.0.7',
    'https://10.0.0.7',
    'https://app:secret@idp.example',
    'https://idp.example?tenant=1',
    'https://idp.example#keys',
    ' https://idp.example',
    'https://idp.example\n',
    'https:/idp.example',
    'https:\\\\idp.example',
    'ftp://idp.example',
    'idp.example',
    'https://',
    '',
    7,
    true,
    null,
    ['https://idp.example'],
  ])('may not be %j, which is not repeated', (issuer) => {
    expect(parse(issuer)).toEqual({ faults: [expect.stringMatching(/^jwtIssuer: takes [^"]*\.$/)] });
    expect(JSON.stringify(parse(issuer))).not.toContain('secret');
  });
});

describe('an audience', () => {
  const parse = (jwtAudience: unknown) => parseSettings({ jwtIssuer: 'https://idp.example', jwtAudience });
  const many = (count: number) => Array.from({ length: count }, (_, i) => `a${i}`).join(',');

  test.each([
    ['https://broker.example/api', ['https://broker.example/api']],
    ['a, b ,c', ['a', 'b', 'c']],
    [many(50), many(50).split(',')],
  ])('may be %s', (given, audience) => {
    expect(parse(given)).toMatchObject({ settings: { jwt: { issuer: 'https://idp.example', audience } } });
  });

  test.each<unknown>(['', ' ', ',', 'a,', ',a', 'a,,b', 'a b', many(51), 7, true, null])('may not be %j', (given) => {
    expect(parse(given)).toEqual({ faults: [expect.stringMatching(/^jwtAudience: takes /)] });
  });
});
