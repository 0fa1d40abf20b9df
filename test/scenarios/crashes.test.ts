/** A refresher dies or freezes, and another refresher takes over. Each title is a scenario of the protocol. */
import { describe, expect, test } from 'vitest';
import { crash, fail, pause, Scenario, type Strike } from './scenario.ts';

describe('two doubts in a row', () => {
  test('the third refresher looks for what both may have stored, and adopts without a call', async () => {
    const s = new Scenario('revoking', {
      // The import and its first renewal are the first of each.
      strikes: [
        ['after', 'secrets.persist', 2, crash],
        ['before', 'secrets.look_up', 1, crash],
      ],
    });
    await s.connected();
    await s.untilDue();
    s.send();
    await s.pass(20);
    expect(Object.values((await s.item()).attempts).map(({ sent }) => sent)).toEqual([true, false]);
    await s.pass(60);
    expect(s.results()).toEqual(['rotated']);
    expect(await s.item()).toMatchObject({ state: 'active', generation: 2, attempts: {} });
    expect(await s.grantKept()).toBe(true);
  });
});

describe('paused before persist at a revoking provider', () => {
  test('the successor finds nothing and waits; the holder thaws, stores and commits late', async () => {
    const s = new Scenario('revoking', { strikes: [['before', 'secrets.persist', 2, pause(40)]] });
    await s.connected();
    await s.untilDue();
    s.send();
    await s.pass(30);
    const { notBefore, attempts } = await s.item();
    expect(notBefore).toBeGreaterThan(s.time.now());
    expect(Object.keys(attempts)).toHaveLength(1);
    await s.pass(120);
    expect(s.results()).toEqual(['rotated']);
    expect(await s.item()).toMatchObject({ state: 'active', generation: 2, attempts: {} });
    expect(await s.grantKept()).toBe(true);
  });
});

describe('paused before commit at a strict provider', () => {
  test('the successor adopts what was stored, the late commit is refused, and nobody is told to authorize again', async () => {
    const s = new Scenario('singleUse', { strikes: [['before', 'table.commit_success', 2, pause(40)]] });
    await s.connected();
    await s.untilDue();
    s.send();
    await s.pass(25);
    expect(await s.item()).toMatchObject({ state: 'active', generation: 2, committedFence: 4 });
    expect((await s.ask()).kind).toBe('token');
    await s.pass(60);
    expect(s.log.some(([, what]) => what === 'refresh_overtaken')).toBe(true);
    expect(await s.item()).toMatchObject({ state: 'active', generation: 2, committedFence: 4 });
    expect(s.results()).toEqual(['rotated']);
    expect(await s.grantKept()).toBe(true);
  });
});

describe('killed in the call, taken over before expiry', () => {
  test('nobody asks, and yet the next refresher is through before the old token expires', async () => {
    const s = new Scenario('reusable', { strikes: [['after', 'provider.request', 2, crash]] });
    const before = await s.connected();
    await s.untilDue();
    s.send();
    await s.pass(25);
    const after = await s.item();
    expect(after.generation).toBe(before.generation + 1);
    expect(s.time.now()).toBeLessThan(before.tokens?.expiresAt ?? 0);
    expect(s.provider.ledger).toHaveLength(2);
  });

  test('a client who asks at any second meanwhile gets a valid token', async () => {
    const s = new Scenario('reusable', { strikes: [['after', 'provider.request', 2, crash]] });
    await s.connected();
    await s.untilDue();
    s.send();
    for (let second = 0; second < 30; second += 1) {
      expect((await s.ask()).kind).toBe('token');
      await s.pass(1);
    }
  });
});

describe('killed with the reply in hand at a single-use provider', () => {
  test('the replay waits until the dead holder cannot answer any more, and the loss is called ours', async () => {
    const s = new Scenario('singleUse', { strikes: [['before', 'secrets.persist', 2, crash]] });
    await s.connected();
    await s.untilDue();
    const died = s.time.now();
    s.send();
    await s.pass(80);
    expect(s.results()).toEqual(['rotated']);
    await s.pass(40);
    expect(s.results()).toEqual(['rotated', 'refused']);
    expect((s.provider.ledger[1]?.sentAt ?? 0) - died).toBeGreaterThan(84_000);
    expect(await s.item()).toMatchObject({ state: 'reauthorization_required', cause: 'refresh_in_doubt' });
    expect(s.counted.get('ReauthorizationRequired')).toBe(1);
    expect(s.counted.get('GrantLost')).toBe(1);
  });

  test('a dead grant costs no further call', async () => {
    const s = new Scenario('singleUse', { strikes: [['before', 'secrets.persist', 2, crash]] });
    await s.connected();
    s.startPlanner();
    await s.pass(3_600);
    const calls = s.provider.ledger.length;
    await s.ask();
    await s.pass(7_200);
    expect(s.provider.ledger).toHaveLength(calls);
  });
});

describe('hard time-out after a pause', () => {
  test('frozen with the reply until the function is killed: looked for, waited for, and labelled in doubt', async () => {
    const s = new Scenario('revoking', { strikes: [['before', 'secrets.persist', 2, pause(100)]] });
    await s.connected();
    await s.untilDue();
    s.send();
    await s.pass(150);
    expect(await s.item()).toMatchObject({ state: 'reauthorization_required', cause: 'refresh_in_doubt' });
    expect(s.results()).toEqual(['rotated', 'revoked']);
  });
});

describe('older answer over newer', () => {
  test('a holder who thaws with an older token set does not put it over a newer one', async () => {
    const s = new Scenario('halfHourOfGrace', { strikes: [['before', 'secrets.persist', 2, pause(40)]] });
    await s.connected();
    await s.untilDue();
    s.send();
    await s.pass(30);
    const newer = await s.item();
    expect(newer).toMatchObject({ generation: 2, committedFence: 4, tokens: { contested: true } });
    await s.pass(60);
    expect(await s.item()).toMatchObject({ generation: 2, committedFence: 4, refreshToken: newer.refreshToken });
    expect(s.results()).toEqual(['rotated', 'repeated']);
    expect(await s.grantKept()).toBe(true);
  });
});

describe('late commit while the successor looks up', () => {
  test('both commit the same token set, once each, and nothing is lost', async () => {
    const s = new Scenario('singleUse', {
      strikes: [
        ['before', 'table.commit_success', 2, pause(20)],
        ['before', 'secrets.look_up', 1, pause(5)],
      ],
    });
    await s.connected();
    await s.untilDue();
    s.send();
    await s.pass(60);
    expect(s.results()).toEqual(['rotated']);
    expect(await s.item()).toMatchObject({ state: 'active', committedFence: 4, attempts: {} });
    expect(await s.grantKept()).toBe(true);
  });
});

describe('throttled look-up is not absence', () => {
  test('a look-up that fails is tried again within seconds, and the orphan is found', async () => {
    const s = new Scenario('revoking', {
      strikes: [
        ['after', 'secrets.persist', 2, crash],
        ['before', 'secrets.look_up', 1, fail],
      ],
    });
    await s.connected();
    await s.untilDue();
    s.send();
    await s.pass(40);
    expect(s.results()).toEqual(['rotated']);
    expect(await s.item()).toMatchObject({ state: 'active', generation: 2 });
  });
});

describe('a waiter keeps `started_at`', () => {
  test('looking and waiting do not move the instant from which a replay is safe', async () => {
    const s = new Scenario('singleUse', { strikes: [['before', 'secrets.persist', 2, crash]] });
    await s.connected();
    await s.untilDue();
    s.send();
    await s.pass(22);
    const first = Object.values((await s.item()).attempts)[0]?.startedAt;
    for (let i = 0; i < 10; i += 1) {
      s.send();
      await s.pass(5);
    }
    const attempts = Object.values((await s.item()).attempts);
    expect(attempts.map(({ startedAt }) => startedAt)).toEqual([first]);
  });
});

describe("a dead holder's request processed late", () => {
  test('documents the bound: a request that arrives after its successor revokes the family, and the loss is called ours', async () => {
    const s = new Scenario('revoking', {
      strikes: [['before', 'table.renew_lease', 1, crash]],
      ways: [{}, { toMs: 100_000 }],
    });
    await s.connected();
    await s.untilDue();
    s.send();
    await s.pass(110);
    expect(s.results()).toEqual(['revoked', 'rotated']);
    await s.untilDue();
    s.send();
    await s.pass(30);
    expect(await s.item()).toMatchObject({ state: 'reauthorization_required', cause: 'refresh_in_doubt' });
  });
});

describe('provider processes late and replaces', () => {
  test('documents the bound: the sibling dies with the late request, and the loss is called ours', async () => {
    const s = new Scenario('graceKillsSibling', {
      strikes: [['before', 'table.renew_lease', 1, crash]],
      ways: [{}, { toMs: 40_000 }],
    });
    await s.connected();
    await s.untilDue();
    s.send();
    await s.pass(50);
    expect(s.results()).toEqual(['repeated', 'rotated']);
    await s.untilDue();
    s.send();
    await s.pass(30);
    expect(await s.item()).toMatchObject({ state: 'reauthorization_required', cause: 'refresh_in_doubt' });
  });
});

describe('a success that lost its commit, where the provider has killed the other one', () => {
  const late: Strike = ['before', 'provider.request', 2, pause(60)];

  test.each<[string, readonly Strike[], boolean]>([
    ['is found by its attempt, which stays', [late], false],
    ['is kept as a spare, if no secret took it', [late, ['before', 'secrets.persist', 3, fail]], true],
  ])('%s, and saves the grant', async (_, strikes, asSpare) => {
    const s = new Scenario('graceKillsSibling', { strikes });
    await s.connected();
    await s.untilDue();
    s.send();
    await s.pass(90);
    expect(s.results()).toEqual(['rotated', 'repeated']);
    const overtaken = await s.item();
    expect(overtaken.spare !== undefined).toBe(asSpare);
    expect(Object.keys(overtaken.attempts).length > 0).toBe(!asSpare);
    await s.untilDue();
    s.send();
    await s.pass(30);
    expect(s.results()).toEqual(['rotated', 'repeated', 'refused', 'rotated']);
    expect(await s.grantKept()).toBe(true);
  });
});
