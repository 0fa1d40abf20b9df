import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Duration, Stack, Validations } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, LoggingFormat, type RecursiveLoop, Runtime, SystemLogLevel } from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction, type NodejsFunctionProps } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { DeployedName } from '../../lambdas/routes.ts';
import { type FunctionBinding, told } from './bindings.ts';
import { bundling } from './bundling.ts';
import type { FixedEgress } from './fixed-egress.ts';
import { keptFor } from './kept-logs.ts';

const root = join(import.meta.dirname, '../..');

interface BrokerFunctionProps {
  /** Its handler is `lambdas/<name>.ts`. */
  readonly name: DeployedName;
  /** After this many milliseconds Lambda kills an invocation. */
  readonly timeoutMs: number;
  /** Memory in MB, by which Lambda gives CPU, too. */
  readonly memoryMb: number;
  /** All that it may do, and all of its environment. */
  readonly bindings: readonly FunctionBinding[];
  /**
   * What Lambda does when the function is invoked by messages that it caused itself.
   * @default Lambda ends the loop
   */
  readonly recursiveLoop?: RecursiveLoop;
  /**
   * How many invocations are kept for it, and the most that run at once.
   * @default what the account has left
   */
  readonly reservedConcurrency?: number | undefined;
  /**
   * How many days its log is kept, which then has a line for each answer and outlives the stack.
   * @default 30, without these lines, and the log goes with the stack
   */
  readonly auditDays?: number | undefined;
  /**
   * The network from which it calls providers.
   * @default Lambda's own, with addresses of AWS
   */
  readonly egress?: FixedEgress | undefined;
}

/** One function of the broker: its bundle, its log group, and a role that holds its bindings and nothing else. */
export class BrokerFunction extends NodejsFunction {
  constructor(scope: Construct, id: string, props: BrokerFunctionProps) {
    const { egress, auditDays } = props;
    const logGroup = new LogGroup(scope, `${id}Logs`, keptFor(auditDays));
    // A role of our own: the one that CDK makes may write to every log group of the account.
    const role = new Role(scope, `${id}Role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);
    const bindings = [
      told({ DEPLOYMENT: Stack.of(scope).stackName, AUDIT: auditDays === undefined ? undefined : 'on' }),
      ...(egress ? [egress.binding] : []),
      ...props.bindings,
    ];
    for (const { statements, acknowledge = [] } of bindings) {
      for (const statement of statements) role.addToPolicy(statement);
      Validations.of(role).acknowledge(...acknowledge);
    }

    super(scope, id, {
      ...codeOf(props.name),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      timeout: Duration.millis(props.timeoutMs),
      memorySize: props.memoryMb,
      environment: Object.assign({}, ...bindings.map(({ environment }) => environment)),
      role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      // Without the platform's START, END and REPORT lines, which cost more than a short invocation.
      systemLogLevelV2: SystemLogLevel.WARN,
      ...(props.recursiveLoop === undefined ? {} : { recursiveLoop: props.recursiveLoop }),
      ...(egress && { vpc: egress.vpc, securityGroups: [egress.securityGroup] }),
      ...(props.reservedConcurrency === undefined ? {} : { reservedConcurrentExecutions: props.reservedConcurrency }),
    });
  }
}

/** The bundle of a function: the one that the package brings, or one that is made of the source beside it. */
function codeOf(
  name: DeployedName,
): Pick<NodejsFunctionProps, 'code' | 'entry' | 'projectRoot' | 'depsLockFilePath' | 'bundling'> {
  // Beside the file that all of `infra` becomes in the package (packages.ts).
  const packed = join(import.meta.dirname, 'functions', name);
  if (existsSync(packed)) return { code: Code.fromAsset(packed) };
  return {
    entry: join(root, 'lambdas', `${name}.ts`),
    projectRoot: root,
    depsLockFilePath: join(root, 'package-lock.json'),
    bundling,
  };
}
