/** One seeded source of chance for a whole run: the same seed gives the same run. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed ^ 0x9e3779b9) >>> 0;
    // Neighbouring seeds must not begin alike.
    for (let i = 0; i < 8; i += 1) this.next();
  }

  /** A number in [0, 1): mulberry32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let x = this.#state;
    x = Math.imul(x ^ (x >>> 15), x | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 4_294_967_296;
  }

  between(from: number, to: number): number {
    return from + (to - from) * this.next();
  }

  /** A whole number from 0 to `below` − 1. */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.below(choices.length)] ?? choices[0];
  }

  hex(digits: number): string {
    return Array.from({ length: digits }, () => this.below(16).toString(16)).join('');
  }
}

/**
 * What is drawn apart, so that runs without it stay as they are. Two that shared a stream would come together always,
 * or never.
 */
const apart = {
  people: -1,
  accident: -1_000_000_007,
  rotation: -2_000_000_011,
  resends: -3_000_000_019,
  resendRate: -2_500_000_003,
  stranger: -1_500_000_001,
  pauses: -3_500_000_027,
  secretEnds: -4_000_000_037,
} as const;

/** The stream of this seed that only `what` draws from. */
export const drawnApart = (what: keyof typeof apart, seed: number): Random => new Random(apart[what] - seed);
