import * as v from 'valibot';
import type { Throttle } from '../../infra/choices.ts';
import { arnOf } from './account.ts';
import { type Assembly, type Resource, type Stack, TemplateError } from './assembly.ts';
import type { Deployment, SecretDefinition } from './deployment.ts';
import { NotHere, type PhysicalId, resolver } from './intrinsics.ts';
import * as schemas from './resource-schemas.ts';

/** Where the deployment's resources are reached. */
export interface Place {
  /** The gateway's base URL, which the template calls the API's endpoint. */
  readonly apiUrl: string;
  queueUrl(name: string): string;
  secretArn(name: string): string;
}

interface Found {
  readonly stack: Stack;
  readonly logicalId: string;
  readonly resource: Resource;
  readonly where: string;
}

const allOf = (assembly: Assembly, type: string): Found[] =>
  assembly.stacks.flatMap((stack) =>
    Object.entries(stack.Resources)
      .filter(([, resource]) => resource.Type === type)
      .map(([logicalId, resource]) => ({ stack, logicalId, resource, where: `${stack.name}.${logicalId}` })),
  );

/**
 * Returns the secrets that the template creates. They come before the rest is resolved: what a secret is called is
 * known once it exists.
 */
export function secretsOf(assembly: Assembly): SecretDefinition[] {
  return allOf(assembly, 'AWS::SecretsManager::Secret').map(({ logicalId, resource, where }) => {
    const { SecretString, GenerateSecretString } = parse(schemas.Secret, resource.Properties, where);
    return { name: nameOf(logicalId, resource), secretString: SecretString, generate: GenerateSecretString };
  });
}

/**
 * Resolves the whole assembly to plain values. Throws `TemplateError` naming the first thing that cannot be run here.
 */
export function deploymentOf(assembly: Assembly, place: Place): Deployment {
  const resolve = resolver(assembly, physicalIds(place));
  // Read above, or only to say where the API is.
  const known = new Set(['AWS::SecretsManager::Secret', 'AWS::ApiGatewayV2::Api']);

  function each<Entries extends v.ObjectEntries, Built>(
    type: string,
    schema: v.ObjectSchema<Entries, undefined>,
    build: (properties: v.InferOutput<v.ObjectSchema<Entries, undefined>>, found: Found) => Built,
  ): Built[] {
    known.add(type);
    return allOf(assembly, type).map((found) => {
      // Only what is used is resolved: other properties may refer to what is not here, such as roles.
      const used = Object.entries(found.resource.Properties ?? {}).filter(([property]) => property in schema.entries);
      return build(parse(schema, resolve(found.stack, Object.fromEntries(used), found.where), found.where), found);
    });
  }

  const functions = each('AWS::Lambda::Function', schemas.LambdaFunction, (properties, { logicalId, resource }) => ({
    name: nameOf(logicalId, resource),
    arn: arnOf('lambda', `function:${nameOf(logicalId, resource)}`),
    directory: assembly.assetDirectory(properties.Code.S3Key),
    handler: properties.Handler,
    environment: properties.Environment.Variables,
    timeoutMs: properties.Timeout * 1000,
    memoryMb: properties.MemorySize,
    ...(properties.ReservedConcurrentExecutions !== undefined && {
      reservedConcurrency: properties.ReservedConcurrentExecutions,
    }),
  }));
  const functionNamed = (reference: string, where: string): string => {
    const found = functions.find(({ name, arn }) => reference === name || reference === arn);
    if (!found) throw new TemplateError(`${where}: ${reference} is not a function of this deployment`);
    return found.name;
  };

  const integrations = new Map(
    each(
      'AWS::ApiGatewayV2::Integration',
      schemas.Integration,
      (properties, { logicalId }) => [logicalId, properties] as const,
    ),
  );
  const authorizers = new Map(
    each(
      'AWS::ApiGatewayV2::Authorizer',
      schemas.Authorizer,
      ({ JwtConfiguration: { Issuer, Audience } }, { logicalId }) => [
        logicalId,
        { issuer: Issuer, audience: Audience },
      ],
    ),
  );
  const [stage] = each('AWS::ApiGatewayV2::Stage', schemas.Stage, ({ DefaultRouteSettings, RouteSettings }) => {
    const whole = throttleOf(DefaultRouteSettings);
    return (routeKey: string) => throttleOf(RouteSettings[routeKey]) ?? whole;
  });
  const routes = each(
    'AWS::ApiGatewayV2::Route',
    schemas.Route,
    ({ RouteKey, Target, AuthorizationType, AuthorizerId }, { where }) => {
      const integration = integrations.get(Target.replace(/^integrations\//, ''));
      if (!integration) throw new TemplateError(`${where}: there is no integration ${Target}`);
      const functionName = functionNamed(integration.IntegrationUri, where);
      const authorization = AuthorizationType === 'JWT' ? authorizers.get(AuthorizerId) : AuthorizationType;
      if (!authorization) throw new TemplateError(`${where}: there is no authorizer ${AuthorizerId}`);
      const throttle = stage?.(RouteKey);
      return {
        routeKey: RouteKey,
        authorization,
        functionName,
        timeoutMs: integration.TimeoutInMillis,
        ...(throttle && { throttle }),
      };
    },
  );

  const asDefined = (properties: Readonly<Record<string, unknown>>, { logicalId, resource }: Found) => ({
    name: nameOf(logicalId, resource),
    properties,
  });
  const eventSources = each('AWS::Lambda::EventSourceMapping', schemas.EventSourceMapping, (properties, { where }) => ({
    queueName: properties.EventSourceArn.split(':').at(-1) ?? '',
    queueArn: properties.EventSourceArn,
    functionName: functionNamed(properties.FunctionName, where),
    batchSize: properties.BatchSize,
    maximumConcurrency: properties.ScalingConfig.MaximumConcurrency,
    reportsBatchItemFailures: properties.FunctionResponseTypes.length > 0,
  }));

  const schedules = each('AWS::Events::Rule', schemas.Rule, (rule, { where }) => {
    const { ScheduleExpression, State } = rule;
    if (ScheduleExpression === undefined) return [];
    const { Targets } = parse(schemas.Targets, { Targets: rule.Targets }, where);
    if (State === 'DISABLED') return [];
    return Targets.map(({ Arn, Input }) => ({
      functionName: functionNamed(Arn, where),
      everyMs: intervalOf(ScheduleExpression, where),
      input: Input,
    }));
  }).flat();

  return {
    functions,
    routes,
    eventSources,
    schedules,
    queues: each('AWS::SQS::Queue', schemas.Queue, asDefined),
    tables: each('AWS::DynamoDB::Table', schemas.Table, asDefined),
    eventBuses: each('AWS::Events::EventBus', schemas.EventBus, ({ Name }) => Name),
    ignored: countTypes(assembly, known),
  };
}

const throttleOf = (settings: v.InferOutput<typeof schemas.Stage>['DefaultRouteSettings']): Throttle | undefined =>
  settings && { requestsPerSecond: settings.ThrottlingRateLimit, burst: settings.ThrottlingBurstLimit };

/** By which property a template names a resource itself. */
const nameProperty: Readonly<Record<string, string>> = {
  'AWS::Lambda::Function': 'FunctionName',
  'AWS::SQS::Queue': 'QueueName',
  'AWS::DynamoDB::Table': 'TableName',
  'AWS::SecretsManager::Secret': 'Name',
  'AWS::Events::EventBus': 'Name',
};

/**
 * A resource is called as the template says, else like its logical id, to which CloudFormation would add something
 * random.
 */
function nameOf(logicalId: string, { Type, Properties = {} }: Resource): string {
  const name = Properties[nameProperty[Type] ?? ''];
  return typeof name === 'string' ? name : logicalId;
}

/** The table of local physical ids. */
function physicalIds(place: Place): (stack: Stack, logicalId: string, resource: Resource) => PhysicalId | undefined {
  return (_, logicalId, resource) => {
    const name = nameOf(logicalId, resource);
    switch (resource.Type) {
      case 'AWS::Lambda::Function':
        return { ref: name, attributes: { Arn: arnOf('lambda', `function:${name}`) } };
      case 'AWS::SQS::Queue':
        return {
          ref: place.queueUrl(name),
          attributes: { Arn: arnOf('sqs', name), QueueName: name, QueueUrl: place.queueUrl(name) },
        };
      case 'AWS::DynamoDB::Table':
        return { ref: name, attributes: { Arn: arnOf('dynamodb', `table/${name}`) } };
      case 'AWS::SecretsManager::Secret':
        return { ref: place.secretArn(name), attributes: { Id: place.secretArn(name) } };
      case 'AWS::Events::EventBus':
        return { ref: name, attributes: { Arn: arnOf('events', `event-bus/${name}`), Name: name } };
      case 'AWS::ApiGatewayV2::Api':
        return { ref: logicalId, attributes: { ApiEndpoint: place.apiUrl, ApiId: logicalId } };
      case 'AWS::ApiGatewayV2::Authorizer':
      case 'AWS::ApiGatewayV2::Integration':
        return { ref: logicalId, attributes: {} };
      default:
        return undefined;
    }
  };
}

const unitMs: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

function intervalOf(expression: string, where: string): number {
  const [, value, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  if (!value || !unit) throw new TemplateError(`${where}: only rate(…) schedules run locally, not ${expression}`);
  return Number(value) * (unitMs[unit] ?? Number.NaN);
}

function parse<Schema extends v.GenericSchema>(
  schema: Schema,
  properties: unknown,
  where: string,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, properties);
  if (!result.success) {
    const faults = result.issues.map(
      (issue) => `${v.getDotPath(issue)}: ${issue.input instanceof NotHere ? issue.input.reason : issue.message}`,
    );
    throw new TemplateError(`${where} cannot run locally: ${faults.join('; ')}`);
  }
  return result.output;
}

function countTypes(assembly: Assembly, known: ReadonlySet<string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { Type } of assembly.stacks.flatMap(({ Resources }) => Object.values(Resources))) {
    if (!known.has(Type)) counts[Type] = (counts[Type] ?? 0) + 1;
  }
  return counts;
}
