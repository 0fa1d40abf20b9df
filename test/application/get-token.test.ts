import { expect, test } from 'vitest';
import { getToken } from '../../shared/application/get-token.ts';
import type { GrantId } from '../../shared/domain/ids.ts';
import { Secret } from '../../shared/domain/secret.ts';
import { connectionOf, now } from '../domain/fixtures.ts';
import { memoryConnections } from '../memory/memory-connections.ts';
import { VirtualTime } from '../sim/time.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined, count: () => undefined };

test('a cold environment reads the item and the key at the same time', async () => {
  const time = new VirtualTime(now);
  const item = connectionOf({ lastUsed: now });
  const table = memoryConnections();
  await table.create(item);
  let warmed = false;
  const world = {
    clock: { now: () => time.now(), sleep: (ms: number) => time.sleep(ms) },
    chance: { next: () => 0, id: () => 'id', grantId: () => 'grant' as GrantId },
    store: { ...table, read: (name: typeof item.connection) => time.sleep(100).then(() => table.read(name)) },
    sealer: {
      warm: async () => {
        await time.sleep(100);
        warmed = true;
      },
      open: async () => {
        expect(warmed).toBe(true);
        return new Secret(JSON.stringify({ access_token: 'a' }));
      },
    },
    queue: { send: async () => undefined, sendAll: async () => undefined },
    telemetry: silent,
    memory: new Map(),
  };
  expect(await time.runUntilSettled(getToken(world, item.connection, undefined, 0))).toMatchObject({ kind: 'token' });
  expect(time.now()).toBe(now + 100);
});
