/** The canary of a deployed broker: connects it, and asks it what it counted. */
import type { StackResourceSummary } from '@aws-sdk/client-cloudformation';
import type { CanaryReport } from '../../shared/canary/authorization-server.ts';
import { canaryConnection } from '../../shared/canary/connection.ts';
import type { CanaryOrder } from '../../shared/canary/serve.ts';
import type { Broker } from '../broker.ts';
import { physical, resourcesOf } from '../doctor/gather.ts';
import { wrongInput } from '../failure.ts';
import type { Target } from '../target.ts';
import type { CanaryEvidence } from './canary-checks.ts';

type Deployed = Extract<Target, { kind: 'deployed' }>;

/** Returns undefined where the stack has no canary. */
export async function canaryEvidence(
  found: readonly StackResourceSummary[],
  { broker, aws }: Pick<Deployed, 'broker' | 'aws'>,
  now: number,
): Promise<CanaryEvidence | undefined> {
  const name = functionIn(found);
  if (name === undefined) return undefined;
  const [report, connection] = await Promise.all([
    ordered<CanaryReport>(name, { order: 'report' }, aws),
    broker.find(canaryConnection),
  ]);
  return { now, state: connection?.state, report };
}

/**
 * Has the canary hand out a new grant, whose counts begin anew, and connects the broker to it. Throws a
 * `CommandFailure` if the stack has no canary.
 */
export async function connectCanary(
  { broker, aws }: { readonly broker: Broker; readonly aws: Deployed['aws'] },
  stack: string,
  grant: Omit<Extract<CanaryOrder, { order: 'grant' }>, 'order'> = {},
): Promise<void> {
  const name = functionIn(await resourcesOf(stack, aws));
  if (name === undefined) throw wrongInput(`--canary: ${stack} has no canary. Deploy it with -c canary=true first.`);
  await broker.put(canaryConnection, await ordered(name, { order: 'grant', ...grant }, aws));
}

const functionIn = (found: readonly StackResourceSummary[]): string | undefined =>
  physical(found, 'AWS::Lambda::Function', /^CanaryFunction/)[0];

async function ordered<T>(functionName: string, order: CanaryOrder, aws: Deployed['aws']): Promise<T | undefined> {
  const { InvokeCommand, LambdaClient } = await import('@aws-sdk/client-lambda');
  const { FunctionError: failed, Payload } = await new LambdaClient(aws).send(
    new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(order) }),
  );
  if (failed !== undefined) throw new Error(`${functionName} failed; its log says why`);
  return JSON.parse(Payload?.transformToString() ?? 'null') ?? undefined;
}
