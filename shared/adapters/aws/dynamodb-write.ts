/** Conditional writes to a table, each recognised when its reply was lost. */
import { randomUUID } from 'node:crypto';
import { type AttributeValue, ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';

export type Attributes = Record<string, AttributeValue>;

/** The attribute in which every item names the write that it was last written by. */
const attribute = 'lastWrite';

type Mark = Readonly<Record<typeof attribute, string>>;

const marks = new WeakMap<object, Mark>();

/**
 * Returns what a write leaves in the item beside what it says: a name of its own, the same however often the write is
 * sent.
 */
export function markOf(write: object): Mark {
  const mark = marks.get(write) ?? { [attribute]: randomUUID() };
  marks.set(write, mark);
  return mark;
}

/** Returns the item without its mark. */
export function unmarked<Item>(attributes: Attributes): Item {
  const { [attribute]: _mark, ...item } = unmarshall(attributes);
  // Only these adapters write to the tables, so their items are what the domain says they are.
  return item as Item;
}

interface ConditionalWrite<Item> {
  /** What the write leaves in the item. Absent of a write that leaves none. */
  readonly mark?: Mark;
  /** Sends the write, which asks for the item that refuses it. Returns the item after it, if the write tells. */
  readonly send: () => Promise<Attributes | undefined>;
  /** A strongly consistent read, since not every implementation of DynamoDB sends the refusing item along. */
  readonly read: () => Promise<Attributes | undefined>;
  /**
   * Whether the item shows that this very write was applied, also where another has followed it; undefined if there is
   * no item.
   */
  readonly isMine?: (item: Item | undefined) => boolean;
}

/**
 * Applies a conditional write. When the reply to a write is lost, the SDK sends it again, and the condition fails
 * because of what the first try wrote: its mark in the item tells that from a write that lost a race. Throws what the
 * client throws.
 */
export async function writeOnce<Item>({
  mark,
  send,
  read,
  isMine = () => false,
}: ConditionalWrite<Item>): Promise<{ readonly applied: boolean; readonly item: Item | undefined }> {
  try {
    const attributes = await send();
    return { applied: true, item: attributes && unmarked<Item>(attributes) };
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    const there = error.Item ?? (await read());
    const item = there && unmarked<Item>(there);
    const isMarked = mark !== undefined && there?.[attribute]?.S === mark[attribute];
    return { applied: isMarked || isMine(item), item };
  }
}
