/** What a provider tells with a login or a token that its API is called with: a company, a region, an address. */

/** One of these values. */
export interface Told {
  /** Its name in a callback, and for clients. */
  readonly name: string;
  /** The whole text must match. */
  readonly pattern?: string;
}

/** Providers tell nothing else than short plain text. */
const plain = /^[\x21-\x7e]{1,512}$/;

/** Returns those of these values that `read` finds; undefined if it finds nothing. */
export function toldIn<T extends Told>(
  values: readonly T[],
  read: (value: T) => unknown,
): Readonly<Record<string, string>> | undefined {
  const found = values.flatMap((value) => {
    const told = read(value);
    const text = typeof told === 'number' && Number.isSafeInteger(told) ? String(told) : told;
    const { name, pattern } = value;
    const fits =
      typeof text === 'string' &&
      plain.test(text) &&
      (pattern === undefined || new RegExp(`^(?:${pattern})$`).test(text));
    return fits ? [[name, text] as const] : [];
  });
  return found.length === 0 ? undefined : Object.fromEntries(found);
}
