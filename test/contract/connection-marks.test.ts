import { describe, expect, test } from 'vitest';
import type { Connection } from '../../shared/domain/connection.ts';
import { markDeleted } from '../../shared/domain/deletion-writes.ts';
import type { Failure } from '../../shared/domain/failure.ts';
import { replaceConfig } from '../../shared/domain/grant-writes.ts';
import type { Fence, Generation } from '../../shared/domain/ids.ts';
import { limits } from '../../shared/domain/limits.ts';
import { arm, pause, promiseWake, rest, resume } from '../../shared/domain/schedule-writes.ts';
import { ask, reject, touch } from '../../shared/domain/use-writes.ts';
import type { Write } from '../../shared/domain/writes.ts';
import { at, newConnection, now, storeUnder, storeWorlds } from './worlds.ts';

describe.each(storeWorlds)('the marks that wake, rest, arm and ask in %s', (_world, open) => {
  const { store, created, applies, refuses } = storeUnder(open);

  test('a wake-up is promised unless one that comes soon enough is promised already', async () => {
    const { connection } = await created();
    await applies(connection, promiseWake(at(9_000), at(9_000), now));
    await refuses(connection, promiseWake(at(8_500), at(9_000), now));
    expect((await applies(connection, promiseWake(at(8_500), at(8_999), now))).wakeAt).toBe(at(8_500));
    // Due by the clock of the refresher that asks, or by that of the one that promised it.
    await refuses(connection, promiseWake(at(20_000), at(20_500), at(8_499 - limits.skewMs)));
    expect((await applies(connection, promiseWake(at(20_000), at(20_500), at(8_500 - limits.skewMs)))).wakeAt).toBe(
      at(20_000),
    );
  });

  test('a connection rests if nobody asked and nothing was committed since it was seen', async () => {
    const item = await created({ dueAt: at(5) });
    const rested = await applies(item.connection, rest(item, undefined));
    expect(rested).not.toHaveProperty('dueAt');
    expect((await applies(item.connection, rest(rested, at(77)))).dueAt).toBe(at(77));
    await refuses(item.connection, rest({ ...item, generation: 1 as Generation }, undefined));
    const touched = await applies(item.connection, touch(at(6)));
    await refuses(item.connection, rest(item, undefined));
    await refuses(item.connection, rest({ ...touched, lastUsed: at(5) }, undefined));
    await applies(item.connection, rest(touched, undefined));
  });

  test('a connection does not rest over what the planner was to look at since it was seen', async () => {
    const item = await created({ dueAt: at(5) });
    const paused = await applies(item.connection, pause(item, undefined, at(6)));
    await refuses(item.connection, rest(item, undefined));
    const resumed = await applies(item.connection, resume(paused, at(7)));
    await refuses(item.connection, rest(paused, undefined));
    // Also where the due time is what it was.
    await refuses(item.connection, rest({ ...paused, dueAt: at(7) }, undefined));
    const rested = await applies(item.connection, rest(resumed, at(8)));
    expect(rested.dueAt).toBe(at(8));
    await applies(item.connection, replaceConfig(rested, { ...rested.config, renewal: 'always' }, at(9)));
    await refuses(item.connection, rest({ ...rested, dueAt: at(9) }, undefined));
  });

  test('a connection is paused once and resumed once, each of which subscribers are to be told', async () => {
    const item = await created({ changed: { at: at(-1), paths: ['renewal'] } });
    const { connection } = item;
    const paused = await applies(connection, pause(item, 'operator', now));
    expect(paused).toMatchObject({ paused: { at: now, by: 'operator' }, dueAt: now });
    expect(paused.changed).toEqual({ at: now, paths: ['paused', 'renewal'] });
    await refuses(connection, pause(item, 'operator', now));
    await refuses(connection, resume(item, now));
    const resumed = await applies(connection, resume(paused, at(1)));
    expect(resumed).not.toHaveProperty('paused');
    await applies(connection, markDeleted(now));
    await refuses(connection, pause(resumed, undefined, at(2)));
  });

  test.each(['transient', 'in_doubt', 'too_early'] as const)('a resume ends a back-off, %s', async (kind) => {
    const failure: Failure = { class: kind, code: 'http_503', at: now, count: 3, fence: 1 as Fence };
    const item = await created({ notBefore: at(900_000), failure, paused: { at: now } });
    const resumed = await applies(item.connection, resume(item, at(1)));
    expect(resumed.failure).toEqual(failure);
    expect(resumed.notBefore).toBe(kind === 'too_early' ? at(900_000) : undefined);
    // One that was the same so often that it is hardly asked for any more; what else it may be is still told.
    const refused = await created({ failure: { ...failure, alike: 12 }, paused: { at: now } });
    const again = await applies(refused.connection, resume(refused, at(1)));
    expect('failure' in again).toBe(kind !== 'transient');
  });

  test('a resting connection is armed, an armed one only for an earlier instant, and not after a commit', async () => {
    const { dueAt, ...resting } = newConnection();
    expect(await store().create(resting)).toBe(true);
    expect((await applies(resting.connection, arm(resting, at(10)))).dueAt).toBe(at(10));
    await refuses(resting.connection, arm(resting, at(11)));
    expect((await applies(resting.connection, arm(resting, at(9)))).dueAt).toBe(at(9));
    await refuses(resting.connection, arm({ ...resting, generation: 1 as Generation }, at(1)));
  });

  test.each([
    ['it is due', { refreshAt: at(20) }, at(20)],
    ['its back-off ends', { refreshAt: at(20), notBefore: at(30) }, at(30)],
    ['it is due, where its back-off ends before', { refreshAt: at(20), notBefore: at(15) }, at(20)],
    ['now, where both are past', { refreshAt: at(1), notBefore: at(2) }, at(10)],
  ])('it is armed for when %s', async (_when, more, dueAt) => {
    const { dueAt: _dueAt, ...resting } = newConnection(more);
    expect(await store().create(resting)).toBe(true);
    expect((await applies(resting.connection, arm(resting, at(10)))).dueAt).toBe(dueAt);
  });

  test('one of many callers asks, and another when the mark is old', async () => {
    const item = await created();
    await applies(item.connection, ask(item, now));
    await refuses(item.connection, ask(item, at(4_999)));
    const asked = { ...item, askedAt: now, askedSince: now };
    expect(await applies(item.connection, ask(asked, at(5_000)))).toMatchObject({
      askedAt: at(5_000),
      askedSince: now,
    });
    await refuses(item.connection, ask({ ...item, generation: 1 as Generation }, at(60_000)));
  });

  test('one asks for a renewal ahead of its time, which is due from then on; not where nobody can renew', async () => {
    const item = await created({ refreshAt: at(60_000), dueAt: at(60_000) });
    expect(await applies(item.connection, ask(item, at(7), true))).toMatchObject({
      askedAt: at(7),
      refreshAt: at(7),
      dueAt: at(7),
    });
    const dead = await created({ state: 'reauthorization_required', refreshAt: at(60_000) });
    await refuses(dead.connection, ask(dead, at(7), true));
  });

  test.each<[string, Partial<Connection>, (item: Connection) => Write]>([
    ['ask', {}, (item) => ask(item, now)],
    ['report a token', { generation: 1 as Generation }, (item) => reject(item, now)],
    ['promise a wake-up', {}, () => promiseWake(at(9_000), at(9_000), now)],
    ['arm', { dueAt: at(50) }, (item) => arm(item, at(10))],
    ['delete', {}, () => markDeleted(now)],
  ])('of two that %s in the same instant, one is told that it did', async (_what, more, write) => {
    const item = await created(more);
    await applies(item.connection, write(item));
    await refuses(item.connection, write(item));
  });
});
