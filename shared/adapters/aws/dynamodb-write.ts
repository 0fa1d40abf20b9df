/** Conditional writes to the table, each recognised when its reply was lost. */
import { type AttributeValue, ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';

export type Attributes = Record<string, AttributeValue>;

interface ConditionalWrite<Item> {
  /** Sends the write, which asks for the item that refuses it. Returns the item after it, if the write tells. */
  readonly send: () => Promise<Attributes | undefined>;
  /** A strongly consistent read, since not every implementation of DynamoDB sends the refusing item along. */
  readonly read: () => Promise<Item | undefined>;
  /** Whether the item shows that this very write was applied; undefined if there is no item. */
  readonly isMine: (item: Item | undefined) => boolean;
}

/**
 * Applies a conditional write. When the reply to a write is lost, the SDK sends it again, and the condition fails
 * because of what the first try wrote: `isMine` tells that from a write that lost a race. Throws what the client
 * throws.
 */
export async function writeOnce<Item>({
  send,
  read,
  isMine,
}: ConditionalWrite<Item>): Promise<{ readonly applied: boolean; readonly item: Item | undefined }> {
  try {
    const attributes = await send();
    return { applied: true, item: attributes && (unmarshall(attributes) as Item) };
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    const item = error.Item === undefined ? await read() : (unmarshall(error.Item) as Item);
    return { applied: isMine(item), item };
  }
}
