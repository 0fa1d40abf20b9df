/**
 * Waits for all of them and returns what they came to. Throws the first fault in their order, once none is under way
 * any more: what an invocation leaves behind would be frozen with it.
 */
export async function sideBySide<T extends readonly unknown[]>(
  ...promises: { readonly [I in keyof T]: Promise<T[I]> }
): Promise<T> {
  await Promise.allSettled(promises);
  return (await Promise.all(promises)) as unknown as T;
}
