/** What the client asks of the machine that it runs on. Web APIs only. */
export interface World {
  /** Milliseconds that only grow; they pass while the machine sleeps, too. */
  readonly now: () => number;
  /** Milliseconds since 1970. */
  readonly timeOfDay: () => number;
  /** In [0, 1). */
  readonly chance: () => number;
  /** Calls back after `ms`, unless it is cancelled. Only a timer that a caller waits for keeps a process alive. */
  readonly timer: (ms: number, then: () => void, awaited: boolean) => () => void;
  readonly fetch: typeof fetch;
}

/** A monotonic clock may stand still while a machine sleeps or a function is frozen; the time of day does not. */
function growing(): () => number {
  const base = Date.now() - performance.now();
  let sleptMs = 0;
  return () => {
    const monotonic = performance.now();
    const aheadMs = Date.now() - monotonic - base;
    // Less is the time of day being set to rights.
    if (aheadMs > sleptMs + 1_000) sleptMs = aheadMs;
    return monotonic + sleptMs;
  };
}

/** The machine as it is. `send` stands for `fetch` where a program has another one. */
export const machine = (send: typeof fetch | undefined): World => ({
  now: growing(),
  timeOfDay: () => Date.now(),
  chance: Math.random,
  timer(ms, then, awaited) {
    // After a sleep of the machine, an end may have passed already.
    const timer: unknown = setTimeout(then, Math.max(ms, 0));
    if (!awaited) (timer as { unref?: () => void }).unref?.();
    return () => clearTimeout(timer as number);
  },
  // Looked up at each call: a test may replace the global one.
  fetch: send ?? ((input, init) => fetch(input, init)),
});

export const late = Symbol('late');

/**
 * Resolves as `work` does, or with `late` after `ms`; rejects with the signal's reason when the caller gives up. What
 * `work` does is not ended by either: other callers wait for it as well.
 */
export function within<T>(
  world: World,
  work: Promise<T>,
  ms: number,
  { signal, awaited }: { readonly signal?: AbortSignal | undefined; readonly awaited: boolean },
): Promise<T | typeof late> {
  let end = (): void => {};
  const over = new Promise<typeof late>((resolve, reject) => {
    const cancel = world.timer(ms, () => resolve(late), awaited);
    const abort = (): void => reject(signal?.reason);
    signal?.addEventListener('abort', abort);
    end = () => {
      cancel();
      signal?.removeEventListener('abort', abort);
    };
  });
  return Promise.race([work, over]).finally(end);
}

/** Resolves after `ms`, for a caller who waits. Rejects with the signal's reason when that comes first. */
export const pause = (world: World, ms: number, signal: AbortSignal | undefined): Promise<unknown> =>
  within(world, new Promise(() => {}), ms, { signal, awaited: true });
