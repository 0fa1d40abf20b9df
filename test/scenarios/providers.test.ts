/** What token endpoints do to those who call them. Each title is a scenario of the protocol. */
import { describe, expect, test } from 'vitest';
import type { Rotation } from '../sim/faults.ts';
import { kinds, withTwoSecrets } from '../sim/natures.ts';
import { trueExpiryOf } from '../sim/provider.ts';
import { start } from '../sim/stores.ts';
import { crash, pause, Scenario } from './scenario.ts';

describe('slow answer after rotation (35 s)', () => {
  test('one call, one commit; the expiry counts from the request, the least age from the reply', async () => {
    const s = new Scenario('exactSingleUse', { ways: [{}, { toMs: 1_000, fromMs: 34_000 }] });
    await s.connected();
    s.startPlanner();
    await s.untilDue();
    await s.pass(40);
    const { generation, tokens, refreshAt } = await s.item();
    expect(generation).toBe(2);
    expect(tokens?.expiresAt).toBeLessThanOrEqual(
      trueExpiryOf((JSON.parse(tokens?.sealed ?? '') as string[])[2] ?? ''),
    );
    expect((refreshAt ?? 0) - (tokens?.receivedAt ?? 0)).toBe(574_000);
    await s.pass(7_200);
    expect(new Set(s.results())).toEqual(new Set(['rotated']));
  });

  test('while it answers, nobody else calls and the lease is kept alive', async () => {
    const s = new Scenario('exactSingleUse', { ways: [{}, { toMs: 1_000, fromMs: 34_000 }] });
    await s.connected();
    await s.untilDue();
    s.send();
    for (let second = 0; second < 30; second += 1) {
      s.send();
      await s.pass(1);
    }
    expect(s.provider.ledger).toHaveLength(1);
    expect((await s.item()).fence).toBe(3);
  });
});

describe('lost reply, provider checks age first', () => {
  test('at most four errors until it lets the refresh token be sent again, and then the grant lives', async () => {
    const s = new Scenario('exactReusable', { ways: [{}, { lost: 'reply' }] });
    await s.connected();
    s.startPlanner();
    await s.untilDue();
    await s.pass(3_600);
    const errors = s.results().filter((result) => result === 'too_early').length;
    expect(errors).toBeGreaterThan(0);
    expect(errors).toBeLessThanOrEqual(4);
    expect(await s.item()).toMatchObject({ state: 'active', attempts: {} });
  });

  test('at a single-use provider the loss is called ours, after as few errors', async () => {
    const s = new Scenario('exactSingleUse', { ways: [{}, { lost: 'reply' }] });
    await s.connected();
    s.startPlanner();
    await s.untilDue();
    await s.pass(3_600);
    expect(s.results().filter((result) => result !== 'rotated').length).toBeLessThanOrEqual(5);
    expect(await s.item()).toMatchObject({ state: 'reauthorization_required', cause: 'refresh_in_doubt' });
  });
});

describe('a client secret is replaced while the connection has both', () => {
  const day = 86_400;
  const replaced = async (secrets: Rotation['secrets'], newFrom: number, oldUntil: number) => {
    const rotation = { secrets, newFrom: start + newFrom * 1_000, oldUntil: start + oldUntil * 1_000 };
    const { config } = kinds.exactSingleUse;
    const s = new Scenario('exactSingleUse', { options: { rotation, config: withTwoSecrets(config) } });
    await s.connected();
    s.startPlanner();
    return s;
  };
  const second = { versionId: 'both', inUse: 'second' };
  const refused = (s: Scenario) => s.results().filter((result) => result === 'client_refused').length;

  test('the old one first: one error, when it ends, and each client has its token at once', async () => {
    const s = await replaced(['old', 'new'], 3_600, 2 * 3_600);
    for (let minute = 0; minute < 4 * 60; minute += 1) {
      await s.pass(60);
      expect((await s.ask(10_000, 0)).kind).toBe('token');
    }
    expect(refused(s)).toBe(1);
    expect((await s.item()).clientSecret).toEqual(second);
  });

  test('put before it is good, and the old one ended later: two errors in a day, whatever the number of renewals', async () => {
    const s = await replaced(['new', 'old'], 3 * 3_600, 6 * 3_600);
    await s.pass(day);
    // The first renewal, before `connected` has emptied the ledger, had the other one.
    expect(refused(s)).toBe(1);
    expect((await s.item()).generation).toBeGreaterThan(140);
    expect((await s.item()).clientSecret).toEqual({ ...second, inUse: 'first' });
  });

  test('if both are wrong, the second error is the verdict', async () => {
    const s = await replaced(['old', 'new'], day, 2 * 3_600);
    await s.pass(3 * 3_600);
    expect(refused(s)).toBe(2);
    expect(await s.item()).toMatchObject({ state: 'misconfigured', cause: 'invalid_client' });
    await s.pass(3_600);
    expect(refused(s)).toBe(2);
  });
});

describe('hung connection with a 60 s grace', () => {
  test('is given up 10 s before the grace ends, and sent again within it', async () => {
    const s = new Scenario('minuteOfGrace', { ways: [{}, { lost: 'reply' }] });
    await s.connected();
    await s.untilDue();
    s.send();
    await s.pass(70);
    expect(s.results()).toEqual(['rotated', 'repeated']);
    expect(await s.item()).toMatchObject({ state: 'active', generation: 2, attempts: {} });
    expect(await s.grantKept()).toBe(true);
  });
});

describe('a provider that is down', () => {
  const busy = { instead: { status: 503, body: '<html>busy</html>', after: false } };

  test('an hour of 503 neither kills the grant nor multiplies calls, and ends with the outage', async () => {
    const s = new Scenario('singleUse', { ways: [{}, ...Array<typeof busy>(12).fill(busy)] });
    await s.connected();
    s.startPlanner();
    await s.untilDue();
    await s.pass(3_600);
    expect(s.provider.ledger.length).toBeLessThanOrEqual(12);
    expect(await s.item()).toMatchObject({ state: 'active', failure: { class: 'in_doubt', code: 'http_503' } });
    // One ended attempt stands for all of them.
    expect(Object.keys((await s.item()).attempts)).toHaveLength(1);
    await s.pass(3_600);
    expect(await s.item()).toMatchObject({ state: 'active', attempts: {} });
    expect(s.results().at(-1)).toBe('rotated');
  });

  test('a valid token is served with a warning as long as it lasts, then 503 with an instant to come back', async () => {
    const s = new Scenario('singleUse', { ways: [{}, ...Array<typeof busy>(9).fill(busy)] });
    await s.connected();
    s.startPlanner();
    await s.untilDue();
    await s.pass(5);
    expect(await s.ask()).toMatchObject({ kind: 'token', warning: expect.stringContaining('http_503') });
    await s.pass(40);
    expect(await s.ask()).toMatchObject({ kind: 'unavailable', retryAt: expect.any(Number) });
  });

  test('429 with Retry-After is obeyed', async () => {
    const s = new Scenario('singleUse', {
      ways: [{}, { instead: { status: 429, body: '', headers: { 'retry-after': '300' }, after: false } }],
    });
    await s.connected();
    s.startPlanner();
    await s.untilDue();
    await s.pass(299);
    expect(s.provider.ledger).toHaveLength(1);
    await s.pass(10);
    expect(s.results()).toEqual(['instead', 'rotated']);
  });
});

describe('error reply with a refresh token', () => {
  test('the token is kept and used, whatever the status says', async () => {
    const body = (newest: string | undefined) =>
      JSON.stringify({ error: 'temporarily_unavailable', refresh_token: newest });
    const s = new Scenario('revoking', { ways: [{}, { instead: { status: 503, body, after: true } }] });
    await s.connected();
    s.startPlanner();
    await s.untilDue();
    await s.pass(120);
    expect(s.results()).toEqual(['rotated', 'rotated']);
    expect(await s.item()).toMatchObject({ state: 'active', attempts: {} });
    expect(await s.grantKept()).toBe(true);
  });

  test('also when its commit is lost with the process: it is found where it was stored', async () => {
    const body = (newest: string | undefined) =>
      JSON.stringify({ error: 'temporarily_unavailable', refresh_token: newest });
    const s = new Scenario('revoking', {
      strikes: [['before', 'table.commit_failure', 1, crash]],
      ways: [{}, { instead: { status: 503, body, after: true } }],
    });
    await s.connected();
    s.startPlanner();
    await s.untilDue();
    await s.pass(120);
    expect(s.results()).toEqual(['rotated', 'rotated']);
    expect(await s.grantKept()).toBe(true);
  });
});

describe('a dead grant', () => {
  test('is believed at once when nothing else can explain it, and is the provider’s word', async () => {
    const s = new Scenario('singleUse', {
      ways: [{}, { instead: { status: 400, body: '{"error":"invalid_grant"}', after: false } }],
    });
    await s.connected();
    s.startPlanner();
    await s.untilDue();
    await s.pass(5);
    expect(await s.item()).toMatchObject({ state: 'reauthorization_required', cause: 'invalid_grant' });
    await s.pass(7_200);
    expect(s.provider.ledger).toHaveLength(1);
  });

  test('is not believed while an earlier holder can still answer; the verdict then needs no further call', async () => {
    const s = new Scenario('minuteOfGrace', {
      strikes: [['before', 'secrets.persist', 2, pause(90)]],
      ways: [{}, {}, { instead: { status: 400, body: '{"error":"invalid_grant"}', after: false } }],
    });
    await s.connected();
    await s.untilDue();
    s.send();
    await s.pass(60);
    expect(await s.item()).toMatchObject({ state: 'active', suspect: { code: 'invalid_grant' } });
    await s.pass(60);
    expect(await s.item()).toMatchObject({ state: 'reauthorization_required', cause: 'refresh_in_doubt' });
    expect(s.provider.ledger).toHaveLength(2);
  });

  test('the earlier holder answers in time: nothing was dead', async () => {
    const s = new Scenario('minuteOfGrace', {
      strikes: [['before', 'secrets.persist', 2, pause(50)]],
      ways: [{}, {}, { instead: { status: 400, body: '{"error":"invalid_grant"}', after: false } }],
    });
    await s.connected();
    await s.untilDue();
    s.send();
    await s.pass(120);
    expect(await s.item()).toMatchObject({ state: 'active', generation: 2, attempts: {} });
    expect(await s.grantKept()).toBe(true);
  });
});

describe('2 s skew', () => {
  test.each([2_000, -2_000, 0])(
    'at Exact Online, environments up to %i ms apart cause no too-early error in a day',
    async (skewMs) => {
      let turn = 0;
      const s = new Scenario('exactSingleUse', { options: { skewMs: () => (turn++ % 2 === 0 ? skewMs : -skewMs) } });
      await s.connected();
      s.startPlanner();
      await s.pass(86_400);
      expect(new Set(s.results())).toEqual(new Set(['rotated']));
      expect(s.provider.ledger.length).toBeGreaterThan(140);
    },
  );
});

describe('the budget', () => {
  const refusal = {
    instead: {
      status: 403,
      body: '{"error":"access_denied","error_description":"Rate limit exceeded: access_token not expired"}',
      after: false,
    },
  };

  test('the provider never sees a ninth error within an hour, and the connection recovers by itself', async () => {
    const s = new Scenario('exactSingleUse', { ways: [{}, ...Array<typeof refusal>(20).fill(refusal)] });
    await s.connected();
    s.startPlanner();
    await s.untilDue();
    for (let second = 0; second < 3_500; second += 5) {
      await s.ask(5_000, 0);
      await s.pass(5);
    }
    expect(s.provider.ledger).toHaveLength(8);
    expect(s.counted.get('BudgetSpent')).toBe(1);
    expect(s.counted.get('CallHeldBack')).toBeGreaterThan(0);
    expect(await s.ask(5_000, 0)).toMatchObject({ kind: 'unavailable', retryAt: expect.any(Number) });
    await s.pass(3 * 3_600);
    expect(await s.item()).toMatchObject({ state: 'active' });
    expect(s.results().at(-1)).toBe('rotated');
  });

  test('what never reached the provider, and what succeeded, is not counted', async () => {
    const s = new Scenario('exactSingleUse');
    await s.connected();
    await s.untilDue();
    s.down.add('secrets');
    for (let i = 0; i < 30; i += 1) {
      s.send();
      await s.pass(5);
    }
    const spent = await s.item();
    expect(spent.calls).toMatchObject({ failing: {}, count: 1 });
    s.down.clear();
    await s.pass(10);
    const { calls, generation } = await s.item();
    expect({ ...calls, generation }).toMatchObject({ failing: {}, count: 2, generation: 2 });
  });
});
