/**
 * The bounded interpreter of the refresh protocol: event → decide → perform → event, until an effect ends it. It
 * decides nothing; what it adds is time: the heartbeat here, the budget and the retries of keeping an answer in
 * `commit-outcome.ts`. What other refreshers left is looked into by `open-attempts.ts`; what this one leaves to them is
 * in `hand-over.ts`.
 */
import { type Breaker, signOf } from '../domain/breaker.ts';
import type { Seen } from '../domain/connection.ts';
import type { ConnectionName } from '../domain/connection-name.ts';
import { type Held, heldBy } from '../domain/held.ts';
import { limits } from '../domain/limits.ts';
import type { Effect, EffectOf, Event } from '../domain/steps.ts';
import { type EpochMs, plus } from '../domain/time.ts';
import { between } from '../domain/timing.ts';
import { Misdirected, reasonOf, SealBroken, Unavailable } from '../ports/errors.ts';
import { commitFailure, commitSuccess, keepSpare, persist } from './commit-outcome.ts';
import { announce, promiseWake, release, rest } from './hand-over.ts';
import { type Heartbeat, startHeartbeat } from './heartbeat.ts';
import { type LoadedSecrets, loadSecrets } from './load-secrets.ts';
import { obtain } from './obtain.ts';
import { lookUp, markSent, reread } from './open-attempts.ts';
import { protocol as normative, type Protocol } from './protocol.ts';
import { recordOutcome, tellOfRefusals } from './provider-health.ts';
import { type RefreshWorld, type Run, seenBy } from './refresh-world.ts';
import { reportHeldUp } from './report.ts';
import { requestRefresh } from './request-refresh.ts';
import { withRetries } from './retry-writes.ts';
import { sideBySide } from './side-by-side.ts';

/** How a run ends. */
export type Ending = EffectOf<'wait' | 'rest' | 'stop'>;
type Step = Exclude<Effect, Ending>;

/**
 * Looks at one connection and does what its state calls for. Returns how it ended. Throws `Unavailable` if the table
 * cannot be reached before anything was begun; whatever was begun is then finished by a later call, here or elsewhere.
 */
export async function runRefresh(
  world: RefreshWorld,
  connection: ConnectionName,
  deadline: EpochMs,
  protocol: Protocol = normative,
): Promise<Ending> {
  const run: Run = { world, connection, deadline, protocol };
  const invocation = new Invocation(run);
  try {
    let event: Event = { kind: 'started' };
    for (let step = 0; step < limits.stepsPerInvocation; step += 1) {
      const effect = protocol.decide(event, { now: world.clock.now(), chance: world.chance.next(), deadline });
      if (effect.do === 'wait') await promiseWake(run, effect);
      if (effect.do === 'rest') await rest(run, effect);
      if (effect.do === 'wait' || effect.do === 'rest' || effect.do === 'stop') return effect;
      event = await invocation.perform(effect);
    }
    return { do: 'stop', reason: 'contended' };
  } finally {
    await invocation.end();
  }
}

/** One run of the protocol: what it holds in memory, and what performs each effect. */
class Invocation {
  readonly #run: Run;
  readonly #owner: string;
  #acquires = 0;
  #heartbeat: Heartbeat | undefined;
  #wake: Promise<void> = Promise.resolve();
  #signs: Promise<unknown> = Promise.resolve();
  #told: Promise<void> = Promise.resolve();
  #loaded: LoadedSecrets = { credentials: {} };
  #breaker: Breaker | undefined;

  constructor(run: Run) {
    this.#run = run;
    this.#owner = run.world.chance.id();
  }

  /** Performs one effect and returns what came of it. */
  perform(effect: Step): Promise<Event> {
    switch (effect.do) {
      case 'read':
        return this.#read();
      case 'acquire':
        return this.#acquire(effect.seen);
      case 'look_up':
        return lookUp(this.#run, effect);
      case 'mark_sent':
        return markSent(this.#run, effect);
      case 'load_secrets':
        return this.#loadSecrets(effect.held);
      case 'take_probe':
        return this.#takeProbe(effect);
      case 'call':
        return this.#call(effect.held);
      case 'persist':
        return persist(this.#run, effect);
      case 'commit_success':
        return commitSuccess(this.#run, effect);
      case 'commit_failure':
        return commitFailure(this.#run, effect);
      case 'keep_spare':
        return keepSpare(this.#run, effect);
      case 'reread':
        return reread(this.#run, effect);
      case 'release':
        return release(this.#run, effect);
      case 'announce':
        return announce(this.#run, effect);
    }
  }

  async end(): Promise<void> {
    this.#heartbeat?.stop();
    await Promise.all([this.#wake, this.#signs, this.#told]);
  }

  async #read(): Promise<Event> {
    const item = await this.#run.world.store.read(this.#run.connection);
    return { kind: 'read', seen: item && seenBy(this.#run, item) };
  }

  async #acquire(seen: Seen): Promise<Event> {
    const { clock, chance, store } = this.#run.world;
    const now = clock.now();
    // The refresher that takes the lease promises a look at its end, so that its own death is noticed in time.
    const until = plus(now, this.#run.protocol.leaseMs);
    const wakeAt = plus(until, between(limits.wakeJitterMs, chance.next()));
    const write = this.#run.protocol.acquire(seen, { owner: this.#owner, until }, now, wakeAt);
    const result = await withRetries(this.#run.world, () => store.apply(this.#run.connection, write));
    this.#acquires += 1;
    if (!result.applied)
      return { kind: 'acquire_refused', seen: result.item && seenBy(this.#run, result.item), tries: this.#acquires };
    const held = heldBy(write, result, seenBy(this.#run, result.item).profile);
    this.#heartbeat?.stop();
    this.#heartbeat = startHeartbeat(clock, store, this.#run.protocol, held);
    this.#wake = requestRefresh(this.#run.world, this.#run.connection, wakeAt - now);
    return { kind: 'acquired', held };
  }

  async #loadSecrets(held: Held): Promise<Event> {
    try {
      const { accessSealer, refreshSealer, breakers, providers } = this.#run.world;
      // None of them needs another, and the client that waits for the token waits for all of them.
      const [loaded, breaker] = await sideBySide(
        loadSecrets(this.#run.world, held),
        breakers.read(providers.of(held.seen.item.config).application),
        // No key, no call: an answer that could not be sealed could be lost.
        accessSealer.ready(),
        refreshSealer.ready(),
      );
      if ('missing' in loaded) return { kind: 'not_ready', held, code: loaded.missing, missing: true };
      this.#loaded = loaded;
      this.#breaker = breaker;
      this.#told = tellOfRefusals(this.#run.world, held.seen.item, breaker);
      return { kind: 'ready', held, leaseUntil: this.#leaseUntil(held), breaker };
    } catch (error) {
      if (error instanceof SealBroken)
        return { kind: 'not_ready', held, code: 'refresh_token_unreadable', missing: true };
      if (error instanceof Misdirected) return { kind: 'misdirected', held, description: error.message };
      if (error instanceof Unavailable) {
        reportHeldUp(this.#run.world, held.seen.item, reasonOf(error));
        return { kind: 'not_ready', held, code: 'store_unavailable', missing: false };
      }
      throw error;
    }
  }

  #leaseUntil(held: Held): EpochMs {
    return this.#heartbeat?.until() ?? held.lease.until;
  }

  async #takeProbe({ held, probe }: EffectOf<'take_probe'>): Promise<Event> {
    const { breakers } = this.#run.world;
    try {
      if (!(await withRetries(this.#run.world, () => breakers.replace(probe)))) return { kind: 'probe_refused', held };
      this.#breaker = probe;
      // The way is ours: nothing more to ask of the breaker.
      return { kind: 'ready', held, leaseUntil: this.#leaseUntil(held), breaker: undefined };
    } catch (error) {
      if (error instanceof Unavailable) return { kind: 'probe_refused', held };
      throw error;
    }
  }

  async #call(held: Held): Promise<Event> {
    const outcome = await obtain(this.#run.world, held.seen, this.#loaded);
    const noted = recordOutcome(this.#run.world, held.seen.item, outcome, this.#breaker);
    this.#signs = noted;
    // A refusal waits for what is known of the application. A token set is kept beside it, never after it.
    if (signOf(outcome) !== 'refused' || ('refreshToken' in outcome && outcome.refreshToken !== undefined))
      return { kind: 'answered', held, outcome };
    const withheldUntil = await noted;
    return { kind: 'answered', held, outcome, ...(withheldUntil !== undefined && { withheldUntil }) };
  }
}
