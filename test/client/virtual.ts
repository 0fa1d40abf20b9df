/** A virtual clock, a network without wires, and the program of a case: what a client's behaviour is tested on. */
import { setImmediate } from 'node:timers/promises';
import type { World } from '../../client/world.ts';

/** 2026-01-01T00:00:00Z. */
const startOfTime = Date.UTC(2026, 0, 1);

interface Timer {
  readonly at: number;
  readonly then: () => void;
}

/** Time that passes only when it is told to. */
export class VirtualClock {
  #nowMs = 0;
  readonly #timers = new Set<Timer>();

  get seconds(): number {
    return this.#nowMs / 1_000;
  }

  /** By the broker's clock, in milliseconds since 1970. */
  get timeOfDay(): number {
    return startOfTime + this.#nowMs;
  }

  /** How many timers are set. */
  get waiting(): number {
    return this.#timers.size;
  }

  timer(ms: number, then: () => void): () => void {
    const timer = { at: this.#nowMs + ms, then };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Lets everything happen that can happen without time passing. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 8; turn += 1) await setImmediate();
  }

  /** Moves on, from timer to timer, to this second. */
  async moveTo(seconds: number): Promise<void> {
    await this.settle();
    const untilMs = Math.round(seconds * 1_000);
    for (;;) {
      const [next] = [...this.#timers].toSorted((a, b) => a.at - b.at);
      if (next === undefined || next.at > untilMs) break;
      await this.#ring(next);
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  /** Moves on until the promise is settled. */
  async until(promise: Promise<unknown>): Promise<void> {
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    promise.then(mark, mark);
    for (await this.settle(); !settled; ) {
      const [next] = [...this.#timers].toSorted((a, b) => a.at - b.at);
      if (next === undefined) throw new Error(`nothing is left to wait for at ${this.seconds} s`);
      await this.#ring(next);
    }
  }

  async #ring(timer: Timer): Promise<void> {
    this.#timers.delete(timer);
    this.#nowMs = Math.max(this.#nowMs, timer.at);
    timer.then();
    await this.settle();
  }
}

/** A machine on this clock, whose time of day may be wrong. */
export const virtualWorld = (clock: VirtualClock, send: typeof fetch, { chance = 0, aheadMs = 0 } = {}): World => ({
  now: () => clock.seconds * 1_000,
  timeOfDay: () => clock.timeOfDay + aheadMs,
  chance: () => chance,
  timer: (ms, then) => clock.timer(ms, then),
  fetch: send,
});
