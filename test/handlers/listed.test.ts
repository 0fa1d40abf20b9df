/** What a page of the list is chosen from, and what is told of one connection beside. */
import { expect, test } from 'vitest';
import { listed, withHealth } from '../../lambdas/connection-replies.ts';
import type { Breaker } from '../../shared/domain/breaker.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import { limits } from '../../shared/domain/limits.ts';
import { providersFrom } from '../../shared/providers/known-providers.ts';
import { at, newConnection, now } from '../contract/worlds.ts';
import { memoryBreakers } from '../memory/memory-breakers.ts';
import { memoryConnections } from '../memory/memory-connections.ts';

const directory = memoryConnections();
const world = { clock: { now: () => now, sleep: async () => undefined }, providers: providersFrom(), directory };
const names = Array.from({ length: limits.listPage + 5 }, (_, i) => `c-${String(i).padStart(3, '0')}`);
for (const connection of names as ConnectionName[]) await directory.create({ ...newConnection(), connection });

const page = async (listing: Parameters<typeof listed>[1]) => {
  const { connections, next } = await listed(world, listing, 'https://broker.example');
  return { names: connections.map(({ connection }) => connection), next };
};
const only = (...wanted: readonly string[]) => ({
  wanted: ({ connection }: { readonly connection: string }) => wanted.includes(connection),
});

test('a page has as many as are asked for, and the next one goes on after it', async () => {
  expect(await page({ limit: 2 })).toEqual({ names: ['c-000', 'c-001'], next: 'c-001' });
  expect(await page({ limit: 10, after: 'c-099' as ConnectionName })).toEqual({
    names: names.slice(100),
    next: undefined,
  });
});

test('of those that are wanted, a page may be short or empty, and the next one goes on after what was looked at', async () => {
  expect(await page({ limit: 2, ...only('c-003', 'c-104') })).toEqual({ names: ['c-003'], next: 'c-099' });
  expect(await page({ limit: 2, ...only('c-104') })).toEqual({ names: [], next: 'c-099' });
});

test('where a page has no room for all that are wanted, the next one goes on after the last that has', async () => {
  expect(await page({ limit: 2, ...only('c-003', 'c-005', 'c-007') })).toEqual({
    names: ['c-003', 'c-005'],
    next: 'c-005',
  });
  expect(await page({ limit: 2, ...only('c-003', 'c-005') })).toEqual({ names: ['c-003', 'c-005'], next: 'c-099' });
});

test('one connection is told of with the breaker of its application, while that is open', async () => {
  const breakers = memoryBreakers();
  const item = newConnection();
  const { application } = world.providers.of(item.config);
  const told = async () => {
    const { application: name, breaker } = await withHealth({ ...world, breakers }, item, 'https://broker.example');
    return { name, breaker };
  };
  const closed: Breaker = { application, version: 1, unanswered: { [item.connection]: now } };
  await breakers.replace(closed);
  expect(await told()).toEqual({ name: application, breaker: undefined });
  const open = { reason: 'unanswered', until: at(40_000), probes: 2, probing: false } as const;
  await breakers.replace({ ...closed, version: 2, open });
  const until = new Date(at(40_000)).toISOString();
  expect(await told()).toEqual({ name: application, breaker: { reason: 'unanswered', until, probes: 2 } });
});
