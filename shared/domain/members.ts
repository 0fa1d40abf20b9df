/** Reads one member deep inside a reply. */

/** Returns what is at a path of member names joined by dots, or undefined. A list stands for its first entry, unless the path names another. */
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
