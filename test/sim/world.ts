/**
 * The simulated world: one table, one secret store, one queue, a planner, an authorization server, and any number of
 * environments that run the real use cases against them. The second world for the one `decide`.
 */

import { memoryConnections } from '../../shared/adapters/memory-connections.ts';
import { getToken, type Remembered, rejectToken, type TokenAnswer, type TokenWorld } from '../../shared/application/get-token.ts';
import { plan } from '../../shared/application/plan.ts';
import { protocol as normative, type Protocol } from '../../shared/application/protocol.ts';
import { type RefreshWorld, runRefresh } from '../../shared/application/run-refresh.ts';
import { limits } from '../../shared/domain/limits.ts';
import {
  type Connection,
  type ConnectionConfig,
  type ConnectionName,
  type EpochMs,
  type Profile,
  plus,
  Secret,
  type TokenSet,
  versionIdOf,
} from '../../shared/domain/types.ts';
import { create, replaceGrant, type Write } from '../../shared/domain/writes.ts';
import type { Chance, LookUp, RefreshQueue, Sealer, Telemetry, TokenReply } from '../../shared/ports/index.ts';
import { tokenSource } from '../../shared/providers/token-source.ts';
import { type Boundary, Environment, type Fault } from './environment.ts';
import { type Call, type Nature, Provider, type Way } from './provider.ts';
import { Random } from './random.ts';
import { VirtualTime } from './time.ts';
import type { Variant } from './variant.ts';

export interface WorldOptions {
  readonly seed: number;
  readonly nature: Nature;
  readonly profile: Profile;
  readonly config: ConnectionConfig;
  /** What is wrong on purpose in this world; nothing, if left out. */
  readonly variant?: Variant;
  readonly faults?: (boundary: Boundary) => Fault | undefined;
  readonly way?: (call: Call) => Way;
  readonly skewMs?: () => number;
  readonly staleSecretsMs?: number;
  /** How a message travels: how late, and how often it is delivered. */
  readonly delivery?: () => { readonly lateMs: number; readonly times: number };
}

/** One line of what happened, for the log that two runs of one seed must agree on. */
export type Happening = readonly [at: number, what: string, detail: string];

export const start = 1_800_000_000_000 as EpochMs;
const visibilityMs = limits.refreshTimeoutMs * 6;
const deliveries = 3;

/** Whoever looks on from outside. */
export interface Watcher {
  /** A write was applied. */
  readonly onWrite?: (name: string, item: Connection) => void;
  /** A request leaves. */
  readonly onCall?: (call: Call) => void;
  /** Its answer is there, or its caller gives up. */
  readonly onReply?: (call: Call) => void;
  /** A function that was never frozen ran into its time limit. */
  readonly onHardStop?: (environment: Environment) => void;
}

export class World {
  readonly connection = 'exact-nl' as ConnectionName;
  readonly time = new VirtualTime(start);
  readonly random: Random;
  readonly provider: Provider;
  readonly store = memoryConnections();
  readonly secrets = new Map<string, TokenSet>();
  readonly log: Happening[] = [];
  readonly counted = new Map<string, number>();
  /** Every environment that was ever started, by id. */
  readonly environments: Environment[] = [];
  readonly options: WorldOptions;
  readonly #variant: Variant;
  readonly #protocol: Protocol;
  readonly #profile: Profile;
  readonly #storedAt = new Map<string, number>();
  readonly #tokenEnvironments: { readonly world: TokenWorld; busy: boolean; readonly environment: Environment }[] = [];
  /** The item as the table has it; for those who look on from outside. */
  current: Connection | undefined;
  #watcher: Watcher = {};

  constructor(options: WorldOptions) {
    this.options = options;
    this.#variant = options.variant ?? {};
    this.#protocol = { ...normative, ...this.#variant.protocol };
    this.#profile = { ...options.profile, ...this.#variant.profile };
    this.random = new Random(options.seed);
    this.provider = new Provider(this.time, options.nature);
  }

  /** Tells from now on of what only the world sees. */
  watch(watcher: Watcher): void {
    this.#watcher = watcher;
  }

  #written(name: string, item: Connection): void {
    this.current = item;
    this.#watcher.onWrite?.(name, item);
  }

  /** The refresh token at a place, wherever that is. */
  refreshTokenAt(place: Connection['refreshToken']): string | undefined {
    if (place === undefined) return undefined;
    if (place.sealed !== undefined) return (JSON.parse(place.sealed) as string[])[2];
    return this.secrets.get(this.#secretOf(place.slot ?? 0, place.versionId))?.refreshToken?.reveal();
  }

  /** Whether this refresh token is kept anywhere. */
  kept(refreshToken: string): boolean {
    if (this.refreshTokenAt(this.current?.refreshToken) === refreshToken) return true;
    return [...this.secrets.values()].some((tokens) => tokens.refreshToken?.reveal() === refreshToken);
  }

  /** Whether this refresh token has been readable in a secret for `ms` at least. */
  readableFor(refreshToken: string, ms: number): boolean {
    const stale = this.options.staleSecretsMs ?? 0;
    return [...this.secrets].some(
      ([name, tokens]) => tokens.refreshToken?.reveal() === refreshToken && this.time.now() - (this.#storedAt.get(name) ?? 0) >= stale + ms,
    );
  }

  note(what: string, detail = ''): void {
    this.log.push([this.time.now() - start, what, detail]);
  }

  async item(): Promise<Connection> {
    const item = await this.store.read(this.connection);
    if (item === undefined) throw new Error('the connection is gone');
    return item;
  }

  /** A person imports a grant: the first time, or over the one there is. */
  async authorize(): Promise<void> {
    const refreshToken = this.provider.authorize();
    const grantId = this.#grantId();
    const place = { slot: 0, versionId: versionIdOf(grantId, 0) };
    this.secrets.set(this.#secretOf(0, place.versionId), bare(refreshToken, this.time.now()));
    const before = await this.store.read(this.connection);
    if (before === undefined) {
      const item = create(this.connection, this.options.config, '0', this.time.now(), 'active', { grantId, place });
      await this.store.create(item);
      this.#written('create', item);
    } else await this.apply((this.#variant.replaceGrant ?? replaceGrant)(before, this.options.config, this.time.now(), { grantId, place }));
    this.note('authorized', grantId);
  }

  /** A write from outside, without an environment and without faults. */
  async apply(write: Write) {
    const result = await this.store.apply(this.connection, write);
    if (result.applied) this.#written(write.name, result.item);
    return result;
  }

  /** The planner runs every minute; `missing` says which minutes it misses. */
  startPlanner(missing: () => boolean = () => false): void {
    const tick = () => {
      const environment = this.#environment('plan');
      const world = { clock: environment, store: this.#tableOf(environment), queue: this.#queueOf(environment), telemetry: this.#telemetryOf(environment) };
      if (!missing()) void plan(world).catch(() => undefined);
      this.time.at(this.time.now() + limits.planIntervalMs, tick);
    };
    this.time.at(this.time.now() + this.random.below(limits.planIntervalMs), tick);
  }

  /** A client's GET, in an environment that is free, or a new one. */
  get(minTtlMs: number = limits.minTtlMs.default, waitMs: number = limits.waitMs.default): Promise<TokenAnswer> {
    return this.#asked((world) => getToken(world, this.connection, minTtlMs, waitMs));
  }

  /** A client's report that the provider refused the token of this generation. */
  reject(generation: number, waitMs: number = limits.waitMs.default): ReturnType<typeof rejectToken> {
    return this.#asked((world) => rejectToken(world, this.connection, { generation }, waitMs));
  }

  async #asked<A extends TokenAnswer | { readonly kind: 'never_issued' }>(call: (world: TokenWorld) => Promise<A>): Promise<A> {
    let free = this.#tokenEnvironments.find(({ busy, environment }) => !busy && !environment.dead);
    if (free === undefined) {
      const environment = this.#environment('token');
      free = { world: this.#tokenWorldOf(environment), busy: false, environment };
      this.#tokenEnvironments.push(free);
    }
    free.busy = true;
    const answer = await call(free.world);
    free.busy = false;
    this.note('answered', answer.kind === 'token' ? `generation ${answer.item.generation}` : answer.kind);
    return answer;
  }

  /** Puts a message on the queue as if somebody had asked. */
  send(delayMs = 0): void {
    this.#deliver(delayMs);
  }

  /** Runs one refresher now, in an environment of its own; resolves when it ends, with how (never, if it was killed). */
  refresh(): { readonly environment: Environment; readonly ended: Promise<string> } {
    const environment = this.#environment('refresh');
    // Lambda's own clock ends the function, whatever the function's clock says.
    this.time.at(this.time.now() + limits.refreshTimeoutMs, () => {
      if (environment.ended !== undefined || environment.dead) return;
      if (!environment.wasFrozen) this.#watcher.onHardStop?.(environment);
      environment.kill();
    });
    const deadline = plus(environment.now(), limits.refreshTimeoutMs);
    const ended = runRefresh(this.#refreshWorldOf(environment), this.connection, deadline, this.#protocol).then(
      (ending) => {
        const how = 'reason' in ending ? ending.reason : ending.do;
        environment.ended = how;
        this.note('ended', `${environment.id} ${ending.do} ${how}`);
        return how;
      },
      (error: unknown) => {
        environment.ended = 'failed';
        throw error;
      },
    );
    return { environment, ended };
  }

  #deliver(delayMs: number, received = 0): void {
    const { lateMs, times } = this.options.delivery?.() ?? { lateMs: 20, times: 1 };
    for (let copy = 0; copy < times; copy += 1) {
      // Whole seconds, as SQS delays.
      const at = this.time.now() + Math.ceil(delayMs / 1_000) * 1_000 + lateMs * (copy + 1);
      this.time.at(at, () => {
        const again = () => {
          if (received + 1 < deliveries) this.#deliver(visibilityMs, received + 1);
        };
        const { environment, ended } = this.refresh();
        let done = false;
        environment.onKill(() => {
          if (!done) again();
        });
        ended.then(
          () => {
            done = true;
          },
          (error: unknown) => {
            done = true;
            if (!(error instanceof Error) || error.name !== 'Unavailable') throw error;
            this.note('message failed', String(environment.id));
            again();
          },
        );
      });
    }
  }

  #environment(kind: Boundary['kind']): Environment {
    const environment = new Environment({
      id: this.environments.length,
      kind,
      time: this.time,
      skewMs: this.options.skewMs?.() ?? 0,
      faults: (boundary) => {
        const fault = this.options.faults?.(boundary);
        if (fault !== undefined) this.note(`fault ${fault.kind}`, `${boundary.kind} ${boundary.environment} ${boundary.phase} ${boundary.operation}`);
        return fault;
      },
      latencyMs: () => 1 + this.random.below(8),
    });
    this.environments.push(environment);
    return environment;
  }

  #tokenWorldOf(environment: Environment): TokenWorld {
    const world: TokenWorld = {
      clock: environment,
      chance: this.#chance(),
      store: this.#tableOf(environment),
      sealer: plainSealer,
      queue: this.#queueOf(environment),
      telemetry: this.#telemetryOf(environment),
      memory: new Map<ConnectionName, Remembered>(),
    };
    return this.#variant.tokenWorld?.(world) ?? world;
  }

  #refreshWorldOf(environment: Environment): RefreshWorld {
    const world: RefreshWorld = {
      clock: environment,
      chance: this.#chance(),
      store: this.#tableOf(environment),
      refreshTokens: {
        read: (_, slot, versionId) => environment.io('secrets.read', 'secrets', () => this.#visible(slot, versionId)?.refreshToken),
        lookUp: async (_, slot, versionId): Promise<LookUp> => {
          try {
            const tokens = await environment.io('secrets.look_up', 'secrets', () => this.#visible(slot, versionId));
            return tokens === undefined ? { kind: 'absent' } : { kind: 'found', tokens };
          } catch {
            return { kind: 'unreadable' };
          }
        },
        persist: (_, slot, versionId, tokens) =>
          environment.io('secrets.persist', 'secrets', () => {
            const name = this.#secretOf(slot, versionId);
            const there = this.secrets.get(name);
            if (there !== undefined) return there.refreshToken?.reveal() === tokens.refreshToken?.reveal();
            this.secrets.set(name, tokens);
            this.#storedAt.set(name, this.time.now());
            return true;
          }),
      },
      credentials: { read: async () => undefined, store: async () => {} },
      accessSealer: plainSealer,
      refreshSealer: { ...plainSealer, ready: () => environment.io('keys.ready', 'keys', () => {}) },
      source: tokenSource({ request: (request) => this.#request(environment, request) }, environment),
      queue: this.#queueOf(environment),
      telemetry: this.#telemetryOf(environment),
      profileOf: () => this.#profile,
    };
    return this.#variant.refreshWorld?.(world, this) ?? world;
  }

  async #request(environment: Environment, request: Parameters<Provider['call']>[1]): Promise<TokenReply> {
    const call: Call = { sentAt: this.time.now(), environment: environment.id, refreshToken: request.refreshToken?.reveal() ?? '' };
    environment.onKill(() => {
      call.endedAt ??= this.time.now();
    });
    return environment.outside('provider.request', async () => {
      (call as { sentAt: number }).sentAt = this.time.now();
      this.provider.ledger.push(call);
      this.#watcher.onCall?.(call);
      this.note('request', `${environment.id} ${call.refreshToken}`);
      const way = this.options.way?.(call) ?? { toMs: 20, fromMs: 20 };
      const over = new AbortController();
      const timedOut = environment.sleep(request.timeoutMs, over.signal).then((): TokenReply => ({ kind: 'lost', code: 'time_out' }));
      const reply = await Promise.race([this.provider.call(call, request, way), timedOut]);
      over.abort('over');
      call.endedAt = this.time.now();
      if (reply.kind === 'reply') call.status = reply.status;
      this.#watcher.onReply?.(call);
      this.note('reply', `${environment.id} ${call.result ?? '-'} ${reply.kind === 'reply' ? reply.status : reply.code}`);
      return reply;
    });
  }

  #tableOf(environment: Environment): RefreshWorld['store'] {
    const { store } = this;
    return {
      read: (connection) => environment.io('table.read', 'table', () => store.read(connection)),
      create: (item) => environment.io('table.create', 'table', () => store.create(item)),
      apply: (connection, write) =>
        environment.io(`table.${write.name}`, 'table', async () => {
          const result = await store.apply(connection, write);
          if (result.applied) {
            this.note(write.name, `${environment.id} generation ${result.item.generation} fence ${result.item.fence}`);
            this.#written(write.name, result.item);
          }
          return result;
        }),
      // The one connection is in the first shard; asking the others would only take time.
      listDue: (shard, until, limit) =>
        shard === '0' ? environment.io('table.list_due', 'table', () => store.listDue(shard, until, limit)) : Promise.resolve([]),
      list: (limit, after) => environment.io('table.list', 'table', () => store.list(limit, after)),
    };
  }

  #queueOf(environment: Environment): RefreshQueue {
    const send = (delayMs: number) => environment.io('queue.send', 'queue', () => this.#deliver(delayMs));
    return {
      send: (_, delayMs) => send(delayMs),
      sendAll: async (messages) => {
        for (const { delayMs } of messages) await send(delayMs);
      },
    };
  }

  #telemetryOf(environment: Environment): Telemetry {
    const line = (event: string, fields: Readonly<Record<string, unknown>>) =>
      this.note(event, `${environment.id} ${fields.class ?? ''} ${fields.cause ?? ''}`);
    return {
      info: line,
      warn: line,
      error: line,
      count: (metric, value) => this.counted.set(metric, (this.counted.get(metric) ?? 0) + value),
    };
  }

  #chance(): Chance {
    return { next: () => this.random.next(), grantId: () => this.#grantId(), id: () => this.random.hex(16) };
  }

  #grantId(): string {
    return `${this.random.hex(8)}-${this.random.hex(4)}-${this.random.hex(4)}-${this.random.hex(4)}`;
  }

  /** Secrets Manager promises no read after write: a version may be seen late. */
  #visible(slot: number, versionId: string): TokenSet | undefined {
    const name = this.#secretOf(slot, versionId);
    const storedAt = this.#storedAt.get(name) ?? Number.NEGATIVE_INFINITY;
    return this.time.now() - storedAt < (this.options.staleSecretsMs ?? 0) ? undefined : this.secrets.get(name);
  }

  #secretOf(slot: number, versionId: string): string {
    return `${slot}/${versionId}`;
  }
}

const bare = (refreshToken: string, now: EpochMs): TokenSet => ({
  accessToken: new Secret(''),
  refreshToken: new Secret(refreshToken),
  tokenType: 'Bearer',
  requestedAt: now,
  receivedAt: now,
  expiresAt: now,
});

/** Sealing is not what is simulated; the binding is. */
const plainSealer: Sealer = {
  ready: async () => {},
  seal: async (plaintext, { connection, versionId }) => JSON.stringify([connection, versionId, plaintext.reveal()]),
  open: async (sealed, { connection, versionId }) => {
    const [sealedConnection, sealedVersion, plaintext] = JSON.parse(sealed) as [string, string, string];
    if (sealedConnection !== connection || sealedVersion !== versionId) throw new Error('sealed for something else');
    return new Secret(plaintext);
  },
};
