/**
 * The table, the secrets, the keys or the queue fail, or their replies get lost. Each title is a scenario of the
 * protocol.
 */
import { describe, expect, test } from 'vitest';
import { crash, fail, pause, Scenario } from './scenario.ts';

describe('secret store down at persist', () => {
  test('the new refresh token travels sealed in the commit, and the next renewal uses it and goes back to the secrets', async () => {
    const s = new Scenario('revoking', { strikes: [['before', 'secrets.persist', 2, fail]] });
    await s.connected();
    await s.untilDue();
    s.send();
    await s.pass(5);
    const sealed = await s.item();
    expect(sealed.generation).toBe(2);
    expect(sealed.refreshToken?.kind).toBe('sealed');
    expect(s.counted.get('RefreshTokenSealed')).toBe(1);
    await s.untilDue();
    s.send();
    await s.pass(5);
    const { generation, refreshToken } = await s.item();
    expect(generation).toBe(3);
    expect(refreshToken?.kind).toBe('secret');
    expect(s.results()).toEqual(['rotated', 'rotated']);
    expect(await s.grantKept()).toBe(true);
  });

  test('a store that hangs costs 2 s, not the token', async () => {
    const s = new Scenario('revoking', { hangs: [['secrets.persist', 2]] });
    await s.connected();
    await s.untilDue();
    s.send();
    await s.pass(4);
    expect((await s.item()).refreshToken?.kind).toBe('sealed');
    expect(await s.grantKept()).toBe(true);
  });
});

describe('table down at commit', () => {
  test('the commit is tried until the table is back', async () => {
    const s = new Scenario('revoking', { ways: [{}, { fromMs: 2_000 }] });
    await s.connected();
    await s.untilDue();
    s.send();
    await s.pass(1);
    s.down.add('table');
    await s.pass(40);
    expect(s.results()).toEqual(['rotated']);
    s.down.clear();
    await s.pass(5);
    expect(await s.item()).toMatchObject({ state: 'active', generation: 2, attempts: {} });
    expect(await s.grantKept()).toBe(true);
  });

  test('down until the function is killed: the token set is found in its secret', async () => {
    const s = new Scenario('revoking', { ways: [{}, { fromMs: 2_000 }] });
    await s.connected();
    s.startPlanner();
    await s.untilDue();
    await s.pass(1.5);
    s.down.add('table');
    await s.pass(85);
    s.down.clear();
    await s.pass(70);
    expect(await s.item()).toMatchObject({ state: 'active', generation: 2, attempts: {} });
    expect(s.results()).toEqual(['rotated']);
  });
});

describe('table down longer than the lease during a slow call', () => {
  test('the successor waits for the holder, whose late commit is taken', async () => {
    const s = new Scenario('revoking', { ways: [{}, { toMs: 20, fromMs: 40_000 }] });
    await s.connected();
    s.startPlanner();
    await s.untilDue();
    await s.pass(2);
    s.down.add('table');
    await s.pass(25);
    s.down.clear();
    await s.pass(60);
    expect(s.results()).toEqual(['rotated']);
    expect(await s.item()).toMatchObject({ state: 'active', generation: 2, attempts: {} });
    expect(await s.grantKept()).toBe(true);
  });
});

describe('reply to the acquire lost', () => {
  test('the same write is recognised as its own, and the call is made once', async () => {
    const s = new Scenario('revoking', { strikes: [['after', 'table.acquire', 2, fail]] });
    await s.connected();
    await s.untilDue();
    s.send();
    await s.pass(5);
    expect(s.results()).toEqual(['rotated']);
    expect(await s.item()).toMatchObject({ generation: 2, fence: 3, attempts: {} });
  });
});

describe('reply to the commit lost', () => {
  test('a success is recognised as its own', async () => {
    const s = new Scenario('revoking', { strikes: [['after', 'table.commit_success', 2, fail]] });
    await s.connected();
    await s.untilDue();
    s.send();
    await s.pass(5);
    expect(await s.item()).toMatchObject({ generation: 2, attempts: {} });
    expect(s.counted.get('RefreshSucceeded')).toBe(2);
  });

  test('a verdict is recognised as its own, and counted once', async () => {
    const s = new Scenario('revoking', {
      strikes: [['after', 'table.commit_failure', 1, fail]],
      ways: [{}, { instead: { status: 400, body: '{"error":"invalid_grant"}', after: false } }],
    });
    await s.connected();
    await s.untilDue();
    s.send();
    await s.pass(5);
    expect(await s.item()).toMatchObject({ state: 'reauthorization_required', cause: 'invalid_grant' });
    expect(s.counted.get('ReauthorizationRequired')).toBe(1);
  });
});

describe('no key, no call', () => {
  test('without the key that could seal the answer nothing is sent; with it, the renewal goes on', async () => {
    const s = new Scenario('revoking');
    await s.connected();
    await s.untilDue();
    s.down.add('keys');
    s.send();
    await s.pass(10);
    expect(s.results()).toEqual([]);
    expect((await s.item()).attempts).toEqual({});
    s.down.clear();
    await s.pass(10);
    expect(s.results()).toEqual(['rotated']);
  });
});

describe('secrets down before the call', () => {
  test('nothing is sent, and nothing is thought of the grant', async () => {
    const s = new Scenario('singleUse');
    await s.connected();
    await s.untilDue();
    s.down.add('secrets');
    s.send();
    await s.pass(20);
    expect(s.results()).toEqual([]);
    expect(await s.item()).toMatchObject({ state: 'active', attempts: {} });
    s.down.clear();
    await s.pass(10);
    expect(await s.item()).toMatchObject({ state: 'active', generation: 2 });
  });
});

describe('restored table', () => {
  test('where the old refresh token still works, the renewal finds its version taken, and seals the new one', async () => {
    const s = new Scenario('halfHourOfGrace');
    const restored = await s.connected();
    await s.untilDue();
    s.send();
    await s.pass(5);
    await s.restore(restored);
    s.send();
    await s.pass(5);
    const item = await s.item();
    expect(item).toMatchObject({ state: 'active', generation: 2 });
    expect(item.refreshToken?.kind).toBe('sealed');
    expect(s.results()).toEqual(['rotated', 'repeated']);
    expect(await s.grantKept()).toBe(true);
  });
});

describe('recreated connection with the same fence', () => {
  test('a refresher of the old one can neither commit into the new one nor be adopted by it', async () => {
    const s = new Scenario('reusable', { strikes: [['before', 'table.commit_success', 2, pause(40)]] });
    await s.connected();
    await s.untilDue();
    s.send();
    await s.pass(1);
    await s.store.remove(s.connection, []);
    await s.authorize();
    s.send();
    await s.pass(5);
    const recreated = await s.item();
    expect(recreated).toMatchObject({ generation: 1, fence: 2 });
    await s.pass(60);
    expect(await s.item()).toMatchObject({
      grant: recreated.grant,
      generation: 1,
      tokens: recreated.tokens,
    });
  });
});

describe('slots', () => {
  test('alternate by generation: failures in between do not unbalance them', async () => {
    const busy = { instead: { status: 503, body: 'busy', after: false } };
    const s = new Scenario('exactReusable', {
      ways: [{}, busy, busy, {}, busy, {}, {}, busy, {}],
      options: { nature: { ...new Scenario('singleUse').options.nature, rotation: 'grace', graceMs: 1e9 } },
    });
    await s.connected();
    s.startPlanner();
    const slots: unknown[] = [];
    for (let i = 0; i < 4; i += 1) {
      await s.untilDue();
      await s.pass(120);
      const { refreshToken } = await s.item();
      slots.push(refreshToken?.kind === 'secret' && refreshToken.slot);
    }
    expect(slots).toEqual([0, 1, 0, 1]);
  });
});

describe('the queue', () => {
  test('a lost wake is made up for by the planner', async () => {
    const s = new Scenario('reusable', { strikes: [['after', 'provider.request', 2, crash]] });
    await s.connected();
    s.startPlanner();
    await s.untilDue();
    s.down.add('queue');
    await s.pass(50);
    s.down.clear();
    await s.pass(70);
    expect(await s.item()).toMatchObject({ state: 'active', generation: 2 });
  });

  test('waiters do not multiply: fifty messages at once leave one wake each time', async () => {
    const s = new Scenario('reusable', { ways: [{}, { fromMs: 30_000 }] });
    await s.connected();
    await s.untilDue();
    for (let i = 0; i < 50; i += 1) s.send();
    await s.pass(60);
    expect(s.results()).toEqual(['rotated']);
    const promised = s.log.filter(([, what]) => what === 'promise_wake').length;
    expect(promised).toBeLessThanOrEqual(6);
    expect(s.environments.filter(({ kind }) => kind === 'refresh').length).toBeLessThan(60);
  });
});
