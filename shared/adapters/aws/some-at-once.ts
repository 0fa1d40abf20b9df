/**
 * Does something with each of the items, `most` of them at the same time, as long as `mayStill` says so. Resolves with
 * whether it was done with all. Rejects with the first error, when nothing is under way any more; no other is begun
 * after that.
 */
export async function someAtOnce<T>(
  items: readonly T[],
  most: number,
  act: (item: T) => Promise<void>,
  mayStill: () => boolean = () => true,
): Promise<boolean> {
  const left = items.values();
  let begun = 0;
  let failed = false;
  const doSome = async (): Promise<void> => {
    while (!failed && mayStill()) {
      const { done, value } = left.next();
      if (done) return;
      begun += 1;
      await act(value).catch((error: unknown) => {
        failed = true;
        throw error;
      });
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.min(most, items.length) }, doSome));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return begun === items.length;
}
