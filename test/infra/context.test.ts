/** What the CDK context `jwtIssuer` and `jwtAudience` make of the deployment. */
import { Stack } from 'aws-cdk-lib';
import { AccountRootPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import { describe, expect, test } from 'vitest';
import { parseJwtAuthorization } from '../../infra/jwt-authorization.ts';
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
    expect(keysOf('NONE')).toEqual(['GET /oauth/callback']);
    expect(keysOf('AWS_IAM')).toHaveLength(routes.length - 4);
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
      /JWTs open the token routes.*no effect.*scope token:exact-nl; nothing was granted/,
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

describe('context that cannot be used stops the synthesis', () => {
  test.each<[string, Record<string, string>, RegExp]>([
    [
      'no audience',
      { jwtIssuer: 'https://idp.example' },
      /^CDK context: jwtAudience: is missing: issuer and audience go together\./,
    ],
    ['no issuer', { jwtAudience: 'token-broker' }, /^CDK context: jwtIssuer: is missing/],
    [
      'values of variables that are not set',
      { jwtIssuer: '', jwtAudience: '' },
      /jwtIssuer: takes an https URL.* jwtAudience: takes names/,
    ],
    [
      'both of them faulty',
      { jwtIssuer: 'http://idp.example', jwtAudience: 'a,,b' },
      /jwtIssuer: takes an https URL.* jwtAudience: takes names/,
    ],
  ])('%s', (_, given, message) => {
    expect(() => unbundled(given)).toThrow(message);
  });
});

describe('an issuer', () => {
  const names = { issuer: 'issuer', audience: 'audience' };
  const parse = (issuer: unknown) => parseJwtAuthorization({ issuer, audience: 'token-broker' }, names);

  test.each([
    'https://idp.example',
    'https://idp.example/',
    'https://idp.example/tenant/v2.0',
    'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_a',
    'http://127.0.0.1:8080',
    'http://localhost',
  ])('may be %s, and stays as it is written', (issuer) => {
    expect(parse(issuer)).toEqual({ jwt: { issuer, audience: ['token-broker'] } });
  });

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
    expect(parse(issuer)).toEqual({ faults: [expect.stringMatching(/^issuer: takes [^"]*\.$/)] });
    expect(JSON.stringify(parse(issuer))).not.toContain('secret');
  });
});

describe('an audience', () => {
  const parse = (audience: unknown) =>
    parseJwtAuthorization({ issuer: 'https://idp.example', audience }, { issuer: 'issuer', audience: 'audience' });
  const many = (count: number) => Array.from({ length: count }, (_, i) => `a${i}`).join(',');

  test.each([
    ['https://broker.example/api', ['https://broker.example/api']],
    ['a, b ,c', ['a', 'b', 'c']],
    [many(50), many(50).split(',')],
  ])('may be %s', (given, audience) => {
    expect(parse(given)).toEqual({ jwt: { issuer: 'https://idp.example', audience } });
  });

  test.each<unknown>(['', ' ', ',', 'a,', ',a', 'a,,b', 'a b', many(51), 7, true, null])('may not be %j', (given) => {
    expect(parse(given)).toEqual({ faults: [expect.stringMatching(/^audience: takes /)] });
  });
});
