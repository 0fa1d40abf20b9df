/** Many connections of one application whose provider goes away: how many calls it sees until it is back, and how soon all are renewed. */
import { describe, expect, test } from 'vitest';
import type { RefreshWorld } from '../../shared/application/refresh-world.ts';
import { runRefresh } from '../../shared/application/run-refresh.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import type { Exchange } from '../../shared/domain/exchange.ts';
import { create } from '../../shared/domain/grant-writes.ts';
import { Secret } from '../../shared/domain/secret.ts';
import { type EpochMs, plus } from '../../shared/domain/time.ts';
import { providersFrom } from '../../shared/providers/known-providers.ts';
import { memoryBreakers } from '../memory/memory-breakers.ts';
import { memoryConnections } from '../memory/memory-connections.ts';
import { kinds } from '../sim/natures.ts';
import { reply } from '../sim/provider.ts';
import { Random } from '../sim/random.ts';
import { VirtualTime } from '../sim/time.ts';

const start = 1_800_000_000_000 as EpochMs;
const { profile, config } = kinds.reusable;
const known = providersFrom();

class Herd {
  readonly time = new VirtualTime(start);
  readonly store = memoryConnections();
  readonly names: readonly ConnectionName[];
  /** When the provider was called, by whom, and whether it answered. */
  readonly calls: { readonly at: number; readonly connection: ConnectionName; readonly answered: boolean }[] = [];
  readonly told = new Map<string, number>();
  /** Who gets no answer now. */
  silent: (connection: ConnectionName) => boolean = () => false;
  /** How long a call takes. */
  callMs = 200;
  readonly #breakers = memoryBreakers();
  readonly #random = new Random(1);

  constructor(size: number) {
    this.names = Array.from({ length: size }, (_, n) => `connection-${n}` as ConnectionName);
  }

  async connect(): Promise<void> {
    for (const name of this.names) {
      await this.store.create(
        create(name, config, '0', start, 'active', {
          grantId: `0000000${name.length}-0000-4000-8000`,
          place: { slot: 0, versionId: 'v' },
        }),
      );
      this.#deliver(name, this.#random.below(1_000));
    }
  }

  pass(ms: number): Promise<void> {
    return this.time.runUntil(plus(this.time.now(), ms));
  }

  async renewed(): Promise<number> {
    const items = await Promise.all(this.names.map((name) => this.store.read(name)));
    return items.filter((item) => item?.generation === 1).length;
  }

  #deliver(connection: ConnectionName, delayMs: number): void {
    this.time.at(
      this.time.now() + delayMs,
      () => void runRefresh(this.#world(connection), connection, plus(this.time.now(), 80_000)),
    );
  }

  async #request(connection: ConnectionName): Promise<Exchange> {
    const answered = !this.silent(connection);
    this.calls.push({ at: this.time.now() - start, connection, answered });
    await this.time.sleep(this.callMs);
    if (!answered) return reply(503, {});
    return reply(200, { access_token: 'a', expires_in: 3_600 });
  }

  #world(connection: ConnectionName): RefreshWorld {
    const { time } = this;
    const tell = (event: string) => this.told.set(event, (this.told.get(event) ?? 0) + 1);
    const sealer: RefreshWorld['accessSealer'] = {
      ready: async () => {},
      seal: async (text) => text.reveal(),
      open: async (text) => new Secret(text),
    };
    return {
      clock: { now: () => time.now(), sleep: (ms, signal) => time.sleep(ms, signal) },
      chance: { next: () => this.#random.next(), grantId: () => '', id: () => this.#random.hex(16) },
      store: this.store,
      refreshTokens: {
        read: async () => new Secret('r'),
        lookUp: async () => ({ kind: 'absent' }),
        persist: async () => true,
      },
      credentials: { read: async () => undefined, store: async () => {} },
      accessSealer: sealer,
      refreshSealer: sealer,
      tokenEndpoint: { request: () => this.#request(connection) },
      queue: {
        send: async (connection, delayMs) => this.#deliver(connection, Math.ceil(delayMs / 1_000) * 1_000),
        sendAll: async () => {},
      },
      breakers: this.#breakers,
      announcer: { announce: async () => {} },
      telemetry: { info: tell, warn: tell, error: tell, count: () => {} },
      providers: {
        of: (settings) => {
          const provider = known.of(settings);
          return { ...provider, rules: provider.rules && { ...provider.rules, profile: () => profile } };
        },
      },
    };
  }
}

describe('two hundred connections, and the provider is down for ten minutes', () => {
  test('it sees those calls that had begun, and then one probe at a time, however many wait; all are renewed within a minute and a half of its return', async () => {
    const herd = new Herd(200);
    herd.silent = () => true;
    await herd.connect();
    await herd.pass(10_000);
    const begun = herd.calls.length;
    await herd.pass(590_000);
    const probes = herd.calls.slice(begun);
    // At most one a minute once the waits have grown, and the few before that.
    expect(probes.length).toBeLessThanOrEqual(14);
    expect(probes.length).toBeGreaterThanOrEqual(5);
    for (const [i, { at }] of probes.slice(1).entries()) expect(at - (probes[i]?.at ?? 0)).toBeGreaterThan(herd.callMs);
    expect(await herd.renewed()).toBe(0);

    herd.silent = () => false;
    await herd.pass(90_000);
    expect(await herd.renewed()).toBe(200);
    expect(herd.calls.filter(({ answered }) => answered)).toHaveLength(200);
    expect(herd.told.get('provider_answers')).toBe(1);
  });
});

describe('a few connections get no answer, and all others do', () => {
  test('nobody who is answered ever waits for them longer than the longest wait between probes and a turn', async () => {
    const herd = new Herd(30);
    const sick = new Set(herd.names.slice(0, 4));
    herd.silent = (connection) => sick.has(connection);
    await herd.connect();
    await herd.pass(150_000);
    expect(await herd.renewed()).toBe(26);
  });
});
