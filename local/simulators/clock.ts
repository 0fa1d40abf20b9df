/** The clock of a simulated provider, which may run faster than its callers' own. */
import { setTimeout } from 'node:timers/promises';

export interface SimulatorClock {
  /** How many of its seconds pass in one of the callers'. */
  readonly speed: number;
  /** Milliseconds since 1970-01-01T00:00Z, by this clock. */
  now(): number;
  /** Resolves after so many of its milliseconds. Rejects if `signal` aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** The callers' instant for one of its own: what they are told must be true by their clock. */
  tell(instant: number): number;
}

/** Starts now, and runs `speed` times as fast: at 60, an hour takes a minute. */
export function startClock(speed = 1): SimulatorClock {
  const startedAt = Date.now();
  return {
    speed,
    now: () => startedAt + (Date.now() - startedAt) * speed,
    async sleep(ms, signal) {
      await setTimeout(ms / speed, undefined, { signal });
    },
    tell: (instant) => startedAt + (instant - startedAt) / speed,
  };
}
