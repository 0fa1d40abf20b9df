/** What warm environments of the token function remember, after the grant has ended that they read. */
import { describe, expect, test } from 'vitest';
import { deleteConnection } from '../../shared/application/delete-connection.ts';
import { getToken, rejectToken, type TokenWorld } from '../../shared/application/get-token.ts';
import { forgotten } from '../../shared/application/memories.ts';
import { replaceGrant } from '../../shared/domain/grant-writes.ts';
import type { Fence, Generation, GrantId } from '../../shared/domain/ids.ts';
import { limits } from '../../shared/domain/limits.ts';
import { Secret } from '../../shared/domain/secret.ts';
import { plus } from '../../shared/domain/time.ts';
import { providersFrom } from '../../shared/providers/known-providers.ts';
import { attemptOf, attemptsWith, connectionOf, now, second, tokenSetOf } from '../domain/fixtures.ts';
import { memoryConnections } from '../memory/memory-connections.ts';
import { VirtualTime } from '../sim/time.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined, count: () => undefined };
const queue = { send: async () => undefined, sendAll: async () => undefined };
const item = connectionOf({ lastUsed: now });
const { connection } = item;

/** One table, and environments that read it over a network that takes `readMs`. */
async function warm(readMs: number) {
  const time = new VirtualTime(now);
  const table = memoryConnections();
  await table.create(item);
  let reads = 0;
  const environment = (): TokenWorld => ({
    clock: { now: () => time.now(), sleep: (ms) => time.sleep(ms) },
    chance: { next: () => 0, id: () => 'id', grantId: () => 'grant' as GrantId },
    store: {
      ...table,
      read: async (name) => {
        reads += 1;
        const read = await table.read(name);
        await time.sleep(readMs);
        return read;
      },
    },
    sealer: {
      warm: async () => undefined,
      open: async () => new Secret(JSON.stringify({ access_token: 'a' })),
    },
    queue,
    telemetry: silent,
    memory: new Map(),
  });
  const world = { ...environment(), store: table };
  const settled = <T>(promise: Promise<T>): Promise<T> => time.runUntilSettled(promise);
  const get = async (of: TokenWorld) => (await settled(getToken(of, connection, limits.minTtlMs.default, 0))).kind;
  return { time, table, world, environment, settled, get, reads: () => reads };
}

describe.each([5, 900])('where a read takes %i ms', (readMs) => {
  test('no environment serves a token once DELETE was answered', async () => {
    const { world, environment, settled, get } = await warm(readMs);
    const environments = [environment(), environment(), environment()];
    for (const one of environments) expect(await get(one)).toBe('token');
    const deleted = await settled(deleteConnection({ ...world, providers: providersFrom() }, connection));
    expect(deleted).toMatchObject({ kind: 'deleting' });
    for (const one of environments) expect(await get(one)).toBe('not_found');
  });

  test('a read that was under way when the grant was replaced is not remembered for longer', async () => {
    const { time, table, world, environment, settled } = await warm(readMs);
    const one = environment();
    const reading = getToken(one, connection, limits.minTtlMs.default, 0);
    await time.runUntil(plus(time.now(), readMs - 1));
    const grant = { id: 'other' as never, place: undefined };
    await table.apply(connection, replaceGrant(item, item.config, time.now(), grant));
    await settled(forgotten(world, item));
    await settled(reading);
    expect((await settled(getToken(one, connection, limits.minTtlMs.default, 0))).kind).toBe('unavailable');
  });
});

test('one read serves for a second, and not a millisecond longer', async () => {
  const { time, environment, get, reads } = await warm(5);
  const one = environment();
  await get(one);
  await time.runUntil(plus(now, second - 1));
  await get(one);
  expect(reads()).toBe(1);
  await time.runUntil(plus(now, second));
  await get(one);
  expect(reads()).toBe(2);
});

describe('where a renewal ends the token before', () => {
  const tokens = tokenSetOf({ endsAtRenewal: true });
  const attempts = attemptsWith(attemptOf(12, { startedAt: now }));
  const lease = { owner: 'another', fence: 12 as Fence, until: plus(now, 18 * second) };
  const underWay = { ...item, fence: 12 as Fence, tokens, attempts, lease };
  const next = { ...item, generation: (item.generation + 1) as Generation, tokens };

  test('no environment answers from memory', async () => {
    const { table, environment, get, reads } = await warm(5);
    await table.remove(connection, []);
    await table.create({ ...item, tokens });
    const one = environment();
    await get(one);
    await get(one);
    expect(reads()).toBe(2);
  });

  test('a client that waits gets the next token, and one that waits too long the old one, with a warning', async () => {
    const { time, table, environment, settled } = await warm(5);
    await table.remove(connection, []);
    await table.create(underWay);
    const waiting = getToken(environment(), connection, limits.minTtlMs.default, 4 * second);
    await time.runUntil(plus(now, second));
    const impatient = await settled(getToken(environment(), connection, limits.minTtlMs.default, 500));
    expect(impatient).toMatchObject({ kind: 'token', warning: expect.stringContaining('may have ended') });
    await table.remove(connection, []);
    await table.create(next);
    expect(await settled(waiting)).toMatchObject({ kind: 'token', item: next, warning: undefined });
  });

  test('a report of an older token is answered at once', async () => {
    const { time, table, environment, settled } = await warm(5);
    await table.remove(connection, []);
    await table.create(underWay);
    const generation = item.generation - 1;
    const answer = await settled(rejectToken(environment(), connection, { generation }, 10 * second));
    expect(answer).toMatchObject({ kind: 'token' });
    expect(time.now() - now).toBeLessThan(100);
  });
});

test('the memory holds no token that may not be served any more', async () => {
  const { time, table, environment, settled } = await warm(5);
  const one = environment();
  const names = Array.from({ length: 50 }, (_, n) => `connection-${n}` as typeof connection);
  for (const name of names) {
    await table.create({ ...item, connection: name });
    await settled(getToken(one, name, limits.minTtlMs.default, 0));
  }
  expect(one.memory.size).toBe(50);
  await time.runUntil(plus(time.now(), second));
  await settled(getToken(one, connection, limits.minTtlMs.default, 0));
  expect([...one.memory.keys()]).toEqual([connection]);
});

test('a connection without a living token is not waited for', async () => {
  const { world, time, settled } = await warm(5);
  const { tokens: _, ...bare } = item;
  await settled(forgotten(world, bare));
  await settled(forgotten(world, undefined));
  expect(time.now()).toBe(now);
});
