/**
 * The simulated world: one table, one secret store, one queue, a planner, an authorization server, and any number of
 * environments that run the real use cases against them. The second world for the one `decide`.
 */

import { authorize } from '../../shared/application/authorize.ts';
import { type DeleteWorld, deleteConnection } from '../../shared/application/delete-connection.ts';
import {
  getToken,
  type Remembered,
  rejectToken,
  type TokenAnswer,
  type TokenWorld,
} from '../../shared/application/get-token.ts';
import { openLink } from '../../shared/application/open-link.ts';
import { type PauseResult, pauseConnection } from '../../shared/application/pause-connection.ts';
import { type PlanWorld, plan } from '../../shared/application/plan.ts';
import { protocol as normative, type Protocol } from '../../shared/application/protocol.ts';
import { type ConnectionsWorld, type PutResult, putConnection } from '../../shared/application/put-connection.ts';
import { type RedeemWorld, type Redemption, redeem } from '../../shared/application/redeem.ts';
import { type TendWorld, tend } from '../../shared/application/tend.ts';
import type { ConnectionConfig } from '../../shared/domain/connection.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import type { Exchange } from '../../shared/domain/exchange.ts';
import { create, replaceGrant } from '../../shared/domain/grant-writes.ts';
import type { GrantId } from '../../shared/domain/ids.ts';
import { limits } from '../../shared/domain/limits.ts';
import type { Profile } from '../../shared/domain/profile.ts';
import { Secret } from '../../shared/domain/secret.ts';
import { plus } from '../../shared/domain/time.ts';
import type { ConnectionRequest } from '../../shared/ports/connection-requests.ts';
import type { LoginLink } from '../../shared/ports/login-sealer.ts';
import type { Providers } from '../../shared/ports/providers.ts';
import type { RefreshQueue } from '../../shared/ports/queue.ts';
import type { Telemetry } from '../../shared/ports/telemetry.ts';
import { providersFrom } from '../../shared/providers/known-providers.ts';
import { firstPlace } from '../plain.ts';
import { AuthorizationServer, type Customs } from './authorization-server.ts';
import { type Boundary, Environment, type Fault } from './environment.ts';
import type { Rotation } from './faults.ts';
import {
  bare,
  connectionsWorldOf,
  credentialsOf,
  finishDeletionWorldOf,
  type Given,
  plainSealer,
  redeemWorldOf,
  sentSecretOf,
} from './functions.ts';
import type { Call, Nature, Provider, Way } from './provider.ts';
import type { Room } from './room.ts';
import { type StoreOptions, Stores } from './stores.ts';
import type { Variant } from './variant.ts';

const visibilityMs = limits.visibilityTimeouts * limits.refreshTimeoutMs;

/** The presets' providers, with the profile of the simulated one. */
function providersWith(profile: Profile): Providers {
  const known = providersFrom();
  return {
    of: (config) => {
      const provider = known.of(config);
      return { ...provider, rules: provider.rules && { ...provider.rules, profile: () => profile } };
    },
  };
}

export interface WorldOptions extends StoreOptions {
  readonly nature: Nature;
  readonly profile: Profile;
  readonly config: ConnectionConfig;
  /** What is wrong on purpose in this world; nothing, if left out. */
  readonly variant?: Variant;
  readonly faults?: (boundary: Boundary) => Fault | undefined;
  readonly way?: (call: Call) => Way;
  /** How a code, or a revocation, goes on its way. */
  readonly otherWay?: (what: 'code' | 'revocation') => Way;
  readonly customs?: Customs;
  /** A client's secret is replaced; `config` has two of them then. */
  readonly rotation?: Rotation;
  readonly skewMs?: () => number;
  /** How many environments of the token function take turns; one, if left out. */
  readonly warmEnvironments?: number;
  /** How a message travels: how late, and how often it is delivered. */
  readonly delivery?: () => { readonly lateMs: number; readonly times: number };
  /** Where refreshers run; by default there is always room for one more. */
  readonly refreshRoom?: Pick<Room, 'enter'>;
}

const apiUrl = 'https://broker.example';

export class World extends Stores {
  readonly provider: AuthorizationServer;
  readonly counted = new Map<string, number>();
  /** When the planner looked to the end. */
  readonly plannedAt: number[] = [];
  /** Every environment that was ever started, by id. */
  readonly environments: Environment[] = [];
  readonly options: WorldOptions;
  readonly #variant: Variant;
  readonly #protocol: Protocol;
  readonly #providers: Providers;
  #turn = 0;
  readonly #tokenEnvironments: { readonly world: TokenWorld; busy: boolean; readonly environment: Environment }[] = [];

  constructor(options: WorldOptions) {
    super({ ...options, ...(options.variant?.adapters && { adapters: options.variant.adapters }) });
    this.options = options;
    this.#variant = options.variant ?? {};
    this.#protocol = { ...normative, ...this.#variant.protocol };
    this.#providers = providersWith({ ...options.profile, ...this.#variant.profile });
    this.provider = new AuthorizationServer(this.time, options.nature);
    const { rotation } = options;
    if (rotation !== undefined)
      this.provider.takes = (secret) =>
        secret === 'old' ? this.time.now() < rotation.oldUntil : this.time.now() >= rotation.newFrom;
    if (options.customs !== undefined) this.provider.customs = options.customs;
  }

  /** A person imports a grant: the first time, or over the one there is. */
  async authorize(): Promise<void> {
    const refreshToken = this.provider.authorize();
    const id = this.grantId();
    const place = firstPlace(id);
    this.secrets.set(this.secretOf(place.slot, place.versionId), bare(refreshToken, this.time.now()));
    const before = await this.store.read(this.connection);
    if (before === undefined) {
      const item = create(this.connection, this.options.config, '0', this.time.now(), 'active', {
        id: id as GrantId,
        place,
      });
      await this.store.create(item);
      this.written('create', item);
    } else
      await this.apply(
        (this.#variant.replaceGrant ?? replaceGrant)(before, this.options.config, this.time.now(), {
          id: id as GrantId,
          place,
        }),
      );
    this.note('authorized', id);
  }

  /**
   * A person asks for a link, opens it, and goes on to the login with this state. Rejects if a store is out of reach;
   * never settles if the function dies.
   */
  async offerLogin(): Promise<string | undefined> {
    const { given, environment } = this.#function('authorizations', limits.tokenTimeoutMs);
    return this.#invoked(environment, this.#offered(this.#redeemWorldOf(environment, given)));
  }

  async #offered(world: RedeemWorld): Promise<string | undefined> {
    const { connection } = this;
    const offer = await authorize(world, connection, { lifeMs: limits.authorizationMs.default });
    if (offer.kind !== 'offered') return undefined;
    const opened = await openLink(world, { connection, link: offer.link, browser: 'browser', apiUrl });
    return opened.kind === 'good' ? (opened.authorizeUrl.searchParams.get('state') ?? undefined) : undefined;
  }

  /** A browser comes back from a login with this code. */
  async callback(state: string, code: string): Promise<Redemption> {
    const { given, environment } = this.#function('authorizations', limits.refreshTimeoutMs);
    const world = this.#redeemWorldOf(environment, given);
    const parameters = new URLSearchParams({ state, code });
    const deadline = plus(world.clock.now(), limits.refreshTimeoutMs);
    const came = { parameters, at: this.connection, browser: 'browser', apiUrl };
    const told = await this.#invoked(environment, redeem(world, came, deadline));
    this.note('login', `${environment.id} ${told.kind}`);
    this.watcher.onLogin?.(told, environment.id, (JSON.parse(state) as LoginLink).id);
    return told;
  }

  /** `DELETE /connections/{connection}`: whether there was one. */
  async delete(): Promise<boolean> {
    const { given, environment } = this.#function('connections', limits.tokenTimeoutMs);
    const deleting = deleteConnection(this.#connectionsWorldOf(environment, given), this.connection);
    const there = (await this.#invoked(environment, deleting)).kind !== 'not_found';
    this.note('deleted', `${environment.id} ${there}`);
    this.watcher.onDeleted?.();
    return there;
  }

  /** `PUT /connections/{connection}/pause`, or `DELETE`. */
  async pauseOrResume(paused: boolean): Promise<PauseResult> {
    const { given, environment } = this.#function('connections', limits.tokenTimeoutMs);
    const wish = paused ? ({ kind: 'paused', by: 'operator' } as const) : ({ kind: 'resumed' } as const);
    const pausing = pauseConnection(this.#connectionsWorldOf(environment, given), this.connection, wish);
    const result = await this.#invoked(environment, pausing);
    this.note(wish.kind, `${environment.id} ${result.kind}`);
    return result;
  }

  /** `PUT /connections/{connection}`, with a refresh token from elsewhere or without one. */
  async put(refreshToken?: string): Promise<PutResult> {
    const { given, environment } = this.#function('connections', limits.tokenTimeoutMs);
    const request: ConnectionRequest = {
      config: this.options.config,
      grant: 'refresh_token',
      needed: [],
      ...(refreshToken !== undefined && { refreshToken: new Secret(refreshToken) }),
    };
    const result = await this.#invoked(
      environment,
      putConnection(this.#connectionsWorldOf(environment, given), this.connection, request),
    );
    this.note('put', `${environment.id} ${result.kind}`);
    return result;
  }

  otherWay(what: 'code' | 'revocation'): Way {
    return this.options.otherWay?.(what) ?? { toMs: 20, fromMs: 20 };
  }

  /** An environment of its own for one request, which its platform ends in time. */
  #function(
    kind: 'connections' | 'authorizations',
    timeoutMs: number,
  ): { readonly given: Given; readonly environment: Environment } {
    const environment = this.#environment(kind);
    this.time.at(this.time.now() + timeoutMs, () => this.#stopHard(environment));
    return { given: this.#givenTo(environment), environment };
  }

  #connectionsWorldOf(environment: Environment, given: Given): ConnectionsWorld & DeleteWorld {
    const world = connectionsWorldOf(this, environment, given);
    return this.#variant.connectionsWorld?.(world, this) ?? world;
  }

  #redeemWorldOf(environment: Environment, given: Given): RedeemWorld {
    const world = redeemWorldOf(this, environment, given);
    return this.#variant.redeemWorld?.(world, this) ?? world;
  }

  #givenTo(environment: Environment): Given {
    return { queue: this.#queueOf(environment), telemetry: this.#telemetryOf(environment), providers: this.#providers };
  }

  async #invoked<T>(environment: Environment, answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } finally {
      environment.ended ??= 'answered';
    }
  }

  #stopHard(environment: Environment): void {
    if (environment.ended !== undefined || environment.dead) return;
    if (!environment.wasFrozen) this.watcher.onHardStop?.(environment);
    environment.kill();
  }

  /** The planner runs every minute; `missing` says which minutes it misses. */
  startPlanner(missing: () => boolean = () => false): void {
    // As if one environment stayed warm.
    const line: PlanWorld['line'] = new Map();
    const tick = () => {
      const environment = this.#environment('plan');
      const world = {
        clock: environment,
        store: this.tableOf(environment),
        queue: this.#queueOf(environment),
        telemetry: this.#telemetryOf(environment),
        line,
      };
      const at = this.time.now();
      const looked = () => {
        this.plannedAt.push(at);
      };
      if (!missing()) void plan(world).then(looked, () => undefined);
      this.time.at(this.time.now() + limits.planIntervalMs, tick);
    };
    this.time.at(this.time.now() + this.random.below(limits.planIntervalMs), tick);
  }

  /** A client's GET, in a warm environment that is free, another each time, or in a new one. */
  get(minTtlMs: number = limits.minTtlMs.default, waitMs: number = limits.waitMs.default): Promise<TokenAnswer> {
    return this.#asked((world) => getToken(world, this.connection, minTtlMs, waitMs));
  }

  /** A client's report that the provider refused the token of this generation. */
  reject(generation: number, waitMs: number = limits.waitMs.default): ReturnType<typeof rejectToken> {
    return this.#asked((world) => rejectToken(world, this.connection, { generation }, waitMs));
  }

  async #asked<A extends TokenAnswer | { readonly kind: 'never_issued' }>(
    call: (world: TokenWorld) => Promise<A>,
  ): Promise<A> {
    const warm = this.#tokenEnvironments.filter(({ busy, environment }) => !busy && !environment.dead);
    this.#turn += 1;
    let free = warm.length < (this.options.warmEnvironments ?? 1) ? undefined : warm[this.#turn % warm.length];
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

  /** Puts a message on the queue as if a client had asked. */
  send(delayMs = 0): void {
    this.#deliver(delayMs);
  }

  /**
   * Runs one refresher now, in an environment of its own. `ended` resolves with how it ended, and never if it was
   * killed.
   */
  refresh(): { readonly environment: Environment; readonly ended: Promise<string> } {
    const environment = this.#environment('refresh');
    // Lambda's own clock ends the function, whatever the function's clock says.
    this.time.at(this.time.now() + limits.refreshTimeoutMs, () => this.#stopHard(environment));
    const deadline = plus(environment.now(), limits.refreshTimeoutMs);
    const ended = tend(this.#tendWorldOf(environment), this.connection, deadline, this.#protocol).then(
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
        const { refreshRoom } = this.options;
        if (refreshRoom === undefined) this.#consume(received);
        else void refreshRoom.enter().then((leave) => this.#consume(received, leave));
      });
    }
  }

  #consume(received: number, leave: () => void = () => {}): void {
    const again = () => {
      if (received + 1 < limits.deliveries) this.#deliver(visibilityMs, received + 1);
    };
    const { environment, ended } = this.refresh();
    let done = false;
    const over = () => {
      done = true;
      leave();
    };
    environment.onKill(() => {
      if (done) return;
      over();
      again();
    });
    ended.then(over, (error: unknown) => {
      over();
      if (!(error instanceof Error) || error.name !== 'Unavailable') throw error;
      this.note('message failed', String(environment.id));
      again();
    });
  }

  #environment(kind: Boundary['kind']): Environment {
    const environment = new Environment({
      id: this.environments.length,
      kind,
      time: this.time,
      skewMs: this.options.skewMs?.() ?? 0,
      faults: (boundary) => {
        const fault = this.options.faults?.(boundary);
        if (fault !== undefined)
          this.note(
            `fault ${fault.kind}`,
            `${boundary.kind} ${boundary.environment} ${boundary.phase} ${boundary.operation}`,
          );
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
      chance: this.chance(),
      store: this.tableOf(environment),
      sealer: plainSealer,
      queue: this.#queueOf(environment),
      telemetry: this.#telemetryOf(environment),
      memory: new Map<ConnectionName, Remembered>(),
    };
    return this.#variant.tokenWorld?.(world, this) ?? world;
  }

  #tendWorldOf(environment: Environment): TendWorld {
    const world: TendWorld = {
      ...finishDeletionWorldOf(this, environment, this.#givenTo(environment)),
      chance: this.chance(),
      credentials: credentialsOf(this, environment),
      refreshTokens: this.refreshTokensOf(environment),
      accessSealer: plainSealer,
      tokenEndpoint: { request: (request) => this.#request(environment, request) },
      queue: this.#queueOf(environment),
      breakers: this.breakersOf(environment),
      announcer: this.announcerOf(environment),
    };
    return this.#variant.tendWorld?.(world, this) ?? world;
  }

  async #request(environment: Environment, request: Parameters<Provider['call']>[1]): Promise<Exchange> {
    const call: Call = {
      sentAt: this.time.now(),
      environment: environment.id,
      refreshToken: request.refreshToken?.reveal() ?? '',
      ...sentSecretOf(request.credentials),
    };
    environment.onKill(() => {
      call.endedAt ??= this.time.now();
    });
    return environment.outside('provider.request', async () => {
      (call as { sentAt: number }).sentAt = this.time.now();
      this.provider.ledger.push(call);
      this.watcher.onCall?.(call);
      this.note('request', `${environment.id} ${call.refreshToken}`);
      const way = this.options.way?.(call) ?? { toMs: 20, fromMs: 20 };
      const over = new AbortController();
      const timedOut = environment
        .sleep(request.timeoutMs, over.signal)
        .then((): Exchange => ({ kind: 'lost', code: 'time_out' }));
      const reply = await Promise.race([this.provider.call(call, request, way), timedOut]);
      over.abort('over');
      call.endedAt = this.time.now();
      if (reply.kind === 'reply') call.status = reply.status;
      this.watcher.onReply?.(call);
      this.note(
        'reply',
        `${environment.id} ${call.result ?? '-'} ${reply.kind === 'reply' ? reply.status : reply.code}`,
      );
      return reply;
    });
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
    const line = (event: string, fields: Readonly<Record<string, unknown>>) => {
      this.note(event, `${environment.id} ${fields.class ?? ''} ${fields.cause ?? ''}`);
      this.watcher.onLog?.(event, fields);
    };
    return {
      info: line,
      warn: line,
      error: line,
      count: (metric, value) => this.counted.set(metric, (this.counted.get(metric) ?? 0) + value),
    };
  }
}
