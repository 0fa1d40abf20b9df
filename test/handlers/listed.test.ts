/** What a page of the list is chosen from. */
import { expect, test } from 'vitest';
import { listed } from '../../lambdas/connection-replies.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import { limits } from '../../shared/domain/limits.ts';
import { providersFrom } from '../../shared/providers/known-providers.ts';
import { newConnection, now } from '../contract/worlds.ts';
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
