/** How providers limit what a client may do. The clock is an argument. */

const dayMs = 86_400_000;

interface ErrorLimitFacts {
  /** So many errors within the window are borne; the next one blocks. */
  readonly most: number;
  readonly windowMs: number;
  /**
   * How long the first block lasts. The second within a day of the first lasts twice as long, the third three times, …
   */
  readonly blockMs: number;
}

interface Block {
  readonly from: number;
  readonly until: number;
  /** How many there have been without a day of quiet in between. */
  readonly nth: number;
}

/** Counts errors by `place` (user, company, endpoint) and blocks the whole client for one place with too many. */
export class ErrorLimit {
  readonly #facts: ErrorLimitFacts;
  readonly #errors = new Map<string, number[]>();
  readonly #blocks = new Map<string, Block[]>();

  constructor(facts: ErrorLimitFacts) {
    this.#facts = facts;
  }

  blocked(client: string, now: number): boolean {
    return (this.#blocks.get(client)?.at(-1)?.until ?? now) > now;
  }

  /** Notes an error, and blocks the client if it is one too many. */
  count(client: string, place: string, now: number): void {
    const { most, windowMs } = this.#facts;
    const key = JSON.stringify([client, place]);
    const recent = [...(this.#errors.get(key) ?? []).filter((at) => at > now - windowMs), now];
    this.#errors.set(key, recent);
    if (recent.length > most) this.#block(client, now);
  }

  /** How long the client was blocked between two instants, in milliseconds. */
  blockedMs(client: string, from: number, to: number): number {
    const overlaps = (this.#blocks.get(client) ?? []).map((block) =>
      Math.max(0, Math.min(to, block.until) - Math.max(from, block.from)),
    );
    return overlaps.reduce((sum, ms) => sum + ms, 0);
  }

  #block(client: string, from: number): void {
    const blocks = this.#blocks.get(client) ?? [];
    const last = blocks.at(-1);
    const nth = last === undefined || from - last.until >= dayMs ? 1 : last.nth + 1;
    this.#blocks.set(client, [...blocks, { from, until: from + nth * this.#facts.blockMs, nth }]);
  }
}

/** So many calls in each minute or day, counted from its beginning. */
export class CallLimit {
  readonly most: number;
  readonly #windowMs: number;
  readonly #counts = new Map<string, { window: number; calls: number }>();

  constructor(most: number, windowMs: number) {
    this.most = most;
    this.#windowMs = windowMs;
  }

  /**
   * Counts a call. `left` is what remains after it, negative for one too many; `resetAt` is when the next window
   * begins.
   */
  count(key: string, now: number): { readonly left: number; readonly resetAt: number } {
    const window = Math.floor(now / this.#windowMs);
    const before = this.#counts.get(key);
    const calls = (before?.window === window ? before.calls : 0) + 1;
    this.#counts.set(key, { window, calls });
    return { left: this.most - calls, resetAt: (window + 1) * this.#windowMs };
  }
}
