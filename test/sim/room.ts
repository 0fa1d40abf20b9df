/** Execution environments that several connections share: so many at once, and who comes later waits in line. */
import type { VirtualTime } from './time.ts';

export class Room {
  readonly #time: VirtualTime;
  readonly #waitMs: number;
  #free: number;
  readonly #line: (() => void)[] = [];

  /** `places`: environments there are. `waitMs`: how long a request waits for one before it is refused. */
  constructor(time: VirtualTime, places: number, waitMs = Number.POSITIVE_INFINITY) {
    this.#time = time;
    this.#free = places;
    this.#waitMs = waitMs;
  }

  /** Resolves with a way to leave when there is a place, or with undefined after `waitMs` in line. */
  enter(): Promise<(() => void) | undefined> {
    return new Promise((resolve) => {
      const goIn = () => resolve(this.#leave);
      if (this.#free > 0) {
        this.#free -= 1;
        return goIn();
      }
      this.#line.push(goIn);
      if (this.#waitMs === Number.POSITIVE_INFINITY) return;
      this.#time.at(this.#time.now() + this.#waitMs, () => {
        const index = this.#line.indexOf(goIn);
        if (index >= 0) this.#line.splice(index, 1);
        resolve(undefined);
      });
    });
  }

  readonly #leave = (): void => {
    const next = this.#line.shift();
    if (next === undefined) this.#free += 1;
    else next();
  };
}
