/**
 * A fleet of connections on virtual time: the product's own planner, decisions, writes and timing; what refreshers,
 * providers and stores take is assumed. It says how messages, workers and writes of secrets add up, not what AWS does.
 */
import { type PlanWorld, plan } from '../shared/application/plan.ts';
import { applied } from '../shared/domain/apply.ts';
import { assess } from '../shared/domain/assess.ts';
import { commitSuccess } from '../shared/domain/commit-writes.ts';
import type { Connection } from '../shared/domain/connection.ts';
import type { ConnectionName } from '../shared/domain/connection-name.ts';
import { create, firstPlace } from '../shared/domain/grant-writes.ts';
import { type Held, heldBy } from '../shared/domain/held.ts';
import type { GrantId } from '../shared/domain/ids.ts';
import { acquire } from '../shared/domain/lease-writes.ts';
import { limits } from '../shared/domain/limits.ts';
import type { Profile } from '../shared/domain/profile.ts';
import { promiseWake } from '../shared/domain/schedule-writes.ts';
import { type EpochMs, latest, plus } from '../shared/domain/time.ts';
import { between } from '../shared/domain/timing.ts';
import type { Write } from '../shared/domain/writes.ts';
import { Random } from '../test/sim/random.ts';
import { VirtualTime } from '../test/sim/time.ts';
import { DueIndex } from './due-index.ts';

export interface FleetOptions {
  readonly connections: number;
  /** How long an access token lives. */
  readonly lifeMs: number;
  /** `imported`: put one after the other within a minute. `overdue`: all due since ten minutes, as after an outage. */
  readonly begin: 'imported' | 'overdue';
  readonly store: 'secrets-manager' | 'dynamodb';
  /** How many renewals run at once. */
  readonly workers?: number;
  /** Changes of the profile: one without `spreadShare` is not spread. */
  readonly profile?: Partial<Profile>;
  /** For so many lives of a token. */
  readonly lives: number;
  /** Whether the planner remembers what it has sent; by default it does. */
  readonly remembers?: boolean;
}

/** The renewals that replace the tokens of one generation. */
interface Wave {
  renewals: number;
  /** Refresh tokens that the store of secrets did not take in time. */
  sealed: number;
  /** Tokens that ran out before, and for how long at most. */
  expired: number;
  longestGapMs: number;
}

/** What came of it. The first of the waves is of connections that have no token yet. */
export interface FleetReport {
  readonly renewals: number;
  /** Of the planner and of each PUT; besides, each renewal has one for the end of its lease. */
  readonly messages: number;
  /** Of these messages, those that found nothing to do. */
  readonly looksInVain: number;
  readonly waves: readonly Readonly<Wave>[];
  readonly queueMost: number;
  /** When the last connection had been renewed for the first time. */
  readonly allRenewedAfterMs: number;
}

/** What is assumed, in one place. */
export const assumed = {
  /** A renewal, from the lease to the commit, and a look that finds nothing to do. */
  renewalMs: 600,
  lookMs: 20,
  /** https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html */
  secretWritesPerSecond: 50,
  workers: 100,
} as const;

const start = 1_800_000_000_000 as EpochMs;
const config = { provider: 'generic-oauth2', settings: {}, renewal: 'always' } as const;

export async function runFleet(options: FleetOptions): Promise<FleetReport> {
  const fleet = new Fleet(options);
  await fleet.run();
  return fleet.report();
}

/** Secrets Manager, which takes so many writes in a second. */
class SecretWrites {
  #second = 0;
  #count = 0;

  takesOne(at: EpochMs): boolean {
    const second = Math.floor(at / 1_000);
    this.#count = second === this.#second ? this.#count + 1 : 1;
    this.#second = second;
    return this.#count <= assumed.secretWritesPerSecond;
  }
}

class Fleet {
  readonly #options: FleetOptions;
  readonly #profile: Profile;
  readonly #time = new VirtualTime(start);
  readonly #random = new Random(1);
  readonly #items = new Map<ConnectionName, Connection>();
  readonly #due = new DueIndex();
  /** In order of arrival; those before `#served` are done. To shift a long array would move all of it each time. */
  readonly #queue: ConnectionName[] = [];
  #served = 0;
  readonly #waves: Wave[] = [];
  readonly #counted = { renewals: 0, messages: 0, looks: 0, leaseEnds: 0 };
  #free: number;
  #queueMost = 0;
  readonly #secretsManager = new SecretWrites();
  #allRenewedAt = start;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#free = options.workers ?? assumed.workers;
    this.#profile = {
      grant: 'refresh_token',
      marginMs: limits.marginMs,
      minTokenAgeMs: 0,
      spreadShare: limits.spreadShare,
      defaultLifetimeMs: options.lifeMs,
      ambiguousRetry: 'after_holder',
      callTimeoutMs: limits.callTimeoutMs,
      slots: 1,
      renewal: 'always',
      firstDelayMs: { default: 5_000 },
      ...options.profile,
    };
  }

  async run(): Promise<void> {
    const { connections, lifeMs, lives } = this.#options;
    for (let index = 0; index < connections; index += 1) this.#begin(index);
    this.#planEachMinute();
    await this.#time.runUntil(plus(start, lifeMs * lives + 60_000));
  }

  report(): FleetReport {
    const { renewals, messages, looks, leaseEnds } = this.#counted;
    return {
      renewals,
      messages,
      looksInVain: looks - leaseEnds,
      waves: this.#waves,
      queueMost: this.#queueMost,
      allRenewedAfterMs:
        this.#waves[0]?.renewals === this.#options.connections ? this.#allRenewedAt - start : Number.NaN,
    };
  }

  #begin(index: number): void {
    const name = `connection-${index}` as ConnectionName;
    const id = `00000000-0000-4000-${String(index % 10_000).padStart(4, '0')}` as GrantId;
    const imported = this.#options.begin === 'imported';
    const at = imported ? plus(start, Math.floor((index / this.#options.connections) * 60_000)) : start;
    const { announcement: _, ...item } = create(name, config, String(index % limits.dueShards), at, 'active', {
      id,
      place: firstPlace(id),
    });
    this.#time.at(at, () => {
      this.#put({ ...item, dueAt: imported ? at : plus(start, -600_000 + index) });
      if (!imported) return;
      this.#counted.messages += 1;
      this.#arrive(name);
    });
  }

  #put(item: Connection): void {
    this.#due.move(item.connection, item.dueShard, this.#items.get(item.connection)?.dueAt, item.dueAt);
    this.#items.set(item.connection, item);
  }

  #apply(write: Write, item: Connection): Connection | undefined {
    const next = applied(write, item);
    if (next !== undefined) this.#put(next);
    return next;
  }

  #planEachMinute(): void {
    const { planIntervalMs } = limits;
    const world: PlanWorld = {
      clock: { now: () => this.#time.now(), sleep: async () => {} },
      store: { listDue: async (shard, until, limit) => this.#due.list(shard, until, limit) },
      queue: {
        send: async (connection, delayMs) => this.#send(connection, delayMs),
        sendAll: async (messages) => {
          this.#counted.messages += messages.length;
          for (const { connection, delayMs } of messages) this.#send(connection, delayMs);
        },
      },
      telemetry: { info: () => {}, warn: () => {}, error: () => {}, count: () => {} },
      line: new Map(),
    };
    const tick = () => {
      if (this.#options.remembers === false) world.line.clear();
      void plan(world);
      this.#time.at(plus(this.#time.now(), planIntervalMs), tick);
    };
    this.#time.at(start, tick);
  }

  /** SQS delays by whole seconds. */
  #send(connection: ConnectionName, delayMs: number): void {
    this.#time.at(plus(this.#time.now(), Math.ceil(delayMs / 1_000) * 1_000), () => this.#arrive(connection));
  }

  #arrive(connection: ConnectionName): void {
    this.#queue.push(connection);
    this.#work();
    this.#queueMost = Math.max(this.#queueMost, this.#queue.length - this.#served);
  }

  #work(): void {
    while (this.#free > 0) {
      const connection = this.#queue[this.#served];
      if (connection === undefined) return;
      this.#served += 1;
      this.#free -= 1;
      this.#time.at(plus(this.#time.now(), this.#tend(connection)), () => {
        this.#free += 1;
        this.#work();
      });
    }
  }

  /** Does what the connection's state calls for, and returns for how long that holds its worker. */
  #tend(connection: ConnectionName): number {
    const now = this.#time.now();
    const item = this.#items.get(connection);
    if (item === undefined) return assumed.lookMs;
    const seen = { item, profile: this.#profile };
    const assessment = assess(seen, now);
    if (assessment.kind === 'refresh') return this.#renew(item, now);
    this.#counted.looks += 1;
    if (assessment.kind === 'wait' && assessment.until - now <= limits.longestOwnWaitMs) {
      const from = latest(assessment.until, now);
      const wakeAt = plus(from, between(limits.wakeJitterMs, this.#random.next()));
      if (this.#apply(promiseWake(wakeAt, plus(from, limits.wakeJitterMs.to), now), item))
        this.#send(connection, wakeAt - now);
    }
    return assumed.lookMs;
  }

  #renew(item: Connection, now: EpochMs): number {
    const seen = { item, profile: this.#profile };
    const wakeAt = plus(now, limits.leaseMs + between(limits.wakeJitterMs, this.#random.next()));
    const lease = { owner: 'refresher', until: plus(now, limits.leaseMs) };
    const write = acquire(seen, lease, now, wakeAt);
    const leased = this.#apply(write, item);
    if (leased === undefined) return assumed.lookMs;
    this.#counted.leaseEnds += 1;
    this.#send(item.connection, wakeAt - now);
    const stored = this.#options.store === 'dynamodb' || this.#secretsManager.takesOne(plus(now, assumed.renewalMs));
    const sealed = !stored;
    const tookMs = assumed.renewalMs + (sealed ? limits.persistBudgetMs : 0);
    const held = heldBy(write, { applied: true, item: leased }, this.#profile);
    this.#time.at(plus(now, tookMs), () => this.#commit(held, plus(now, assumed.renewalMs), sealed));
    return tookMs;
  }

  #commit(held: Held, receivedAt: EpochMs, sealed: boolean): void {
    const { connection } = held.seen.item;
    const requestedAt = plus(receivedAt, -assumed.renewalMs);
    const [write] = commitSuccess(held, {
      tokens: { tokenType: 'Bearer', requestedAt, receivedAt, expiresAt: plus(requestedAt, this.#options.lifeMs) },
      sealedAccessToken: '',
      place: held.seen.item.refreshToken,
      contested: false,
      adoptedFence: undefined,
      overtaken: undefined,
      spread: this.#random.next(),
    });
    const item = this.#items.get(connection);
    if (write === undefined || item === undefined) return;
    this.#count(item, sealed);
    this.#apply(write, item);
  }

  #count({ generation, tokens }: Connection, sealed: boolean): void {
    const now = this.#time.now();
    const wave = this.#waves[generation] ?? { renewals: 0, sealed: 0, expired: 0, longestGapMs: 0 };
    this.#waves[generation] = wave;
    this.#counted.renewals += 1;
    wave.renewals += 1;
    if (sealed) wave.sealed += 1;
    if (generation === 0) this.#allRenewedAt = now;
    if (tokens === undefined || now <= tokens.expiresAt) return;
    wave.expired += 1;
    wave.longestGapMs = Math.max(wave.longestGapMs, now - tokens.expiresAt);
  }
}
