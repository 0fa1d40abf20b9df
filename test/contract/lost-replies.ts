/**
 * Adapters that lose the reply to the first try of each write, as a network may, and try again: each write is made
 * twice.
 */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

const reading = /^(?:Get|BatchGet|Query|Scan)/;

/**
 * Returns the client, which from now on sends each write twice and shows the second reply only, whatever the first one
 * said.
 */
export function losingReplies<C extends DynamoDBClient | SecretsManagerClient>(client: C): C {
  const { middlewareStack } = client as DynamoDBClient;
  middlewareStack.add(
    (next, context) => async (args) => {
      if (!reading.test(String(context.commandName))) await next(args).catch(() => undefined);
      return next(args);
    },
    { step: 'deserialize', priority: 'high' },
  );
  return client;
}

/** The same for an adapter in memory, whose methods that write are named. */
export const losingRepliesOf = <T extends object>(adapter: T, writes: readonly (keyof T)[]): T => ({
  ...adapter,
  ...Object.fromEntries(
    writes.map((name) => {
      const write = adapter[name] as (...args: readonly unknown[]) => Promise<unknown>;
      const twice = async (...args: readonly unknown[]) => {
        await write(...args);
        return write(...args);
      };
      return [name, twice];
    }),
  ),
});
