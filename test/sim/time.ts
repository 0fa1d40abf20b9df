/** Virtual time: nothing sleeps, and everything that happens at one instant happens in one order. */
import { type EpochMs, plus } from '../../shared/domain/time.ts';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
}

/** A clock that stands still until it is told to run on. */
export class VirtualTime {
  #now: EpochMs;
  #order = 0;
  // A binary heap, soonest first; equal instants in the order in which they were asked for.
  readonly #timers: Timer[] = [];

  constructor(start: EpochMs) {
    this.#now = start;
  }

  now(): EpochMs {
    return this.#now;
  }

  at(instant: number, fire: () => void): void {
    const timers = this.#timers;
    const timer = { at: Math.max(instant, this.#now), order: this.#order++, fire };
    let child = timers.push(timer) - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      const above = timers[parent];
      if (above === undefined || sooner(above, timer)) break;
      timers[child] = above;
      child = parent;
    }
    timers[child] = timer;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      signal?.addEventListener('abort', () => resolve(), { once: true });
      this.at(plus(this.#now, Math.max(0, ms)), resolve);
    });
  }

  /** Runs everything due up to `until`, then stands there. */
  async runUntil(until: EpochMs): Promise<void> {
    for (;;) {
      await settled();
      const next = this.#timers[0];
      if (next === undefined || next.at > until) break;
      this.#pop();
      this.#now = next.at as EpochMs;
      next.fire();
    }
    this.#now = until;
  }

  /** Runs until the promise settles; an error if nothing is left that could settle it. */
  async runUntilSettled<T>(promise: Promise<T>, limitMs = 3_600_000): Promise<T> {
    let done = false;
    const end = plus(this.#now, limitMs);
    const mark = () => {
      done = true;
    };
    promise.then(mark, mark);
    for (;;) {
      await settled();
      if (done) return promise;
      const next = this.#timers[0];
      if (next === undefined || next.at > end) throw new Error('nothing is left that could settle this');
      this.#pop();
      this.#now = next.at as EpochMs;
      next.fire();
    }
  }

  #pop(): void {
    const timers = this.#timers;
    const last = timers.pop();
    if (last === undefined || timers.length === 0) return;
    let parent = 0;
    for (;;) {
      let child = parent * 2 + 1;
      let below = timers[child];
      if (below === undefined) break;
      const right = timers[child + 1];
      if (right !== undefined && sooner(right, below)) {
        child += 1;
        below = right;
      }
      if (sooner(last, below)) break;
      timers[parent] = below;
      parent = child;
    }
    timers[parent] = last;
  }
}

const sooner = (a: Timer, b: Timer): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

/**
 * Resolves when every promise that can go on without time passing has gone on: a tick that is asked for from within a
 * microtask comes after all microtasks. (`setImmediate` would do too, but asks the operating system each time.)
 */
const settled = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));
