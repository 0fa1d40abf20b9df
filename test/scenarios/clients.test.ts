/**
 * Clients, idle connections and people who authorize again, each at the worst moment. Each title is a scenario of the
 * protocol.
 */
import { describe, expect, test } from 'vitest';
import { arm } from '../../shared/domain/schedule-writes.ts';
import { ask } from '../../shared/domain/use-writes.ts';
import { crash, pause, Scenario } from './scenario.ts';

const whileUsed = (s: Scenario): Scenario['options'] => ({
  ...s.options,
  profile: { ...s.options.profile, renewal: 'while_used' },
});
const idle = (kind: 'exactSingleUse' | 'reusable', story: ConstructorParameters<typeof Scenario>[1] = {}): Scenario =>
  new Scenario(kind, { ...story, options: whileUsed(new Scenario(kind)) });

describe('re-authorized while a refresh is in flight', () => {
  test('the answer for the old grant is refused, and the new grant is untouched', async () => {
    const s = new Scenario('revoking', { ways: [{}, { fromMs: 10_000 }] });
    await s.connected();
    await s.untilDue();
    s.send();
    await s.pass(3);
    await s.authorize();
    const { grant } = await s.item();
    await s.pass(30);
    const item = await s.item();
    expect(item).toMatchObject({ grant, generation: 2, state: 'active' });
    expect(item.refreshToken?.versionId.startsWith(grant.id)).toBe(true);
    expect(s.log.some(([, what]) => what === 'refresh_overtaken')).toBe(true);
    expect(await s.grantKept()).toBe(true);
  });
});

describe('re-authorized with an orphan left', () => {
  test('the orphan of the old grant is not adopted over the new one', async () => {
    const s = new Scenario('singleUse', { strikes: [['after', 'secrets.persist', 2, crash]] });
    await s.connected();
    await s.untilDue();
    s.send();
    await s.pass(5);
    await s.authorize();
    s.send();
    await s.pass(30);
    const item = await s.item();
    expect(item).toMatchObject({ state: 'active', generation: 2 });
    expect(item.refreshToken?.versionId.startsWith(item.grant.id)).toBe(true);
    expect(await s.grantKept()).toBe(true);
  });
});

describe('stale reader acquires after a commit', () => {
  test('is refused: the generation it read is over', async () => {
    const s = new Scenario('revoking', { strikes: [['after', 'table.read', 3, pause(3)]] });
    await s.connected();
    await s.untilDue();
    s.send();
    s.send();
    await s.pass(20);
    expect(s.results()).toEqual(['rotated']);
    expect((await s.item()).generation).toBe(2);
  });
});

describe('failure after an older success', () => {
  test('a failure that comes after a late success is not written over it', async () => {
    const s = new Scenario('halfHourOfGrace', {
      strikes: [['before', 'secrets.persist', 2, pause(30)]],
      ways: [{}, {}, { fromMs: 20_000, instead: { status: 503, body: '', after: false } }],
    });
    await s.connected();
    await s.untilDue();
    s.send();
    await s.pass(60);
    const { state, generation, failure } = await s.item();
    expect({ state, generation, failure }).toEqual({ state: 'active', generation: 2, failure: undefined });
    expect(await s.grantKept()).toBe(true);
  });
});

describe('an idle connection', () => {
  test('rests after an hour without a client, and a GET wakes it and gets a token', async () => {
    const s = idle('exactSingleUse');
    await s.authorize();
    s.startPlanner();
    expect((await s.ask()).kind).toBe('token');
    await s.pass(3_500);
    const calls = s.provider.ledger.length;
    expect(calls).toBeGreaterThan(5);
    await s.pass(4 * 3_600);
    expect(s.provider.ledger.length).toBeLessThanOrEqual(calls + 1);
    expect((await s.item()).dueAt).toBeUndefined();
    expect((await s.ask()).kind).toBe('token');
    expect((await s.item()).dueAt).toBeDefined();
  });

  test('is kept alive before its refresh token lapses', async () => {
    const s = new Scenario('reusable');
    const kept = new Scenario('reusable', {
      options: { ...s.options, profile: { ...s.options.profile, renewal: 'while_used', keepAliveMs: 86_400_000 } },
    });
    await kept.authorize();
    kept.startPlanner();
    await kept.ask();
    const calls = kept.provider.ledger.length;
    await kept.pass(3 * 86_400 + 7_200);
    const renewals = kept.provider.ledger.length - calls;
    expect(renewals).toBeGreaterThanOrEqual(3);
    // The hour of use, and one renewal a day.
    expect(renewals).toBeLessThanOrEqual(10);
  });
});

describe('arming races commit', () => {
  test('a client who saw the old generation cannot put an old due time over the new one', async () => {
    const s = idle('exactSingleUse');
    await s.authorize();
    await s.ask();
    const seen = await s.item();
    await s.untilDue();
    s.send();
    await s.pass(5);
    const committed = await s.item();
    expect(committed.generation).toBe(seen.generation + 1);
    expect((await s.apply(arm(seen, s.time.now()))).applied).toBe(false);
    expect((await s.item()).dueAt).toBe(committed.refreshAt);
  });
});

describe('resting races arming', () => {
  test('a client who asks while the refresher decides to rest keeps the connection due', async () => {
    const s = idle('exactSingleUse', { strikes: [['before', 'table.rest', 1, pause(5)]] });
    await s.authorize();
    s.send();
    await s.pass(1);
    expect((await s.ask()).kind).toBe('token');
    await s.pass(20);
    expect((await s.item()).dueAt).toBe((await s.item()).refreshAt);
  });
});

describe('fifty clients in the margin', () => {
  test('one asks, one call is made, everybody is served', async () => {
    const s = idle('reusable');
    await s.authorize();
    await s.ask();
    s.provider.ledger.length = 0;
    s.log.length = 0;
    await s.untilDue();
    const answers = await s.time.runUntilSettled(Promise.all(Array.from({ length: 50 }, () => s.get())));
    expect(answers.every(({ kind }) => kind === 'token')).toBe(true);
    await s.pass(5);
    expect(s.results()).toEqual(['rotated']);
    expect(s.log.filter(([, what]) => what === 'ask')).toHaveLength(1);
  });

  test('after the expiry they wait for the same one', async () => {
    const s = idle('reusable', { ways: [{}, { fromMs: 3_000 }] });
    await s.authorize();
    await s.ask();
    await s.pass(4_000);
    const answers = await s.time.runUntilSettled(Promise.all(Array.from({ length: 50 }, () => s.get())));
    expect(new Set(answers.map((answer) => (answer.kind === 'token' ? answer.item.generation : answer.kind)))).toEqual(
      new Set([2]),
    );
    expect(s.provider.ledger).toHaveLength(2);
  });

  test('the mark that somebody asked ends, so that a lost message is made up for', async () => {
    const s = idle('reusable');
    await s.authorize();
    const item = await s.item();
    expect((await s.apply(ask(item, s.time.now()))).applied).toBe(true);
    // Marked, but no message was sent: the renewal is late before the mark ends.
    expect((await s.ask(10_000, 10_000)).kind).toBe('unavailable');
    await s.pass(3);
    expect((await s.ask(10_000, 10_000)).kind).toBe('unavailable');
    await s.pass(1);
    expect((await s.ask(10_000, 10_000)).kind).toBe('token');
  });
});

describe('a client reports that the provider refused its token', () => {
  test('fifty who all report the same generation cause one renewal, and all get the new token', async () => {
    const s = new Scenario('reusable');
    const { generation } = await s.connected();
    await s.pass(60);
    const answers = await s.time.runUntilSettled(Promise.all(Array.from({ length: 50 }, () => s.reject(generation))));
    expect(new Set(answers.map((answer) => (answer.kind === 'token' ? answer.item.generation : answer.kind)))).toEqual(
      new Set([generation + 1]),
    );
    expect(s.provider.ledger).toHaveLength(1);
  });

  test('a late report of an older generation is answered with the current token at once', async () => {
    const s = new Scenario('reusable');
    const { generation } = await s.connected();
    await s.untilDue();
    s.send();
    await s.pass(5);
    const answer = await s.time.runUntilSettled(s.reject(generation));
    expect(answer).toMatchObject({ kind: 'token', item: { generation: generation + 1 } });
    await s.pass(60);
    expect(s.provider.ledger).toHaveLength(1);
  });

  test('within the least age it is answered with when a renewal is allowed, and the renewal comes then', async () => {
    const s = new Scenario('exactSingleUse');
    const { generation, tokens } = await s.connected();
    s.startPlanner();
    await s.pass(100);
    expect(await s.time.runUntilSettled(s.reject(generation))).toMatchObject({
      kind: 'unavailable',
      retryAt: (tokens?.receivedAt ?? 0) + 574_000,
    });
    await s.pass(460);
    expect(s.provider.ledger).toHaveLength(0);
    await s.pass(30);
    expect(s.results()).toEqual(['rotated']);
  });

  test('a client that reports every token cannot make more than a few calls an hour', async () => {
    const s = new Scenario('reusable');
    await s.connected();
    s.startPlanner();
    for (let second = 0; second < 3_600; second += 5) {
      const { generation } = await s.item();
      await s.time.runUntilSettled(s.reject(generation, 0));
      await s.pass(5);
    }
    // 10 s, 20 s … doubling up to 15 min, or the token's own life.
    expect(s.provider.ledger.length).toBeLessThanOrEqual(12);
  });

  test('a generation that was never issued is no report', async () => {
    const s = new Scenario('reusable');
    const { generation } = await s.connected();
    expect((await s.time.runUntilSettled(s.reject(generation + 1))).kind).toBe('never_issued');
  });
});
