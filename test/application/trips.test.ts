/**
 * How many calls follow one another in each operation, and which: every port takes a second, so that what is asked for
 * side by side begins in the same one.
 */
import { describe, expect, test } from 'vitest';
import { getToken } from '../../shared/application/get-token.ts';
import { putConnection } from '../../shared/application/put-connection.ts';
import { runRefresh } from '../../shared/application/run-refresh.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import type { GrantId } from '../../shared/domain/ids.ts';
import { limits } from '../../shared/domain/limits.ts';
import { Secret } from '../../shared/domain/secret.ts';
import { type EpochMs, plus } from '../../shared/domain/time.ts';
import type { Write } from '../../shared/domain/writes.ts';
import type { ConnectionRequest } from '../../shared/ports/connection-requests.ts';
import { providersFrom } from '../../shared/providers/known-providers.ts';
import { memoryBreakers } from '../memory/memory-breakers.ts';
import { memoryConnections } from '../memory/memory-connections.ts';
import { memoryGrantClaims } from '../memory/memory-grant-claims.ts';
import { undiscovered } from '../memory/undiscovered.ts';
import { reply } from '../sim/provider.ts';
import { VirtualTime } from '../sim/time.ts';

const start = 1_800_000_000_000 as EpochMs;
const callMs = 100;
const connection = 'exact-nl' as ConnectionName;

const request = (more: Partial<ConnectionRequest> = {}): ConnectionRequest => ({
  config: {
    provider: 'generic-oauth2',
    settings: { token_endpoint: 'https://login.example/token' },
    clientId: 'app',
    renewal: 'always',
  },
  grant: 'refresh_token',
  needed: [{ name: 'client_secret', path: 'client.client_secret' }],
  ...more,
});
const secrets = { credentials: { client_secret: new Secret('c') }, refreshToken: new Secret('r') };

/** Notes every call by how many calls it came after, and lets it take its time. */
class Recorder {
  readonly time = new VirtualTime(start);
  #begun = start;
  #calls: string[][] = [];

  /** The port, whose methods are noted by its name. */
  timed<Port extends object>(port: string, methods: Port): Port {
    const slow =
      (method: string, act: (...given: unknown[]) => unknown) =>
      async (...given: unknown[]) => {
        const trip = Math.round((this.time.now() - this.#begun) / callMs);
        const what = (given[1] as Write | undefined)?.name ?? method;
        this.#calls[trip] = [...(this.#calls[trip] ?? []), `${port}.${what}`];
        await this.time.sleep(callMs);
        return act(...given);
      };
    return Object.fromEntries(Object.entries(methods).map(([method, act]) => [method, slow(method, act)])) as Port;
  }

  /** The calls of an operation, a list for each time that it waits. */
  async trips(operation: () => Promise<unknown>): Promise<readonly (readonly string[])[]> {
    this.#begun = this.time.now();
    this.#calls = [];
    await this.time.runUntilSettled(operation());
    return this.#calls;
  }
}

const sealer = {
  ready: async () => undefined,
  warm: async () => undefined,
  seal: async (text: Secret) => text.reveal(),
  open: async (text: string) => new Secret(text),
};
const tokens = { access_token: 'a', refresh_token: 'r', token_type: 'Bearer', expires_in: 600 };

function open() {
  const recorder = new Recorder();
  const { time } = recorder;
  let ids = 0;
  const world = {
    clock: { now: () => time.now(), sleep: (ms: number, signal?: AbortSignal) => time.sleep(ms, signal) },
    chance: { next: () => 0, id: () => `id-${++ids}`, grantId: () => `0000000${++ids}-0000-4000-8000` as GrantId },
    store: recorder.timed('table', memoryConnections()),
    refreshTokens: recorder.timed('refresh-token', {
      read: async () => new Secret('r'),
      lookUp: async () => ({ kind: 'absent' as const }),
      persist: async () => true,
      storeRefreshToken: async () => true,
    }),
    credentials: recorder.timed('client', { read: async () => secrets.credentials, store: async () => undefined }),
    sealer: { ...sealer, ...recorder.timed('access-key', { warm: sealer.warm }) },
    accessSealer: { ...sealer, ...recorder.timed('access-key', { ready: sealer.ready }) },
    refreshSealer: { ...sealer, ...recorder.timed('refresh-key', { ready: sealer.ready }) },
    tokenEndpoint: recorder.timed('provider', { request: async () => reply(200, tokens) }),
    queue: recorder.timed('queue', { send: async () => undefined, sendAll: async () => undefined }),
    breakers: recorder.timed('breaker', memoryBreakers()),
    announcer: recorder.timed('events', { announce: async () => undefined }),
    claims: recorder.timed('claim', memoryGrantClaims()),
    telemetry: { info: () => undefined, warn: () => undefined, error: () => undefined, count: () => undefined },
    ...undiscovered,
    providers: providersFrom(),
    memory: new Map(),
  };
  return {
    put: (more?: Partial<ConnectionRequest>) => recorder.trips(() => putConnection(world, connection, request(more))),
    renew: () => recorder.trips(() => runRefresh(world, connection, plus(time.now(), limits.refreshTimeoutMs))),
    get: () => recorder.trips(() => getToken(world, connection, undefined, 0)),
    later: (ms: number) => time.runUntil(plus(time.now(), ms)),
  };
}

const renewal = [
  ['table.read'],
  ['table.acquire'],
  ['client.read', 'refresh-token.read', 'breaker.read', 'access-key.ready', 'refresh-key.ready'],
  ['provider.request'],
  ['refresh-token.persist'],
  ['table.commit_success'],
];

describe('a PUT', () => {
  test('of a new connection writes both secrets at once, before the item', async () => {
    expect(await open().put(secrets)).toEqual([
      ['table.read'],
      ['client.store', 'refresh-token.storeRefreshToken'],
      ['table.create'],
      ['queue.send'],
    ]);
  });

  test('that brings nothing new and no secret writes nothing and wakes no refresher', async () => {
    const world = open();
    await world.put(secrets);
    expect(await world.put()).toEqual([['table.read']]);
    expect(await world.put({ config: { ...request().config, renewal: 'while_used' } })).toEqual([
      ['table.read'],
      ['table.replace_config'],
      ['queue.send'],
    ]);
  });

  test('of secrets stores them, since the function that puts cannot read what is there', async () => {
    const world = open();
    await world.put(secrets);
    expect(await world.put(secrets)).toEqual([
      ['table.read'],
      ['client.store'],
      ['table.replace_config'],
      ['queue.send'],
    ]);
  });
});

describe('a renewal', () => {
  // The look at the lease's end is promised beside it.
  const withLook = renewal.map((trip, i) => (i === 2 ? ['queue.send', ...trip] : trip));

  test('waits five times beside the call: it reads all that it needs at once', async () => {
    const world = open();
    await world.put(secrets);
    await world.renew();
    await world.later(590_000);
    expect(await world.renew()).toEqual(withLook);
  });

  test('brings the first token before subscribers are told', async () => {
    const world = open();
    await world.put(secrets);
    expect(await world.renew()).toEqual([...withLook, ['events.announce'], ['table.announced']]);
  });
});

describe('a GET', () => {
  test('waits once, for the item and, in a cold environment, beside it for the key; then for nothing', async () => {
    const world = open();
    await world.put(secrets);
    await world.renew();
    expect(await world.get()).toEqual([['table.read', 'access-key.warm'], ['table.touch']]);
    expect(await world.get()).toEqual([['table.read', 'access-key.warm']]);
    expect(await world.get()).toEqual([]);
    await world.later(limits.memoryMs);
    expect(await world.get()).toEqual([['table.read', 'access-key.warm']]);
  });
});
