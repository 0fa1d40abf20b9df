/** What is wrong with the values on a command line, whichever command takes them. */

/** What yargs tells a check beside the values: the names of options, by what they take. */
interface KnownOptions {
  readonly array: readonly string[];
  readonly number: readonly string[];
}

/**
 * Returns every fault. An empty value is a variable that a script forgot to set, and an option given twice leaves open
 * which was meant: neither may decide which broker or connection a command changes.
 */
export function faultsOfGiven(given: Readonly<Record<string, unknown>>, known: KnownOptions): string[] {
  const words = Object.entries(given).filter(([name]) => name !== '_' && name !== '$0' && !/[A-Z]/.test(name));
  return words.flatMap(([name, value]) => {
    if (Array.isArray(value) && !known.array.includes(name)) return [`--${name}: is given twice.`];
    if ([value].flat().includes('')) return [`--${name}: has no value.`];
    if (known.number.includes(name) && value !== undefined && !isCount(value))
      return [`--${name}: takes a whole number, 0 or more.`];
    return [];
  });
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;
