/** Fed by the refresh queue only: looks at the connection that a message names, and does what its state calls for. */
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { parseMessage } from '../shared/adapters/aws/sqs-queue.ts';
import { finishDeletion } from '../shared/application/delete-connection.ts';
import { runRefresh } from '../shared/application/run-refresh.ts';
import { composeRefresh } from '../shared/compose.ts';
import { plus } from '../shared/domain/time.ts';

const compose = composeRefresh();

export const handler = async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
  const world = compose();
  const deadline = plus(world.clock.now(), context.getRemainingTimeInMillis());
  const batchItemFailures: { itemIdentifier: string }[] = [];
  for (const { messageId, body } of event.Records) {
    try {
      const connection = parseMessage(body);
      const ending = await runRefresh(world, connection, deadline);
      if (ending.do === 'stop' && ending.reason === 'deleted') await finishDeletion(world, connection);
    } catch (error) {
      // The message comes back, and in the end goes to the dead letters; the planner does not wait for it.
      world.telemetry.error('refresh_crashed', { messageId, error });
      batchItemFailures.push({ itemIdentifier: messageId });
    }
  }
  // What is left for the next invocation would be frozen until then.
  await world.settled();
  return { batchItemFailures };
};
