import type { Throttle } from '../../infra/choices.ts';

/**
 * What a template deploys, in plain values. None of it is written anywhere else: names, routes and environment come
 * from the template.
 */
export interface Deployment {
  readonly functions: readonly FunctionDefinition[];
  readonly routes: readonly RouteDefinition[];
  readonly queues: readonly QueueDefinition[];
  readonly tables: readonly TableDefinition[];
  readonly eventSources: readonly EventSourceDefinition[];
  readonly schedules: readonly ScheduleDefinition[];
  /** By name. */
  readonly eventBuses: readonly string[];
  /** Resource types that have no counterpart here, and how many there are of each. */
  readonly ignored: Readonly<Record<string, number>>;
}

export interface FunctionDefinition {
  readonly name: string;
  readonly arn: string;
  /** Where the bundle is. */
  readonly directory: string;
  /** `index.handler`: the module in the bundle, and what it exports. */
  readonly handler: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly memoryMb: number;
  /** Invocations that are kept for it, and the most that run at once. */
  readonly reservedConcurrency?: number;
}

export interface RouteDefinition {
  /** `GET /token/{connection}`, as API Gateway writes it. */
  readonly routeKey: string;
  readonly authorization: 'AWS_IAM' | 'NONE' | JwtAuthorizer;
  readonly functionName: string;
  readonly timeoutMs: number;
  /** What API Gateway lets through. Routes that have the very same object share it. */
  readonly throttle?: Throttle;
}

/** Whose tokens are taken, and for whom they may be. */
export interface JwtAuthorizer {
  readonly issuer: string;
  readonly audience: readonly string[];
}

/** `properties` are those of CloudFormation, resolved. */
interface QueueDefinition {
  readonly name: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** `properties` are those of CloudFormation, resolved. */
interface TableDefinition {
  readonly name: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

export interface EventSourceDefinition {
  readonly queueName: string;
  readonly queueArn: string;
  readonly functionName: string;
  readonly batchSize: number;
  readonly maximumConcurrency: number;
  readonly reportsBatchItemFailures: boolean;
}

export interface ScheduleDefinition {
  readonly functionName: string;
  readonly everyMs: number;
  /** The event, as JSON text. */
  readonly input: string;
}

export interface SecretDefinition {
  readonly name: string;
  readonly secretString?: string | undefined;
  readonly generate?: GenerateSecretString | undefined;
}

/** CloudFormation's `GenerateSecretString`, as far as it is provided here. */
export interface GenerateSecretString {
  readonly PasswordLength: number;
  readonly ExcludePunctuation: boolean;
  readonly SecretStringTemplate?: string | undefined;
  readonly GenerateStringKey?: string | undefined;
}
