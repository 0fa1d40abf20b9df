/** What is wrong with a request. */
export interface Fault {
  /** The field, as names joined by dots; empty for the whole body. */
  readonly path: string;
  /**
   * What is wrong and what would be right, as the end of a sentence that begins with the path. It never repeats a
   * value.
   */
  readonly message: string;
}

/** A value whose form is right, or every fault at once. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/** Returns the faults that are in no place where one is known already, nor inside or around it. */
export function beside(known: readonly Fault[], faults: readonly Fault[]): Fault[] {
  const isIn = (one: string, other: string): boolean => one === other || one.startsWith(`${other}.`);
  return faults.filter(({ path }) => !known.some((fault) => isIn(path, fault.path) || isIn(fault.path, path)));
}
