/**
 * What a conditional write means, as a pure function of an item: the reference for every adapter of the table. The
 * memory adapter runs on it; the DynamoDB adapter translates the same data and only asks here whether a write was its
 * own.
 */
import type { Connection } from './connection.ts';
import type { Clause, Path, Write } from './writes.ts';

type Attributes = { [name: string]: unknown };

/**
 * Whether the clause holds of the item. As in DynamoDB, a comparison with an absent attribute, or with one of another
 * type, is false.
 */
export function holds(clause: Clause, item: Connection): boolean {
  if ('any' in clause) return clause.any.some((one) => holds(one, item));
  if ('present' in clause) return valueAt(item, clause.present) !== undefined;
  if ('absent' in clause) return valueAt(item, clause.absent) === undefined;
  const value = valueAt(item, clause.path);
  if ('equals' in clause) return value === clause.equals;
  if (typeof value !== 'number') return false;
  if ('below' in clause) return value < clause.below;
  if ('atMost' in clause) return value <= clause.atMost;
  return value > clause.above;
}

/** Whether the item shows that this very write was applied earlier, by a try whose reply was lost. */
export const isMine = (write: Write, item: Connection): boolean =>
  write.mine?.every((clause) => holds(clause, item)) ?? false;

/**
 * The item after the write, or undefined if a clause does not hold; `item` itself is left as it was. Throws for a write
 * that DynamoDB would refuse: overlapping paths, a path into an absent attribute, or an addition to one.
 */
export function applied(write: Write, item: Connection): Connection | undefined {
  refuseOverlaps(write);
  if (!write.when.every((clause) => holds(clause, item))) return undefined;
  const next: Connection = { ...item };
  for (const [path, value] of Object.entries(write.set)) {
    const [parent, name] = placeOf(next, path, write);
    if (value !== undefined) parent[name] = value;
  }
  for (const [path, amount] of Object.entries(write.add ?? {})) {
    const [parent, name] = placeOf(next, path, write);
    const before = parent[name];
    if (typeof before !== 'number')
      throw new Error(`write ${write.name} adds to ${path}, which is no number: DynamoDB would refuse it`);
    parent[name] = before + (amount ?? 0);
  }
  for (const path of write.remove) {
    const [parent, name] = placeOf(next, path, write);
    delete parent[name];
  }
  return next;
}

/** Whether the item has all that the write sets, `but` for these, and nothing that it removes. */
export const changesNothing = (write: Write, item: Connection, but: readonly Path[]): boolean =>
  write.remove.every((path) => valueAt(item, path) === undefined) &&
  (Object.entries(write.set) as [Path, unknown][]).every(
    ([path, value]) => but.includes(path) || isSame(value, valueAt(item, path)),
  );

/** A member that is undefined is not stored. */
function isSame(one: unknown, other: unknown): boolean {
  if (!isAttributes(one) || !isAttributes(other)) return one === other;
  return Object.keys({ ...one, ...other }).every((name) => isSame(one[name], other[name]));
}

/** All attributes that the write touches. */
const pathsOf = (write: Write): string[] => [
  ...Object.keys(write.set),
  ...Object.keys(write.add ?? {}),
  ...write.remove,
];

function refuseOverlaps(write: Write): void {
  const paths = pathsOf(write);
  const twice = paths.find((path, i) => paths.some((other, j) => i !== j && `${path}.`.startsWith(`${other}.`)));
  if (twice !== undefined)
    throw new Error(`write ${write.name} touches ${twice} more than once: DynamoDB would refuse it`);
}

const isAttributes = (value: unknown): value is Attributes => typeof value === 'object' && value !== null;

function valueAt(item: Connection, path: Path): unknown {
  let value: unknown = item;
  for (const name of path.split('.')) value = isAttributes(value) ? value[name] : undefined;
  return value;
}

/**
 * The object that holds the path's last name. What lies on the way to it is copied: the item before shares the rest
 * with the item after.
 */
function placeOf(item: Connection, path: string, write: Write): [parent: Attributes, name: string] {
  const names = path.split('.');
  const name = names.pop() ?? path;
  let parent = item as unknown as Attributes;
  for (const inner of names) {
    const within = parent[inner];
    if (!isAttributes(within))
      throw new Error(`write ${write.name} touches ${path}, whose parent is absent: DynamoDB would refuse it`);
    const copy = { ...within };
    parent[inner] = copy;
    parent = copy;
  }
  return [parent, name];
}
