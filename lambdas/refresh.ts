/** Fed by the refresh queue only: looks at the connection that a message names, and does what its state calls for. */
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { parseMessage } from '../shared/adapters/aws/sqs-queue.ts';
import { tend } from '../shared/application/tend.ts';
import { composeRefresh } from '../shared/compose.ts';
import type { ConnectionName } from '../shared/domain/connection-name.ts';
import { plus } from '../shared/domain/time.ts';

const compose = composeRefresh();

export const handler = async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
  const world = compose();
  const deadline = plus(world.clock.now(), context.getRemainingTimeInMillis());
  const batchItemFailures: { itemIdentifier: string }[] = [];
  for (const { messageId, body } of event.Records) {
    let connection: ConnectionName | undefined;
    try {
      connection = parseMessage(body);
      await tend(world, connection, deadline);
    } catch (error) {
      // The message comes back, and in the end goes to the dead letters; the planner does not wait for it.
      world.telemetry.error('refresh_crashed', { messageId, connection, error });
      batchItemFailures.push({ itemIdentifier: messageId });
    }
  }
  // What is left for the next invocation would be frozen until then.
  await world.settled();
  return { batchItemFailures };
};
