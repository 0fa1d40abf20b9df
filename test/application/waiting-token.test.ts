/** A client that waits for a renewal, on a process that stands still meanwhile. */
import { expect, test } from 'vitest';
import { getToken, type TokenWorld } from '../../shared/application/get-token.ts';
import type { Connection } from '../../shared/domain/connection.ts';
import { Secret } from '../../shared/domain/secret.ts';
import { plus } from '../../shared/domain/time.ts';
import { connectionOf, now as start, tokenSetOf } from '../domain/fixtures.ts';

const minTtlMs = 10_000;
const waitMs = 10_000;
const expired = connectionOf({ tokens: tokenSetOf({ expiresAt: plus(start, 1_000) }) });
const renewed = connectionOf({ tokens: tokenSetOf({ expiresAt: plus(start, 600_000) }) });

/** `read` answers the n-th read and tells how long the process stood still after it. */
function worldOf(read: (nth: number) => { readonly item: Connection; readonly stoodStillMs: number }) {
  let [now, reads] = [start, 0];
  const world = {
    clock: {
      now: () => now,
      sleep: async (ms: number) => {
        now = plus(now, ms);
      },
    },
    chance: { next: () => 0.5 },
    store: {
      async read() {
        reads += 1;
        const { item, stoodStillMs } = read(reads);
        now = plus(now, stoodStillMs);
        return item;
      },
      apply: async () => ({ applied: false }),
    },
    sealer: { warm: async () => undefined, open: async () => new Secret('a-token') },
    queue: { send: async () => undefined },
    telemetry: { info: () => {}, warn: () => {}, error: () => {}, count: () => {} },
    memory: new Map(),
  };
  return { world: world as unknown as TokenWorld, tookMs: () => now - start, reads: () => reads };
}

const ask = (world: TokenWorld) => getToken(world, expired.connection, minTtlMs, waitMs);

test('a process that stood still until its client’s wait was over looks once more before it gives up', async () => {
  const { world, reads } = worldOf((nth) =>
    nth === 1 ? { item: expired, stoodStillMs: 12_000 } : { item: renewed, stoodStillMs: 20 },
  );
  expect(await ask(world)).toMatchObject({ kind: 'token', item: { tokens: renewed.tokens } });
  expect(reads()).toBe(2);
});

test('a store that is slow at every read makes the wait longer by two reads at most', async () => {
  const { world, tookMs } = worldOf(() => ({ item: expired, stoodStillMs: 1_500 }));
  expect(await ask(world)).toMatchObject({ kind: 'unavailable' });
  expect(tookMs()).toBeLessThanOrEqual(waitMs + 2 * 1_500);
});

test('what was read a moment ago is good enough to give up', async () => {
  const { world, reads } = worldOf(() => ({ item: expired, stoodStillMs: 20 }));
  expect(await getToken(world, expired.connection, minTtlMs, 0)).toMatchObject({ kind: 'unavailable' });
  expect(reads()).toBe(1);
});
