/**
 * What a write of an item costs in DynamoDB: a unit for each begun KB of the larger of the item before and after, and,
 * where the key of an index changes, one for the entry that goes and one for the entry that comes.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';

export type Item = Readonly<Record<string, AttributeValue>>;

/** An item as it is charged: names and values in UTF-8, two digits of a number in a byte, three bytes for a map. */
export const bytesOf = (item: Item): number =>
  Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + bytesOfValue(value), 0);

function bytesOfValue(value: AttributeValue): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.N !== undefined)
    return Math.ceil(value.N.replace(/^-|\./g, '').length / 2) + (value.N.startsWith('-') ? 2 : 1);
  if (value.M !== undefined) return 3 + bytesOf(value.M) + Object.keys(value.M).length;
  if (value.L !== undefined) return 3 + value.L.reduce((sum, element) => sum + bytesOfValue(element) + 1, 0);
  return 1;
}

/** The keys of the entries that an item has in the due index and in the index of names, by index. */
const entriesOf = (item: Item | undefined): readonly (string | undefined)[] => [
  item?.dueAt?.N === undefined ? undefined : `${item.dueShard?.S} ${item.dueAt.N}`,
  item?.dueShard?.S === undefined ? undefined : `${item.dueShard.S} ${item.connection?.S}`,
];

export function writeUnits(before: Item | undefined, after: Item | undefined): number {
  const item = Math.ceil(Math.max(before ? bytesOf(before) : 0, after ? bytesOf(after) : 0, 1) / 1_024);
  const come = entriesOf(after);
  const entries = entriesOf(before).map((left, index) =>
    left === come[index] ? 0 : (left === undefined ? 0 : 1) + (come[index] === undefined ? 0 : 1),
  );
  return entries.reduce((sum, units) => sum + units, item);
}
