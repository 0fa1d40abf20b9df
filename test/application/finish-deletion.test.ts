/** A deletion that is cut short, or that a store fails, at each of its steps, before and after it took effect. */

import { expect, test } from 'vitest';
import { credentials, refreshTokens, secretRemoval } from '../../shared/adapters/secrets/connection-secrets.ts';
import {
  deleteConnection,
  type FinishDeletionWorld,
  finishDeletion,
} from '../../shared/application/delete-connection.ts';
import { putConnection } from '../../shared/application/put-connection.ts';
import type { Announcement } from '../../shared/domain/announcement.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import type { GrantId } from '../../shared/domain/ids.ts';
import { limits } from '../../shared/domain/limits.ts';
import { Secret } from '../../shared/domain/secret.ts';
import { type EpochMs, plus } from '../../shared/domain/time.ts';
import { Unavailable } from '../../shared/ports/errors.ts';
import type { Revocation } from '../../shared/ports/revocation.ts';
import { providersFrom } from '../../shared/providers/known-providers.ts';
import { memoryConnections } from '../memory/memory-connections.ts';
import { memoryGrantClaims } from '../memory/memory-grant-claims.ts';
import { memoryVersions } from '../memory/memory-secrets.ts';
import { undiscovered } from '../memory/undiscovered.ts';

const name = 'a' as ConnectionName;

/** What a test does to a call of a port: before it takes effect, or after. */
type Strike = (call: { readonly step: string; readonly when: 'before' | 'after' }) => Promise<void> | void;
class Killed extends Error {}

function openWorld() {
  let now = 1_800_000_000_000 as EpochMs;
  let ids = 0;
  let strike: Strike = () => undefined;
  const ports = { store: memoryConnections(), claims: memoryGrantClaims(), versions: memoryVersions() };
  const revoked: string[] = [];
  const logged: Record<string, unknown>[] = [];
  const removals: string[] = [];
  const revocation: Revocation = {
    revoke: async (_config, refreshToken) => {
      revoked.push(refreshToken.reveal());
      return { kind: 'reply', status: 200, headers: {}, body: '' };
    },
  };
  const removal = {
    remove: (secret: string) => {
      removals.push(secret);
      return ports.versions.remove(secret);
    },
  };
  /** The same port, struck at each call. */
  const struck = <Port extends object>(what: string, port: Port, by: Strike): Port =>
    new Proxy(port, {
      get: (target, method) => {
        const call: unknown = Reflect.get(target, method);
        if (typeof call !== 'function') return call;
        return async (...given: unknown[]) => {
          const step = `${what}.${String(method)}`;
          await by({ step, when: 'before' });
          const result: unknown = await call.apply(target, given);
          await by({ step, when: 'after' });
          return result;
        };
      },
    });
  const log = (level: string) => (event: string, fields: object) => void logged.push({ level, event, ...fields });
  const telemetry = { info: log('info'), warn: log('warn'), error: log('error'), count: () => undefined };
  const announced: Announcement[] = [];
  const common = {
    clock: { now: () => now, sleep: async () => undefined },
    chance: { next: () => 0, id: () => `id-${++ids}`, grantId: () => `0000000${++ids}-0000-4000-8000` as GrantId },
    queue: { send: async () => undefined, sendAll: async () => undefined },
    telemetry,
    announcer: { announce: async (told: Announcement) => void announced.push(told) },
    providers: providersFrom(),
  };
  const forgetting = (by: Strike): FinishDeletionWorld => {
    const versions = struck('secrets', ports.versions, by);
    return {
      ...common,
      store: struck('table', ports.store, by),
      claims: struck('claims', ports.claims, by),
      refreshTokens: refreshTokens(versions),
      credentials: credentials(versions),
      refreshSealer: { ready: async () => undefined, seal: async () => '', open: async () => new Secret('') },
      revocation: struck('provider', revocation, by),
      secretRemoval: secretRemoval({ ...ports.versions, remove: struck('secrets', removal, by).remove }),
    };
  };
  return {
    ...ports,
    revoked,
    logged,
    announced,
    removals,
    later: (ms: number) => {
      now = plus(now, ms);
    },
    strikeWith: (by: Strike) => {
      strike = by;
    },
    finishDeletion: () => finishDeletion(forgetting(strike), name, plus(now, limits.refreshTimeoutMs)),
    delete: () => deleteConnection({ ...common, store: ports.store }, name),
    put: (refreshToken: string) =>
      putConnection(
        {
          ...common,
          ...ports,
          ...undiscovered,
          refreshTokens: refreshTokens(ports.versions),
          credentials: credentials(ports.versions),
        },
        name,
        {
          config: { provider: 'exact-online', settings: { country: 'nl' }, clientId: 'app', renewal: 'while_used' },
          grant: 'refresh_token',
          needed: [{ name: 'client_secret', path: 'client.client_secret' }],
          credentials: { client_secret: new Secret('the secret') },
          refreshToken: new Secret(refreshToken),
        },
      ),
    /** What the connection that is there needs, as it is found by it. */
    async readable() {
      const item = await ports.store.read(name);
      const [secrets, place] = [item?.config.credentials, item?.refreshToken];
      const { destinations = {} } = item === undefined ? {} : common.providers.of(item.config);
      return {
        client:
          secrets && (await credentials(ports.versions).read(name, secrets.versionId, destinations)) !== undefined,
        refreshToken:
          place?.kind === 'secret'
            ? (await refreshTokens(ports.versions).read(name, place.slot, place.versionId, destinations))?.reveal()
            : undefined,
      };
    },
    deletions: () => logged.filter(({ event }) => event === 'connection_deleted'),
  };
}

async function beingDeleted() {
  const world = openWorld();
  expect(await world.put('first')).toMatchObject({ kind: 'created' });
  expect(await world.delete()).toMatchObject({ kind: 'deleting' });
  return world;
}

/** Every call that a deletion makes to the world, in order. */
async function steps(): Promise<string[]> {
  const world = await beingDeleted();
  const made: string[] = [];
  world.strikeWith(({ step, when }) => void (when === 'before' && made.push(step)));
  await world.finishDeletion();
  expect(world.deletions()).toHaveLength(1);
  return made;
}

const all = await steps();
const moments = all.flatMap((step, index) => (['before', 'after'] as const).map((when) => ({ step, index, when })));

/** Strikes the deletion's nth call. */
const at = (
  { index, when }: { index: number; when: 'before' | 'after' },
  act: (step: string) => Promise<void> | void,
): Strike => {
  const made = { before: 0, after: 0 };
  return (call) => {
    const mine = made[call.when] === index && call.when === when;
    made[call.when] += 1;
    return mine ? act(call.step) : undefined;
  };
};

/** By then it is written down that the grant was ended. */
const noted = all.indexOf('provider.revoke') + 1;

test('a deletion goes its way once', async () => {
  expect(all.filter((step) => !step.startsWith('secrets.remove'))).toEqual([
    'table.apply',
    'secrets.read',
    'secrets.read',
    'provider.revoke',
    'table.apply',
    'claims.read',
    'table.remove',
    'claims.giveBack',
  ]);
});

test('only the secrets that there may be are deleted', async () => {
  const world = await beingDeleted();
  await world.finishDeletion();
  expect(world.removals.sort()).toEqual([`${name}/client`, `${name}/refresh-0`]);
});

test.each(moments)(
  'killed $when $step ($index), it is done by the next one, and its grant is ended once if that was noted',
  async (moment) => {
    const world = await beingDeleted();
    world.strikeWith(at(moment, () => Promise.reject(new Killed())));
    await expect(world.finishDeletion()).rejects.toBeInstanceOf(Killed);
    world.strikeWith(() => undefined);
    const before = world.revoked.length;
    // No refresher takes it from another that may be alive.
    await world.finishDeletion();
    world.later(limits.deletionLeaseMs);
    await world.finishDeletion();
    expect(await world.store.read(name)).toBeUndefined();
    const isNoted = moment.index > noted || (moment.index === noted && moment.when === 'after');
    if (isNoted) expect(world.revoked).toHaveLength(before);
    expect(world.revoked.length).toBeLessThanOrEqual(2);
    expect(await world.put('second')).toMatchObject({ kind: 'created' });
    expect(await world.readable()).toEqual({ client: true, refreshToken: 'second' });
  },
);

// The provider answers or does not: it never throws.
test.each(moments.filter(({ step }) => step !== 'provider.revoke'))(
  'a store that fails $when $step ($index) is waited for',
  async (moment) => {
    const world = await beingDeleted();
    const store = moment.step.startsWith('secrets') ? 'secrets' : 'table';
    world.strikeWith(at(moment, () => Promise.reject(new Unavailable(store))));
    await world.finishDeletion();
    const done = moment.step === 'claims.giveBack' || (moment.step === 'table.remove' && moment.when === 'after');
    if (moment.step === 'claims.giveBack')
      expect(world.logged).toContainEqual({
        level: 'warn',
        event: 'claim_not_given_back',
        connection: name,
        reason: 'table unavailable',
      });
    else
      expect(world.logged).toContainEqual(
        expect.objectContaining({ level: 'warn', event: 'deletion_postponed', connection: name, store }),
      );
    expect(await world.store.read(name)).toEqual(done ? undefined : expect.objectContaining({ connection: name }));
    world.strikeWith(() => undefined);
    world.later(limits.deletionRetryMs);
    await world.finishDeletion();
    expect(await world.store.read(name)).toBeUndefined();
    expect(world.revoked).toHaveLength(moment.index === noted && moment.when === 'before' ? 2 : 1);
  },
);

test('a table that stays out of reach fails no message', async () => {
  const world = await beingDeleted();
  world.strikeWith(({ step }) => {
    if (step.startsWith('table')) throw new Unavailable('table');
  });
  await world.finishDeletion();
  expect(world.logged.at(-1)).toMatchObject({ event: 'deletion_postponed', store: 'table' });
});

// Held up after it asked for a secret to be deleted, not before: by then Lambda has ended it.
test.each(moments.filter(({ step, when }) => !(step === 'secrets.remove' && when === 'before')))(
  'held up $when $step ($index) until another removed the connection and it was put again, it leaves that one alone',
  async (moment) => {
    const world = await beingDeleted();
    world.strikeWith(
      at(moment, async () => {
        world.strikeWith(() => undefined);
        world.later(limits.deletionLeaseMs);
        await world.finishDeletion();
        expect(await world.put('second')).toMatchObject({ kind: 'created' });
      }),
    );
    await world.finishDeletion();
    expect(await world.readable()).toEqual({ client: true, refreshToken: 'second' });
    expect(world.deletions().length).toBeLessThanOrEqual(
      1 + Number(moment.step === 'table.remove' || moment.step === 'claims.giveBack'),
    );
  },
);

test.each(moments)('messages that come $when $step ($index) leave it to the one that is at work', async (moment) => {
  const world = await beingDeleted();
  let again: string | undefined;
  world.strikeWith(
    at(moment, async () => {
      world.strikeWith(() => undefined);
      await world.delete();
      await world.finishDeletion();
      again = (await world.put('second')).kind;
    }),
  );
  await world.finishDeletion();
  expect(new Set(world.revoked).size).toBe(1);
  // Refused while it was there, and kept where it was not.
  if (again === 'deleting') expect(await world.store.read(name)).toBeUndefined();
  else expect(await world.readable()).toEqual({ client: true, refreshToken: 'second' });
  expect(world.deletions()).toHaveLength(1);
});

test('a connection that is put again while its deletion is done keeps its secrets, though they were stored before', async () => {
  const world = openWorld();
  await world.put('first');
  // The whole deletion, between the moment when the PUT has stored its secrets and the moment when it writes the item.
  const { apply } = world.store;
  world.store.apply = async (connection, write) => {
    world.store.apply = apply;
    await world.delete();
    await world.finishDeletion();
    return apply(connection, write);
  };
  expect(await world.put('second')).toMatchObject({ kind: 'created' });
  expect(await world.readable()).toEqual({ client: true, refreshToken: 'second' });
});
