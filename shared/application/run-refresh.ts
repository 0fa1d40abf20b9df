/**
 * The bounded interpreter of the refresh protocol: event → decide → perform → event, until an effect ends it.
 * It decides nothing; what it adds is time: the heartbeat, the budget for keeping a token, the retries of a commit.
 */
import type { Breaker } from '../domain/breaker.ts';
import type { Commit } from '../domain/commit-writes.ts';
import { limits } from '../domain/limits.ts';
import type { Effect, Event, Held } from '../domain/steps.ts';
import { between } from '../domain/timing.ts';
import {
  type Attempt,
  type Connection,
  type ConnectionName,
  type EpochMs,
  latest,
  type Profile,
  plus,
  type Seen,
  type TokenSet,
  versionIdOf,
} from '../domain/types.ts';
import {
  type Announcer,
  type BreakerStore,
  type Chance,
  type Clock,
  type ConnectionStore,
  type CredentialStore,
  type RefreshQueue,
  type RefreshTokenStore,
  SealBroken,
  type Sealer,
  type Telemetry,
  type TokenSource,
  Unavailable,
} from '../ports/index.ts';
import { type Gathered, gather } from './gather.ts';
import { type Heartbeat, startHeartbeat } from './heartbeat.ts';
import { applyPatiently, commitPatiently } from './patience.ts';
import { protocol as normative, type Protocol } from './protocol.ts';
import { noteSign } from './provider-health.ts';
import { type Committed, reportBudget, reportFailure, reportSuccess } from './report.ts';
import { sealedTextOf } from './sealed-token.ts';

export interface RefreshWorld {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly store: ConnectionStore;
  readonly refreshTokens: RefreshTokenStore;
  readonly credentials: CredentialStore;
  readonly accessSealer: Sealer;
  readonly refreshSealer: Sealer;
  readonly source: TokenSource;
  readonly queue: RefreshQueue;
  readonly breakers: BreakerStore;
  readonly announcer: Announcer;
  readonly telemetry: Telemetry;
  readonly profileOf: (item: Connection) => Profile;
  /** Which breaker a connection's calls go through. */
  readonly applicationOf: (item: Connection) => string;
}

type Ending = Extract<Effect, { do: 'wait' | 'rest' | 'stop' }>;
type Step = Exclude<Effect, Ending>;
/**
 * Looks at one connection and does what its state calls for. Returns how it ended. Throws `Unavailable` if the table cannot be
 * reached before anything was begun; whatever was begun is then finished by a later call, here or elsewhere.
 */
export async function runRefresh(world: RefreshWorld, connection: ConnectionName, deadline: EpochMs, protocol: Protocol = normative): Promise<Ending> {
  const invocation = new Invocation(world, connection, deadline, protocol);
  try {
    let event: Event = { kind: 'started' };
    for (let step = 0; step < limits.stepsPerInvocation; step += 1) {
      const effect = protocol.decide(event, { now: world.clock.now(), chance: world.chance.next(), deadline });
      if (effect.do === 'stop') return effect;
      if (effect.do === 'wait') return await invocation.promiseWake(effect);
      if (effect.do === 'rest') return await invocation.rest(effect);
      event = await invocation.perform(effect);
    }
    return { do: 'stop', reason: 'contended' };
  } finally {
    await invocation.end();
  }
}

/** One run of the protocol: what it holds in memory, and how it performs each effect. */
class Invocation {
  readonly #world: RefreshWorld;
  readonly #connection: ConnectionName;
  readonly #deadline: EpochMs;
  readonly #protocol: Protocol;
  readonly #owner: string;
  #acquires = 0;
  #heartbeat: Heartbeat | undefined;
  #wake: Promise<void> = Promise.resolve();
  #signs: Promise<void> = Promise.resolve();
  #gathered: Gathered = { credentials: {} };
  #breaker: Breaker | undefined;

  constructor(world: RefreshWorld, connection: ConnectionName, deadline: EpochMs, protocol: Protocol) {
    this.#world = world;
    this.#connection = connection;
    this.#deadline = deadline;
    this.#protocol = protocol;
    this.#owner = world.chance.id();
  }

  /** Performs one effect and returns what came of it. */
  perform(effect: Step): Promise<Event> {
    switch (effect.do) {
      case 'read':
        return this.#read();
      case 'acquire':
        return this.#acquire(effect.seen);
      case 'look_up':
        return this.#lookUp(effect.held, effect.attempts);
      case 'mark_sent':
        return this.#markSent(effect.held);
      case 'gather':
        return this.#gather(effect.held);
      case 'take_probe':
        return this.#takeProbe(effect);
      case 'call':
        return this.#call(effect.held);
      case 'persist':
        return this.#persist(effect);
      case 'commit_success':
        return this.#commitSuccess(effect);
      case 'commit_failure':
        return this.#commitFailure(effect);
      case 'keep_spare':
        return this.#keepSpare(effect);
      case 'reread':
        return this.#reread(effect);
      case 'release':
        return this.#release(effect);
      case 'announce':
        return this.#announce(effect);
    }
  }

  /** Sends the message for `until`, unless one that is not later has been promised. What a wait loses, the planner finds. */
  async promiseWake(wait: Extract<Ending, { do: 'wait' }>): Promise<Ending> {
    const { clock, chance, queue, store, telemetry } = this.#world;
    const now = clock.now();
    if (wait.until - now > limits.longestOwnWaitMs) return wait;
    const from = latest(wait.until, now);
    const wakeAt = plus(from, between(limits.wakeJitterMs, chance.next()));
    try {
      const { applied } = await store.apply(this.#connection, this.#protocol.promiseWake(wakeAt, plus(from, limits.wakeJitterMs.to), now));
      if (applied) await queue.send(this.#connection, wakeAt - now);
    } catch {
      telemetry.warn('wake_not_sent', { connection: this.#connection });
    }
    return wait;
  }

  async rest(resting: Extract<Ending, { do: 'rest' }>): Promise<Ending> {
    await this.#world.store.apply(this.#connection, this.#protocol.rest(resting.seen.item, resting.dueAt));
    return resting;
  }

  async end(): Promise<void> {
    this.#heartbeat?.stop();
    await Promise.all([this.#wake, this.#signs]);
  }

  #seen(item: Connection): Seen {
    return { item, profile: this.#world.profileOf(item) };
  }

  async #read(): Promise<Event> {
    const item = await this.#world.store.read(this.#connection);
    return { kind: 'read', seen: item && this.#seen(item) };
  }

  async #acquire(seen: Seen): Promise<Event> {
    const { clock, chance, queue, store, telemetry } = this.#world;
    const now = clock.now();
    // Whoever takes the lease promises a look at its end, so that its own death is noticed in time.
    const wakeAt = plus(now, limits.leaseMs + between(limits.wakeJitterMs, chance.next()));
    const write = this.#protocol.acquire(seen, this.#owner, now, wakeAt);
    const result = await applyPatiently(this.#world, this.#connection, write);
    this.#acquires += 1;
    if (!result.applied) return { kind: 'acquire_refused', seen: result.item && this.#seen(result.item), tries: this.#acquires };
    const held: Held = { lease: write.lease, attempt: write.attempt, seen: this.#seen(result.item) };
    this.#heartbeat?.stop();
    this.#heartbeat = startHeartbeat(clock, store, this.#protocol, held);
    this.#wake = queue.send(this.#connection, wakeAt - now).catch(() => telemetry.warn('wake_not_sent', { connection: this.#connection }));
    return { kind: 'acquired', held };
  }

  /** Newest first. One that cannot be read ends the search: adopting an older one would lose it, should it be there. */
  async #lookUp(held: Held, attempts: readonly Attempt[]): Promise<Event> {
    for (const attempt of attempts) {
      const result = await this.#world.refreshTokens.lookUp(this.#connection, attempt.slot, attempt.versionId);
      if (result.kind === 'found') return { kind: 'looked_up', held, orphan: { attempt, tokens: result.tokens }, unreadable: false };
      if (result.kind === 'unreadable') return { kind: 'looked_up', held, orphan: undefined, unreadable: true };
    }
    return { kind: 'looked_up', held, orphan: undefined, unreadable: false };
  }

  async #markSent(held: Held): Promise<Event> {
    const { clock, store } = this.#world;
    try {
      const { applied } = await store.apply(this.#connection, this.#protocol.markSent(held.seen.item, held.attempt.fence, plus(clock.now(), limits.leaseMs)));
      return applied ? { kind: 'send_marked', held } : { kind: 'send_refused' };
    } catch (error) {
      // Perhaps marked, certainly not sent: the entry stays and is looked into by a successor.
      if (error instanceof Unavailable) return { kind: 'send_refused' };
      throw error;
    }
  }

  async #gather(held: Held): Promise<Event> {
    try {
      const gathered = await gather(this.#world, held);
      if ('missing' in gathered) return { kind: 'not_ready', held, code: gathered.missing, missing: true };
      this.#gathered = gathered;
      // No key, no call: an answer that could not be sealed could be lost.
      const { accessSealer, refreshSealer, breakers, applicationOf } = this.#world;
      const [breaker] = await Promise.all([breakers.read(applicationOf(held.seen.item)), accessSealer.ready(), refreshSealer.ready()]);
      this.#breaker = breaker;
      return { kind: 'ready', held, leaseUntil: this.#leaseUntil(held), breaker };
    } catch (error) {
      if (error instanceof SealBroken) return { kind: 'not_ready', held, code: 'refresh_token_unreadable', missing: true };
      if (error instanceof Unavailable) return { kind: 'not_ready', held, code: 'store_unavailable', missing: false };
      throw error;
    }
  }

  #leaseUntil(held: Held): EpochMs {
    return this.#heartbeat?.until() ?? held.lease.until;
  }

  async #takeProbe({ held, probe }: Extract<Step, { do: 'take_probe' }>): Promise<Event> {
    try {
      if (!(await this.#world.breakers.replace(probe))) return { kind: 'probe_refused', held };
      this.#breaker = probe;
      // The way is ours: nothing more to ask of the breaker.
      return { kind: 'ready', held, leaseUntil: this.#leaseUntil(held), breaker: undefined };
    } catch (error) {
      if (error instanceof Unavailable) return { kind: 'probe_refused', held };
      throw error;
    }
  }

  async #call(held: Held): Promise<Event> {
    const outcome = await this.#world.source.obtain(held.seen, this.#gathered);
    // Beside what keeps the answer, never before it.
    this.#signs = noteSign(this.#world, held.seen.item, outcome, this.#breaker);
    return { kind: 'answered', held, outcome };
  }

  /** Secrets Manager gets its budget; then the token is sealed, to travel with the commit. */
  async #persist({ held, outcome, tokens, refreshToken }: Extract<Step, { do: 'persist' }>): Promise<Event> {
    const { slot, versionId } = held.attempt;
    const stored = await this.#storeWithin(limits.persistBudgetMs, held, tokens);
    if (stored) return { kind: 'persisted', held, outcome, place: { slot, versionId } };
    this.#world.telemetry.count('RefreshTokenSealed', 1, held.seen.item.config.provider);
    const sealed = await this.#world.refreshSealer.seal(refreshToken, { connection: this.#connection, versionId });
    return { kind: 'persisted', held, outcome, place: { versionId, sealed } };
  }

  async #storeWithin(budgetMs: number, held: Held, tokens: TokenSet): Promise<boolean> {
    const { clock, refreshTokens } = this.#world;
    const { slot, versionId } = held.attempt;
    const over = new AbortController();
    const store = refreshTokens.persist(this.#connection, slot, versionId, tokens).catch(() => false);
    const stored = await Promise.race([store, clock.sleep(budgetMs, over.signal).then(() => false)]);
    over.abort('over');
    return stored;
  }

  async #commitSuccess(effect: Extract<Step, { do: 'commit_success' }>): Promise<Event> {
    const { held, tokens, place, contested, adoptedFence, overtaken } = effect;
    const adopted = adoptedFence !== undefined;
    const { item } = held.seen;
    const { fence } = held.attempt;
    let sealedAccessToken: string;
    try {
      sealedAccessToken = await this.#world.accessSealer.seal(sealedTextOf(tokens), {
        connection: this.#connection,
        versionId: versionIdOf(item.grantId, fence),
      });
    } catch (error) {
      if (error instanceof Unavailable) return { kind: 'commit_abandoned' };
      throw error;
    }
    const done = await this.#commitOver(held.seen, { fence, tokens, sealedAccessToken, place, contested, adoptedFence, overtaken });
    reportSuccess(this.#world, held, done, adopted);
    if (done.kind === 'refused') return { kind: 'success_refused', held, place };
    return done.kind === 'applied' ? { kind: 'success_committed', adopted, seen: this.#seen(done.item) } : { kind: 'commit_abandoned' };
  }

  /** Commits over what was seen; over what an older holder has committed meanwhile, if that is what refused it. */
  async #commitOver(seen: Seen, commit: Commit): Promise<Committed> {
    const done = await commitPatiently(this.#world, this.#connection, this.#deadline, this.#protocol.commitSuccess(seen, commit));
    const now = done.kind === 'refused' ? done.item : undefined;
    const older = now !== undefined && now.grantId === seen.item.grantId && now.generation > seen.item.generation && now.committedFence < commit.fence;
    if (!older) return done;
    return this.#commitOver({ ...seen, item: now }, { ...commit, overtaken: now.refreshToken });
  }

  async #commitFailure({ held, commit }: Extract<Step, { do: 'commit_failure' }>): Promise<Event> {
    const done = await commitPatiently(this.#world, this.#connection, this.#deadline, [
      this.#protocol.commitFailure(held.seen.item, held.attempt.fence, commit),
    ]);
    reportFailure(this.#world, held, done, commit);
    return done.kind === 'applied'
      ? { kind: 'failure_committed', notBefore: commit.notBefore, seen: this.#seen(done.item) }
      : done.kind === 'refused'
        ? { kind: 'failure_refused', held, place: commit.place }
        : { kind: 'commit_abandoned' };
  }

  async #keepSpare({ held, place }: Extract<Step, { do: 'keep_spare' }>): Promise<Event> {
    const done = await commitPatiently(this.#world, this.#connection, this.#deadline, [this.#protocol.keepSpare(held.seen.item, held.attempt.fence, place)]);
    return done.kind === 'abandoned' ? { kind: 'commit_abandoned' } : { kind: 'spare_kept' };
  }

  async #reread({ held, verdict }: Extract<Step, { do: 'reread' }>): Promise<Event> {
    try {
      const item = await this.#world.store.read(this.#connection);
      return { kind: 'reread', held, verdict, seen: item && this.#seen(item) };
    } catch (error) {
      // No verdict on a state that cannot be seen: the attempt stays open, and a successor finds out.
      if (error instanceof Unavailable) return { kind: 'commit_abandoned' };
      throw error;
    }
  }

  async #release({ held, notBefore, wakeAt, called, budgetSpent }: Extract<Step, { do: 'release' }>): Promise<Event> {
    const done = await commitPatiently(
      this.#world,
      this.#connection,
      this.#deadline,
      this.#protocol.release(held.seen.item, held.attempt.fence, notBefore, called),
    );
    if (budgetSpent && done.kind === 'applied') reportBudget(this.#world, done.item);
    return done.kind === 'abandoned' ? { kind: 'commit_abandoned' } : { kind: 'released', wakeAt };
  }

  async #announce({ seen, announcement }: Extract<Step, { do: 'announce' }>): Promise<Event> {
    const { announcer, store, telemetry } = this.#world;
    try {
      await announcer.announce(announcement);
      const { item } = await store.apply(this.#connection, this.#protocol.announced(seen, announcement));
      return { kind: 'announced', seen: item && this.#seen(item) };
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      telemetry.warn('not_announced', { connection: this.#connection, change: announcement.change });
      return { kind: 'announced', seen };
    }
  }
}
