/**
 * What the simulated world stores and remembers, and how an environment reaches it: every access takes time and can
 * fail.
 */

import type { Redemption as Told } from '../../shared/application/redeem.ts';
import type { RefreshWorld } from '../../shared/application/refresh-world.ts';
import type { Announcement } from '../../shared/domain/announcement.ts';
import type { Breaker } from '../../shared/domain/breaker.ts';
import type { Connection } from '../../shared/domain/connection.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import type { GrantId } from '../../shared/domain/ids.ts';
import type { EpochMs } from '../../shared/domain/time.ts';
import type { Received } from '../../shared/domain/token-set.ts';
import type { Write } from '../../shared/domain/writes.ts';
import type { Announcer } from '../../shared/ports/announcer.ts';
import type { BreakerStore } from '../../shared/ports/breakers.ts';
import type { Chance } from '../../shared/ports/clock.ts';
import type { ConnectionRemoval, ConnectionStore } from '../../shared/ports/connections.ts';
import type { GrantClaims } from '../../shared/ports/grant-claims.ts';
import type { LookUp } from '../../shared/ports/refresh-tokens.ts';
import { memoryBreakers } from '../memory/memory-breakers.ts';
import { memoryConnections } from '../memory/memory-connections.ts';
import { memoryGrantClaims } from '../memory/memory-grant-claims.ts';
import type { Redemption } from './authorization-server.ts';
import type { Environment } from './environment.ts';
import { type Accident, refusedNeighbours } from './faults.ts';
import type { Call } from './provider.ts';
import { Random } from './random.ts';
import { VirtualTime } from './time.ts';

/** What stands for the adapters of AWS, put in the place of the right ones. */
export interface Adapters {
  readonly store?: (given: ConnectionStore & ConnectionRemoval) => ConnectionStore & ConnectionRemoval;
  readonly breakers?: (given: BreakerStore) => BreakerStore;
  readonly claims?: (given: GrantClaims) => GrantClaims;
  readonly announcer?: (given: Announcer) => Announcer;
}

const same = <T>(given: T): T => given;
/** A write that the store recognises as one's own has changed nothing more. */
const isNews = (item: Connection, current: Connection | undefined): boolean => item !== current;
const busWith = (announcements: Announcement[]): Announcer => ({
  announce: async (announcement) => void announcements.push(announcement),
});
const memoryOf = ({ store = same, breakers = same, claims = same }: Adapters = {}) => ({
  store: store(memoryConnections()),
  breakers: breakers(memoryBreakers()),
  claims: claims(memoryGrantClaims()),
});

export interface StoreOptions {
  readonly adapters?: Adapters;
  readonly seed: number;
  /** The clock of several worlds that share one; by default one of its own. */
  readonly time?: VirtualTime;
  readonly staleSecretsMs?: number;
  /**
   * Two other connections of the same application get no answer whenever this one gets no answer: the application's
   * breaker opens at once.
   */
  readonly neighbours?: boolean;
  /** While it lasts, the provider refuses every grant of the application: three neighbours' as well. */
  readonly accident?: Accident;
}

/** One line of what happened, for the log that two runs of one seed must agree on. */
export type Happening = readonly [at: number, what: string, detail: string];

export const start = 1_800_000_000_000 as EpochMs;

/** What a checker sees of a world, from outside. */
export interface Watcher {
  /** A write was applied; by this environment, unless a person made it from outside. */
  readonly onWrite?: (name: string, item: Connection, environment?: number) => void;
  /** A request leaves. */
  readonly onCall?: (call: Call) => void;
  /** Its answer is there, or its caller gives up. */
  readonly onReply?: (call: Call) => void;
  /** A code leaves. */
  readonly onRedeem?: (redemption: Redemption) => void;
  /** The browser of the person who logged in is told how it went. */
  readonly onLogin?: (told: Told, environment: number, link: string) => void;
  /** DELETE was answered. */
  readonly onDeleted?: () => void;
  /** The item was removed. */
  readonly onRemove?: (item: Connection) => void;
  /** A function logs something of the connection. */
  readonly onLog?: (event: string, fields: Readonly<Record<string, unknown>>) => void;
  /** A function that was never frozen ran into its time limit. */
  readonly onHardStop?: (environment: Environment) => void;
}

/** The breaker, with the neighbours' grants in it that an accident at the provider refused, beside its own refusals. */
function withRefused(application: string, breaker: Breaker | undefined, { accident }: StoreOptions, now: EpochMs) {
  const neighbours = refusedNeighbours(accident, now);
  // A breaker that holds refusals back has counted them already.
  if (neighbours === undefined || breaker?.open?.reason === 'refused') return breaker;
  const { at, granted } = breaker?.refused ?? { at: {}, granted: 0 };
  return { application, version: 0, unanswered: {}, ...breaker, refused: { at: { ...at, ...neighbours }, granted } };
}

/** What `sealedRefreshToken` wrote, in the plain seal of the simulation. */
function sealedIn(sealed: string): string {
  const [, , text = ''] = JSON.parse(sealed) as string[];
  return (JSON.parse(text) as { readonly refresh_token: string }).refresh_token;
}

interface Pause {
  readonly from: number;
  readonly until: number;
}

/** The last pause of a connection, now that it is paused, or is not. */
function pauseAfter(last: Pause, paused: boolean, now: number): Pause {
  const on = last.until === Number.POSITIVE_INFINITY;
  if (paused === on) return last;
  return paused ? { from: now, until: Number.POSITIVE_INFINITY } : { ...last, until: now };
}

const claimsBehind = (environment: Environment, claims: GrantClaims): GrantClaims => ({
  read: (key) => environment.io('table.read_claim', 'table', () => claims.read(key)),
  claim: (key, claim, seen) => environment.io('table.claim', 'table', () => claims.claim(key, claim, seen)),
  giveBack: (key, claim) => environment.io('table.give_back', 'table', () => claims.giveBack(key, claim)),
});

export class Stores {
  readonly connection = 'exact-nl' as ConnectionName;
  readonly time: VirtualTime;
  readonly random: Random;
  readonly #options: StoreOptions;
  readonly store: ConnectionStore & ConnectionRemoval;
  readonly breakers: BreakerStore;
  readonly claims: GrantClaims;
  /** What subscribers were told, in order. */
  readonly announcements: Announcement[] = [];
  readonly secrets = new Map<string, Received>();
  readonly log: Happening[] = [];
  /** The item as the table has it; for the checkers, which look on from outside. */
  current: Connection | undefined;
  /** The last pause of the connection; it lasts for ever, while it is on. For the checkers as well. */
  pause: Pause = { from: Number.NEGATIVE_INFINITY, until: Number.NEGATIVE_INFINITY };
  /** Is told of what only the world sees. */
  watcher: Watcher = {};
  readonly #storedAt = new Map<string, number>();

  constructor(options: StoreOptions) {
    this.#options = options;
    this.time = options.time ?? new VirtualTime(start);
    this.random = new Random(options.seed);
    ({ store: this.store, breakers: this.breakers, claims: this.claims } = memoryOf(options.adapters));
  }

  written(name: string, item: Connection, environment?: number): void {
    this.current = item;
    this.pause = pauseAfter(this.pause, item.paused !== undefined, this.time.now());
    this.watcher.onWrite?.(name, item, environment);
  }

  /** The refresh token at a place, wherever that is. */
  refreshTokenAt(place: Connection['refreshToken']): string | undefined {
    if (place === undefined) return undefined;
    if (place.kind === 'sealed') return sealedIn(place.sealed);
    return this.secrets.get(this.secretOf(place.slot, place.versionId))?.refreshToken?.reveal();
  }

  /** Whether this refresh token is kept anywhere. */
  kept(refreshToken: string): boolean {
    if (this.refreshTokenAt(this.current?.refreshToken) === refreshToken) return true;
    return [...this.secrets.values()].some((tokens) => tokens.refreshToken?.reveal() === refreshToken);
  }

  /** Whether this refresh token has been readable in a secret for `ms` at least. */
  readableFor(refreshToken: string, ms: number): boolean {
    const stale = this.#options.staleSecretsMs ?? 0;
    return [...this.secrets].some(
      ([name, tokens]) =>
        tokens.refreshToken?.reveal() === refreshToken &&
        this.time.now() - (this.#storedAt.get(name) ?? 0) >= stale + ms,
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

  /** A write from outside, without an environment and without faults. */
  async apply(write: Write) {
    const result = await this.store.apply(this.connection, write);
    if (result.applied) this.written(write.name, result.item);
    return result;
  }

  tableOf(environment: Environment): ConnectionStore & ConnectionRemoval {
    const { store } = this;
    return {
      read: (connection) => environment.io('table.read', 'table', () => store.read(connection)),
      create: (item) =>
        environment.io('table.create', 'table', async () => {
          const there = await store.read(item.connection);
          const created = await store.create(item);
          if (created && there === undefined) {
            this.note('create', `${environment.id} ${item.state}`);
            this.written('create', item, environment.id);
          }
          return created;
        }),
      remove: (connection, when) =>
        environment.io('table.remove', 'table', async () => {
          const gone = await store.remove(connection, when);
          const { current } = this;
          if (!gone || current === undefined) return gone;
          this.note('removed', String(environment.id));
          this.current = undefined;
          this.pause = pauseAfter(this.pause, false, this.time.now());
          this.watcher.onRemove?.(current);
          return gone;
        }),
      apply: (connection, write) =>
        environment.io(`table.${write.name}`, 'table', async () => {
          const result = await store.apply(connection, write);
          if (result.applied && isNews(result.item, this.current)) {
            this.note(write.name, `${environment.id} generation ${result.item.generation} fence ${result.item.fence}`);
            this.written(write.name, result.item, environment.id);
          }
          return result;
        }),
      // The one connection is in one shard; asking the other shards would only take time.
      listDue: (shard, until, limit) =>
        shard === (this.current?.dueShard ?? '0')
          ? environment.io('table.list_due', 'table', () => store.listDue(shard, until, limit))
          : Promise.resolve([]),
    };
  }

  breakersOf(environment: Environment): BreakerStore {
    const lonely = { 'neighbour-1': this.time.now(), 'neighbour-2': this.time.now() };
    return {
      read: (application) =>
        environment.io('table.read_breaker', 'table', async () => {
          const breaker = withRefused(
            application,
            await this.breakers.read(application),
            this.#options,
            this.time.now(),
          );
          if (!this.#options.neighbours || breaker?.open !== undefined) return breaker;
          return { application, version: 0, ...breaker, unanswered: { ...breaker?.unanswered, ...lonely } };
        }),
      replace: (breaker) =>
        environment.io('table.replace_breaker', 'table', async () => {
          const replaced = await this.breakers.replace(breaker);
          const state = breaker.open === undefined ? 'closed' : breaker.open.probing ? 'half-open' : 'open';
          if (replaced) this.note('breaker', `${environment.id} ${state}`);
          return replaced;
        }),
    };
  }

  announcerOf(environment: Environment): Announcer {
    const bus = (this.#options.adapters?.announcer ?? same)(busWith(this.announcements));
    return {
      announce: (announcement) =>
        environment.io('events.announce', 'events', async () => {
          await bus.announce(announcement);
          this.note('announced', `${environment.id} ${announcement.change}`);
        }),
    };
  }

  chance(): Chance {
    return { next: () => this.random.next(), grantId: () => this.grantId() as GrantId, id: () => this.random.hex(16) };
  }

  grantId(): string {
    return `${this.random.hex(8)}-${this.random.hex(4)}-${this.random.hex(4)}-${this.random.hex(4)}`;
  }

  /** Secrets Manager promises no read after write: a version may be seen late. */
  #visible(slot: number, versionId: string): Received | undefined {
    const name = this.secretOf(slot, versionId);
    const storedAt = this.#storedAt.get(name) ?? Number.NEGATIVE_INFINITY;
    return this.time.now() - storedAt < (this.#options.staleSecretsMs ?? 0) ? undefined : this.secrets.get(name);
  }

  /** A version is written once; false if it is there with another refresh token. */
  storeSecret(slot: number, versionId: string, tokens: Received): boolean {
    const name = this.secretOf(slot, versionId);
    const there = this.secrets.get(name);
    if (there !== undefined) return there.refreshToken?.reveal() === tokens.refreshToken?.reveal();
    this.secrets.set(name, tokens);
    this.#storedAt.set(name, this.time.now());
    return true;
  }

  claimsOf(environment: Environment): GrantClaims {
    return claimsBehind(environment, this.claims);
  }

  secretOf(slot: number, versionId: string): string {
    return `${slot}/${versionId}`;
  }

  refreshTokensOf(environment: Environment): RefreshWorld['refreshTokens'] {
    return {
      read: (_, slot, versionId) =>
        environment.io('secrets.read', 'secrets', () => this.#visible(slot, versionId)?.refreshToken),
      lookUp: async (_, slot, versionId): Promise<LookUp> => {
        try {
          const tokens = await environment.io('secrets.look_up', 'secrets', () => this.#visible(slot, versionId));
          return tokens === undefined ? { kind: 'absent' } : { kind: 'found', tokens };
        } catch {
          return { kind: 'unreadable' };
        }
      },
      persist: (_, slot, versionId, tokens) =>
        environment.io('secrets.persist', 'secrets', () => this.storeSecret(slot, versionId, tokens)),
    };
  }
}
