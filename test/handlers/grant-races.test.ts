/**
 * PUTs and deletions of connections for one grant, interleaved step by step in every order that chance finds, some of
 * them killed.
 */
import { describe, expect, test } from 'vitest';
import { deleteConnection, finishDeletion } from '../../shared/application/delete-connection.ts';
import { putConnection } from '../../shared/application/put-connection.ts';
import type { ConnectionConfig } from '../../shared/domain/connection.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import type { GrantId } from '../../shared/domain/ids.ts';
import { limits } from '../../shared/domain/limits.ts';
import { Secret } from '../../shared/domain/secret.ts';
import { type EpochMs, plus } from '../../shared/domain/time.ts';
import { providersFrom } from '../../shared/providers/known-providers.ts';
import { memoryConnections } from '../memory/memory-connections.ts';
import { memoryGrantClaims } from '../memory/memory-grant-claims.ts';
import { undiscovered } from '../memory/undiscovered.ts';
import { Random } from '../sim/random.ts';

/** Never lets a process that it was asked to kill go on. */
class Steps {
  readonly #random: Random;
  #waiting: (() => void)[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  readonly next = (): Promise<void> => new Promise((resolve) => this.#waiting.push(resolve));

  /**
   * Lets one process after the other do a step, until all have ended; or kills those that are left with some
   * probability at each step.
   */
  async run(killing: boolean): Promise<void> {
    for (;;) {
      await new Promise(setImmediate);
      if (this.#waiting.length === 0) return;
      if (killing && this.#random.chance(0.05)) {
        this.#waiting = [];
        return;
      }
      const [resume] = this.#waiting.splice(this.#random.below(this.#waiting.length), 1);
      resume?.();
    }
  }
}

/** The methods of a port, each behind a step: whatever it asks for may come late, or never. */
function stepping<Port extends object>(port: Port, steps: Steps): Port {
  return new Proxy(port, {
    get: (target, name) => {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      return async (...given: unknown[]) => {
        await steps.next();
        return method.apply(target, given);
      };
    },
  });
}

function openWorld(random: Random) {
  let now = 1_800_000_000_000 as EpochMs;
  let ids = 0;
  const [store, claims] = [memoryConnections(), memoryGrantClaims()];
  const steps = new Steps(random);
  const silent = { info: () => undefined, warn: () => undefined, error: () => undefined, count: () => undefined };
  const nothing = async () => true;
  const world = {
    clock: { now: () => now, sleep: async () => undefined },
    chance: { next: () => 0, id: () => `id-${++ids}`, grantId: () => `grant-${++ids}` as GrantId },
    store: stepping(store, steps),
    claims: stepping(claims, steps),
    refreshTokens: {
      storeRefreshToken: nothing,
      read: async () => undefined,
      lookUp: async () => ({ kind: 'absent' as const }),
    },
    credentials: { store: async () => undefined, read: async () => undefined },
    refreshSealer: { ready: async () => undefined, seal: async () => '', open: async () => new Secret('') },
    revocation: { revoke: async () => ({ kind: 'not_written', code: 'no_revocation_endpoint' }) as const },
    secretRemoval: { remove: async () => true },
    announcer: { announce: async () => undefined },
    queue: { send: async () => undefined, sendAll: async () => undefined },
    telemetry: silent,
    ...undiscovered,
    // Another digest each time: each import begins a grant.
    providers: { of: (config: ConnectionConfig) => ({ ...known.of(config), importDigest: () => `id-${++ids}` }) },
  };
  const later = (ms: number): void => {
    now = plus(now, ms);
  };
  return { world, store, claims, steps, later };
}

type Opened = ReturnType<typeof openWorld>;

async function put(
  { world }: Opened,
  connection: ConnectionName,
  account: string | undefined,
  imported: boolean,
): Promise<void> {
  await putConnection(world, connection, {
    config: {
      provider: 'exact-online',
      settings: { country: 'nl' },
      clientId: 'app',
      renewal: 'always',
      ...(account !== undefined && { account }),
    },
    grant: 'refresh_token',
    needed: [],
    ...(imported && { refreshToken: new Secret('r') }),
  });
}

async function remove({ world }: Opened, connection: ConnectionName): Promise<void> {
  await deleteConnection(world, connection);
  await finishDeletion(world, connection, plus(world.clock.now(), limits.refreshTimeoutMs));
}

type Names = readonly [ConnectionName, ...ConnectionName[]];

function start(opened: Opened, random: Random, names: Names): void {
  const connection = random.pick(names);
  void (random.chance(0.15)
    ? remove(opened, connection)
    : put(opened, connection, random.pick([undefined, undefined, 'Ann']), random.chance(0.3)));
}

/** Connections that are there and would end each other's grants, and connections whose claim another could have. */
async function faults({ store, claims }: Opened): Promise<string[]> {
  const { items } = await store.list(100);
  const keyed = items.flatMap((item) => {
    const key = known.of(item.config).grantKey;
    // One that is being deleted serves nothing any more.
    return key === undefined || item.deletion !== undefined ? [] : [{ key, name: item.connection }];
  });
  const shared = keyed.filter(({ key, name }) => keyed.some((other) => other.key === key && other.name !== name));
  const unclaimed: string[] = [];
  for (const { key, name } of keyed)
    if ((await claims.read(key))?.holder !== name) unclaimed.push(`${name} has no claim`);
  return [...shared.map(({ key, name }) => `${name} shares ${key}`), ...unclaimed];
}

const known = providersFrom();
const [a, b, c] = ['a', 'b', 'c'] as [ConnectionName, ConnectionName, ConnectionName];

describe.each<readonly [what: string, names: Names, killing: boolean]>([
  ['three connections, whose PUTs are killed', [a, b, c], true],
  ['one connection that is put again and again, and another', [a, a, a, b], false],
])('%s', (_, names, killing) => {
  test('never have one grant, and each that is there holds its claim', async () => {
    let [there, without] = [0, 0];
    for (let seed = 1; seed <= 300; seed += 1) {
      const random = new Random(seed);
      const opened = openWorld(random);
      for (let round = 0; round < 4; round += 1) {
        for (let i = 0; i < 3; i += 1) start(opened, random, names);
        await opened.steps.run(killing && round < 3);
        expect(await faults(opened), `seed ${seed}, round ${round}`).toEqual([]);
        // No PUT outlives its function, and so no claim: what is left was killed.
        opened.later(random.chance(0.5) ? limits.tokenTimeoutMs : limits.claimMs);
      }
      const { items } = await opened.store.list(100);
      there += items.length;
      without += new Set(names).size - items.length;
    }
    // Something was put, and something was not.
    expect(there).toBeGreaterThan(100);
    expect(without).toBeGreaterThan(100);
  });
});
