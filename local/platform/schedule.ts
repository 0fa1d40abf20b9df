import type { ScheduleDefinition } from './deployment.ts';
import type { Lambda } from './lambda.ts';

/**
 * Invokes a function at once and then at the schedule's rate, whether or not the last invocation has ended, until
 * closed.
 */
export function startSchedule(
  { functionName, everyMs, input }: ScheduleDefinition,
  lambda: Pick<Lambda, 'invoke'>,
): { close(): void } {
  const event: unknown = JSON.parse(input);
  const fire = (): void => void lambda.invoke(functionName, event);
  const timer = setInterval(fire, everyMs);
  fire();
  return { close: () => clearInterval(timer) };
}
