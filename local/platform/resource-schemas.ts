/**
 * The properties that the local broker reads, by resource type. A value that it could not honour is a fault, not a
 * surprise later.
 */
import * as v from 'valibot';

const count = v.pipe(
  v.union([v.number(), v.pipe(v.string(), v.regex(/^\d+$/), v.transform(Number))]),
  v.integer(),
  v.minValue(0),
);

/** Handed on as they are. */
const given = v.optional(v.unknown());

export const LambdaFunction = v.object({
  FunctionName: v.optional(v.string()),
  Handler: v.string(),
  Runtime: v.pipe(v.string(), v.startsWith('nodejs')),
  Code: v.object({ S3Key: v.string() }),
  Timeout: v.optional(count, 3),
  MemorySize: v.optional(count, 128),
  ReservedConcurrentExecutions: v.optional(count),
  Environment: v.optional(v.object({ Variables: v.optional(v.record(v.string(), v.string()), {}) }), {}),
});

export const Integration = v.object({
  IntegrationType: v.literal('AWS_PROXY'),
  IntegrationUri: v.string(),
  PayloadFormatVersion: v.literal('2.0'),
  TimeoutInMillis: v.optional(count, 30_000),
});

export const Route = v.object({
  RouteKey: v.pipe(v.string(), v.regex(/^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) \//)),
  Target: v.string(),
  AuthorizationType: v.optional(v.picklist(['AWS_IAM', 'JWT', 'NONE']), 'NONE'),
  AuthorizerId: v.optional(v.string(), ''),
  AuthorizationScopes: v.optional(v.never()),
});

const Throttle = v.object({ ThrottlingRateLimit: count, ThrottlingBurstLimit: count });

/** What is let through: of each route that has settings of its own, and of all other routes together. */
export const Stage = v.object({
  DefaultRouteSettings: v.optional(Throttle),
  RouteSettings: v.optional(v.record(v.string(), Throttle), {}),
});

export const Authorizer = v.object({
  AuthorizerType: v.literal('JWT'),
  IdentitySource: v.strictTuple([v.literal('$request.header.Authorization')]),
  JwtConfiguration: v.object({ Issuer: v.string(), Audience: v.array(v.string()) }),
});

export const EventSourceMapping = v.object({
  EventSourceArn: v.pipe(v.string(), v.includes(':sqs:')),
  FunctionName: v.string(),
  BatchSize: v.optional(count, 10),
  ScalingConfig: v.optional(v.object({ MaximumConcurrency: v.optional(count, 5) }), {}),
  FunctionResponseTypes: v.optional(v.array(v.literal('ReportBatchItemFailures')), []),
});

const Target = v.object({ Arn: v.string(), Input: v.optional(v.string(), '{}') });

/** A rule runs here if it is a schedule. One with a pattern hands events to what is not here. */
export const Rule = v.object({
  ScheduleExpression: v.optional(v.string()),
  State: v.optional(v.picklist(['ENABLED', 'DISABLED']), 'ENABLED'),
  Targets: given,
});
export const Targets = v.object({ Targets: v.array(Target) });

export const EventBus = v.object({ Name: v.string() });

export const Secret = v.object({
  SecretString: v.optional(v.string()),
  GenerateSecretString: v.optional(
    v.object({
      PasswordLength: v.optional(count, 32),
      ExcludePunctuation: v.optional(v.boolean(), false),
      SecretStringTemplate: v.optional(v.string()),
      GenerateStringKey: v.optional(v.string()),
    }),
  ),
});

export const Queue = v.object({
  VisibilityTimeout: given,
  MessageRetentionPeriod: given,
  DelaySeconds: given,
  RedrivePolicy: given,
  FifoQueue: given,
});

export const Table = v.object({
  KeySchema: given,
  AttributeDefinitions: given,
  GlobalSecondaryIndexes: given,
  BillingMode: given,
  TimeToLiveSpecification: given,
});
