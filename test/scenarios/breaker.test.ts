/**
 * Many connections of one application whose provider goes away: how many calls it sees until it is back, and how soon
 * all are renewed.
 */

import { describe, expect, test } from 'vitest';
import type { RefreshWorld } from '../../shared/application/refresh-world.ts';
import { runRefresh } from '../../shared/application/run-refresh.ts';
import type { Announcement } from '../../shared/domain/announcement.ts';
import { clientSecretNames } from '../../shared/domain/client-secrets.ts';
import type { Connection } from '../../shared/domain/connection.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import type { Exchange } from '../../shared/domain/exchange.ts';
import { create } from '../../shared/domain/grant-writes.ts';
import type { GrantId } from '../../shared/domain/ids.ts';
import { Secret } from '../../shared/domain/secret.ts';
import { type EpochMs, plus } from '../../shared/domain/time.ts';
import { Unavailable } from '../../shared/ports/errors.ts';
import { providersFrom } from '../../shared/providers/known-providers.ts';
import { memoryBreakers } from '../memory/memory-breakers.ts';
import { memoryConnections } from '../memory/memory-connections.ts';
import { inSecret } from '../plain.ts';
import { kinds, withTwoSecrets } from '../sim/natures.ts';
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
  readonly announced: Announcement[] = [];
  /** What the provider answers instead of a token set; undefined for a token set. */
  refusal: (connection: ConnectionName, secret: string | undefined) => Exchange | undefined = () => undefined;
  /** Connections have two client secrets, `first` and `second`. */
  twoSecrets = false;
  /** Who gets no answer now. */
  silent: (connection: ConnectionName) => boolean = () => false;
  /** How long a call takes. */
  callMs = 200;
  /** Connections are renewed whether or not clients ask. */
  always = false;
  /** Every first reply to the write of a probe is lost. */
  losesProbes = false;
  readonly #breakers = memoryBreakers();
  readonly #lost = new Set<object>();
  readonly #random = new Random(1);

  constructor(size: number) {
    this.names = Array.from({ length: size }, (_, n) => `connection-${n}` as ConnectionName);
  }

  async connect(): Promise<void> {
    for (const name of this.names) {
      await this.store.create(
        create(name, this.twoSecrets ? withTwoSecrets(config) : config, '0', start, 'active', {
          id: `0000000${name.length}-0000-4000-8000` as GrantId,
          place: inSecret(0, 'v'),
        }),
      );
      this.#deliver(name, this.#random.below(1_000));
    }
  }

  pass(ms: number): Promise<void> {
    return this.time.runUntil(plus(this.time.now(), ms));
  }

  /** The planner, from now on, every minute. */
  planEachMinute(): void {
    const look = async () => {
      for (const { connection, dueAt } of await this.store.listDue('0', plus(this.time.now(), 90_000), 1_000))
        this.#deliver(connection, Math.max(dueAt - this.time.now(), 0));
      this.time.at(this.time.now() + 60_000, () => void look());
    };
    void look();
  }

  async items(): Promise<Connection[]> {
    const items = await Promise.all(this.names.map((name) => this.store.read(name)));
    return items.filter((item) => item !== undefined);
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

  async #request(connection: ConnectionName, secret: string | undefined): Promise<Exchange> {
    const answered = !this.silent(connection);
    this.calls.push({ at: this.time.now() - start, connection, answered });
    await this.time.sleep(this.callMs);
    if (!answered) return reply(503, {});
    const refusal = this.refusal(connection, secret);
    if (refusal !== undefined) return refusal;
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
      chance: { next: () => this.#random.next(), grantId: () => '' as GrantId, id: () => this.#random.hex(16) },
      store: this.store,
      refreshTokens: {
        read: async () => new Secret('r'),
        lookUp: async () => ({ kind: 'absent' }),
        persist: async () => true,
      },
      credentials: {
        read: async () => ({
          [clientSecretNames.first]: new Secret('first'),
          [clientSecretNames.second]: new Secret('second'),
        }),
        store: async () => {},
      },
      accessSealer: sealer,
      refreshSealer: sealer,
      tokenEndpoint: {
        request: ({ credentials }) => this.#request(connection, credentials[clientSecretNames.first]?.reveal()),
      },
      queue: {
        send: async (connection, delayMs) => this.#deliver(connection, Math.ceil(delayMs / 1_000) * 1_000),
        sendAll: async () => {},
      },
      breakers: {
        read: (application) => this.#breakers.read(application),
        replace: async (breaker) => {
          const replaced = await this.#breakers.replace(breaker);
          if (!this.losesProbes || !breaker.open?.probing || this.#lost.has(breaker)) return replaced;
          this.#lost.add(breaker);
          throw new Unavailable('table');
        },
      },
      announcer: { announce: async (announcement) => void this.announced.push(announcement) },
      telemetry: { info: tell, warn: tell, error: tell, count: () => {} },
      providers: {
        of: (settings) => {
          const provider = known.of(settings);
          return {
            ...provider,
            rules: provider.rules && {
              ...provider.rules,
              profile: () => (this.always ? { ...profile, renewal: 'always' } : profile),
            },
          };
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

test('a probe whose reply is lost is made all the same: the way is not shut for the time of a call', async () => {
  const herd = new Herd(20);
  herd.losesProbes = true;
  herd.silent = () => true;
  await herd.connect();
  await herd.pass(60_000);
  herd.silent = () => false;
  await herd.pass(90_000);
  expect(await herd.renewed()).toBe(20);
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

describe('fifty living grants of one application, and the provider refuses them all within minutes', () => {
  const refusals = {
    'a secret rotated at the wrong place': reply(401, { error: 'invalid_client' }),
    'an incident of the provider': reply(400, { error: 'invalid_grant' }),
  };
  const living = async (): Promise<Herd> => {
    const herd = new Herd(50);
    herd.always = true;
    await herd.connect();
    herd.planEachMinute();
    await herd.pass(60_000);
    expect(await herd.renewed()).toBe(50);
    herd.calls.length = 0;
    herd.announced.length = 0;
    return herd;
  };
  const changes = (herd: Herd, change: Announcement['change']) =>
    herd.announced.filter((told) => told.change === change);
  /** All are renewed within half a minute of each other, from 3,570 s on. */
  const untilRefused = (herd: Herd) => herd.pass(3_570_000);

  test('the first of two client secrets, but not the second: all are renewed, one error each, and nothing is withheld', async () => {
    const herd = new Herd(50);
    Object.assign(herd, { always: true, twoSecrets: true });
    await herd.connect();
    herd.planEachMinute();
    await herd.pass(60_000);
    herd.calls.length = 0;
    herd.refusal = (_, secret) => (secret === 'first' ? reply(401, { error: 'invalid_client' }) : undefined);
    await herd.pass(3_600_000 * 2);
    const items = await herd.items();
    expect(items.filter(({ state, generation }) => state === 'active' && generation > 2)).toHaveLength(50);
    expect(herd.told.get('client_secret_refused')).toBe(50);
    expect(['refusals_withheld', 'misconfigured', 'refresh_failed'].filter((event) => herd.told.has(event))).toEqual(
      [],
    );
  });

  test.each(Object.entries(refusals))('%s, over within three minutes: all go on by themselves', async (_, refusal) => {
    const herd = await living();
    herd.refusal = () => refusal;
    await untilRefused(herd);
    const verdicts = (await herd.items()).filter(({ state }) => state !== 'active');
    expect(verdicts).toHaveLength(3);
    expect(changes(herd, 'refusals_withheld')).toHaveLength(1);
    expect(changes(herd, 'refusals_withheld')[0]?.connections?.length).toBeGreaterThanOrEqual(4);
    const calls = herd.calls.length;
    expect(calls).toBeLessThanOrEqual(50);

    herd.refusal = () => undefined;
    await herd.pass(330_000);
    const items = await herd.items();
    expect(items.filter(({ generation }) => generation === 2)).toHaveLength(47);
    expect(items.filter(({ state }) => state !== 'active')).toEqual(
      verdicts.map(({ connection }) => expect.objectContaining({ connection })),
    );
    expect(items.every((item) => item.state !== 'active' || item.withheld === undefined)).toBe(true);
    expect(herd.told.get('refusals_settled')).toBe(1);
  });

  test.each(Object.entries(refusals))(
    '%s that lasts: one probe, then the verdicts fall without further calls',
    async (_, refusal) => {
      const herd = await living();
      herd.refusal = () => refusal;
      await untilRefused(herd);
      const calls = herd.calls.length;
      await herd.pass(600_000);
      expect(herd.calls).toHaveLength(calls + 1);
      expect((await herd.items()).filter(({ state }) => state === 'active')).toEqual([]);
      expect(changes(herd, 'refusals_withheld')).toHaveLength(1);
    },
  );

  test('one grant that is refused while all the rest are renewed gets its verdict at once', async () => {
    const herd = await living();
    const [revoked] = herd.names;
    herd.refusal = (connection) => (connection === revoked ? reply(400, { error: 'invalid_grant' }) : undefined);
    await untilRefused(herd);
    const refused = (await herd.items()).filter(({ state }) => state !== 'active');
    expect(refused).toMatchObject([{ connection: revoked, state: 'reauthorization_required', cause: 'invalid_grant' }]);
  });
});
