import type { SimulatorClock } from '../../../local/simulators/clock.ts';

interface ManualClock extends SimulatorClock {
  /** Lets time pass, and ends what it was slept for. */
  advance(ms: number): void;
  /** How many sleep at this moment. */
  readonly sleeping: number;
}

/** A clock that stands still unless it is told to go on. */
export function manualClock(speed = 1): ManualClock {
  let now = Date.UTC(2026, 0, 15, 12, 0, 30);
  let sleepers: { until: number; wake: () => void }[] = [];
  return {
    speed,
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', reject);
        sleepers.push({ until: now + ms, wake: resolve });
      }),
    tell: (instant) => instant,
    advance(ms) {
      now += ms;
      for (const { until, wake } of sleepers) if (until <= now) wake();
      sleepers = sleepers.filter(({ until }) => until > now);
    },
    get sleeping() {
      return sleepers.length;
    },
  };
}
