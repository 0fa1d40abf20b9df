/** Reads members deep inside a reply. */

/**
 * Returns what is at a path of member names joined by dots, or undefined. A list stands for its first entry, unless the
 * path names another.
 */
export function memberAt(value: unknown, path: string): unknown {
  let found = value;
  for (const name of path.split('.')) {
    if (Array.isArray(found) && !/^\d+$/.test(name)) found = found[0];
    found =
      typeof found === 'object' && found !== null && Object.hasOwn(found, name)
        ? (found as Readonly<Record<string, unknown>>)[name]
        : undefined;
  }
  return Array.isArray(found) ? found[0] : found;
}

/** More entries of a list are not looked at. */
const mostEntries = 16;
/** More members of an object are not looked at. */
const mostMembers = 256;

/** However a name's words are joined. */
export const squashed = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');

/**
 * Returns everything at a path of member names, however they are written: `expires_in`, `expiresIn` and `ExpiresIn` are
 * one name. All entries of a list are looked at. The exact name comes first.
 */
export function membersLike(value: unknown, path: string): unknown[] {
  return path.split('.').reduce<unknown[]>((found, name) => found.flatMap((one) => ofName(one, name)), [value]);
}

function ofName(value: unknown, name: string): unknown[] {
  if (Array.isArray(value)) return value.slice(0, mostEntries).flatMap((entry) => ofName(entry, name));
  if (typeof value !== 'object' || value === null) return [];
  const alike = Object.entries(value)
    .slice(0, mostMembers)
    .filter(([key]) => squashed(key) === squashed(name));
  const exact = alike.filter(([key]) => key === name);
  return (exact.length > 0 ? exact : alike).map(([, member]) => member);
}

/** The texts at a path, as `membersLike` finds them, without those that are blank. */
export const textsAt = (value: unknown, path: string): string[] =>
  membersLike(value, path)
    .flatMap((found) => (Array.isArray(found) ? found.slice(0, mostEntries) : [found]))
    .filter((found): found is string => typeof found === 'string' && found.trim() !== '');
