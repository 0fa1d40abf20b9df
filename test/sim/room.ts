/** Execution environments that several connections share: so many at once, and who comes later waits in line. */
import type { VirtualTime } from './time.ts';

export class Room {
  readonly #time: VirtualTime;
  #free: number;
  readonly #line: (() => void)[] = [];

  /** `places`: environments there are. */
  constructor(time: VirtualTime, places: number) {
    this.#time = time;
    this.#free = places;
  }

  /** Resolves with a way to leave when there is a place, or with undefined after `waitMs` in line. */
  enter(waitMs = Number.POSITIVE_INFINITY): Promise<(() => void) | undefined> {
    return new Promise((resolve) => {
      const goIn = () => resolve(this.#leave);
      if (this.#free > 0) {
        this.#free -= 1;
        return goIn();
      }
      if (waitMs <= 0) return resolve(undefined);
      this.#line.push(goIn);
      if (waitMs === Number.POSITIVE_INFINITY) return;
      this.#time.at(this.#time.now() + waitMs, () => {
        const index = this.#line.indexOf(goIn);
        if (index >= 0) this.#line.splice(index, 1);
        resolve(undefined);
      });
    });
  }

  /** This room as a part of a larger one: who has a place here needs one there as well, and waits for it. */
  within(larger: Room): Pick<Room, 'enter'> {
    return {
      enter: async () => {
        const leave = await this.enter();
        const leaveLarger = leave && (await larger.enter());
        return (
          leaveLarger &&
          (() => {
            leaveLarger();
            leave();
          })
        );
      },
    };
  }

  readonly #leave = (): void => {
    const next = this.#line.shift();
    if (next === undefined) this.#free += 1;
    else next();
  };
}
