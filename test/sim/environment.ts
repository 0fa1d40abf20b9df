/**
 * An execution environment: a process that can be killed, frozen, or cut off at any boundary where it touches the
 * world. Frozen means all of it: its timers fire late, its heartbeat stops, and what it was told arrives when it thaws.
 */
import { type EpochMs, plus } from '../../shared/domain/time.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import { Unavailable } from '../../shared/ports/errors.ts';
import type { VirtualTime } from './time.ts';

/** Where an environment touches the world: `table.acquire`, `secrets.persist`, `provider.request` … */
export interface Boundary {
  readonly environment: number;
  readonly kind: 'refresh' | 'token' | 'plan' | 'connections' | 'authorizations';
  readonly operation: string;
  readonly phase: 'before' | 'after';
}

/**
 * `fail` before: nothing was done. `fail` after: it was done, and the reply was lost. `resend` after: the same, and the
 * client of the store sends it again by itself, after so long. `hang`: no answer ever comes.
 */
export type Fault =
  | { readonly kind: 'crash' }
  | { readonly kind: 'hang' }
  | { readonly kind: 'pause'; readonly ms: number }
  | { readonly kind: 'resend'; readonly ms: number }
  | { readonly kind: 'fail' };

type Faults = (boundary: Boundary) => Fault | undefined;

export class Environment implements Clock {
  readonly id: number;
  readonly kind: Boundary['kind'];
  readonly #time: VirtualTime;
  readonly #skewMs: number;
  readonly #faults: Faults;
  readonly #latencyMs: () => number;
  #dead = false;
  #frozenUntil = 0;
  readonly #killed: (() => void)[] = [];
  /** How it ended, if it did so by itself. */
  ended: string | undefined;
  #wasFrozen = false;
  /** When it was killed. */
  diedAt: number | undefined;

  constructor(options: {
    id: number;
    kind: Boundary['kind'];
    time: VirtualTime;
    skewMs: number;
    faults: Faults;
    latencyMs: () => number;
  }) {
    this.id = options.id;
    this.kind = options.kind;
    this.#time = options.time;
    this.#skewMs = options.skewMs;
    this.#faults = options.faults;
    this.#latencyMs = options.latencyMs;
  }

  get dead(): boolean {
    return this.#dead;
  }

  get wasFrozen(): boolean {
    return this.#wasFrozen;
  }

  now(): EpochMs {
    return plus(this.#time.now(), this.#skewMs);
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    await this.#time.sleep(ms, signal);
    await this.#thawed();
  }

  /** SIGKILL: nothing of it ever goes on. */
  kill(): void {
    this.#dead = true;
    this.diedAt ??= this.#time.now();
    for (const tell of this.#killed.splice(0)) tell();
  }

  freeze(ms: number): void {
    this.#wasFrozen = true;
    this.#frozenUntil = Math.max(this.#frozenUntil, this.#time.now() + ms);
  }

  onKill(tell: () => void): void {
    this.#killed.push(tell);
  }

  /** Does something to the world: it takes time, and at both ends a fault may strike. `act` is one instant. */
  async io<T>(
    operation: string,
    store: ConstructorParameters<typeof Unavailable>[0],
    act: () => T | Promise<T>,
  ): Promise<T> {
    await this.#strike({ environment: this.id, kind: this.kind, operation, phase: 'before' }, store);
    for (;;) {
      await this.#time.sleep(this.#latencyMs());
      // What was sent arrives even if the sender is dead or frozen by now.
      const result = await act();
      await this.#time.sleep(this.#latencyMs());
      await this.#thawed();
      const resentAfterMs = await this.#strike(
        { environment: this.id, kind: this.kind, operation, phase: 'after' },
        store,
      );
      if (resentAfterMs === undefined) return result;
      await this.sleep(resentAfterMs);
    }
  }

  /** As `io`, for what takes its own time and tells of faults in its own way. */
  async outside<T>(operation: string, act: () => Promise<T>): Promise<T> {
    await this.#strike({ environment: this.id, kind: this.kind, operation, phase: 'before' }, undefined);
    const result = await act();
    await this.#thawed();
    await this.#strike({ environment: this.id, kind: this.kind, operation, phase: 'after' }, undefined);
    return result;
  }

  /** Returns after how long the same is sent again, if it is. */
  async #strike(
    boundary: Boundary,
    store: ConstructorParameters<typeof Unavailable>[0] | undefined,
  ): Promise<number | undefined> {
    const fault = this.#dead ? undefined : this.#faults(boundary);
    if (fault?.kind === 'crash') this.kill();
    if (fault?.kind === 'pause') this.freeze(fault.ms);
    await this.#thawed();
    if (fault?.kind === 'hang') await new Promise(() => {});
    if (fault?.kind === 'fail' && store !== undefined) throw new Unavailable(store);
    return fault?.kind === 'resend' ? fault.ms : undefined;
  }

  async #thawed(): Promise<void> {
    if (this.#dead) return new Promise(() => {});
    while (this.#time.now() < this.#frozenUntil) {
      await this.#time.sleep(this.#frozenUntil - this.#time.now());
      if (this.#dead) return new Promise(() => {});
    }
  }
}
