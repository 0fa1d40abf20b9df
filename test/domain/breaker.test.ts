/** When a provider that answers nobody is left alone, and who finds out whether it is back. */
import { describe, expect, test } from 'vitest';
import { recordOutcome } from '../../shared/application/provider-health.ts';
import {
  afterCall,
  type Breaker,
  type CallResult,
  isAnswer,
  type Passage,
  passage,
  saysNothingOfProvider,
} from '../../shared/domain/breaker.ts';
import type { ConnectionConfig } from '../../shared/domain/connection.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import { Secret } from '../../shared/domain/secret.ts';
import { providersFrom } from '../../shared/providers/known-providers.ts';
import { memoryBreakers } from '../memory/memory-breakers.ts';
import { at, connectionOf, minute, now, second } from './fixtures.ts';

const [anna, bert, cleo, dora] = ['anna', 'bert', 'cleo', 'dora'] as ConnectionName[] as [
  ConnectionName,
  ConnectionName,
  ConnectionName,
  ConnectionName,
];
const sign = (connection: ConnectionName, answered = false, more: Partial<CallResult> = {}): CallResult => ({
  application: 'app',
  connection,
  answered,
  ...more,
});
const closed = (...unanswered: readonly ConnectionName[]): Breaker => ({
  application: 'app',
  version: 7,
  unanswered: Object.fromEntries(unanswered.map((name) => [name, at(-second)])),
});
const opened = (more: Partial<NonNullable<Breaker['open']>> = {}): Breaker => ({
  ...closed(anna, bert, cleo),
  open: { until: at(5 * second), probes: 0, probing: false, ...more },
});
const through = (breaker: Breaker | undefined, connection = dora, instant = now): Passage =>
  passage(breaker, connection, instant, 0);

describe('what counts as an answer', () => {
  const failure = (more: Partial<Extract<Outcome, { kind: 'failure' }>>): Outcome => ({
    kind: 'failure',
    class: 'transient',
    code: 'x',
    ...more,
  });
  const tokens = {
    accessToken: new Secret('a'),
    tokenType: 'Bearer',
    requestedAt: now,
    receivedAt: now,
    expiresAt: now,
  };
  test.each<[string, Outcome, boolean]>([
    ['a token set', { kind: 'success', tokens }, true],
    ['a dead grant', failure({ class: 'dead_grant', status: 400 }), true],
    ['a wrong client', failure({ class: 'misconfigured', status: 401 }), true],
    ['too early', failure({ class: 'too_early', status: 400 }), true],
    ['an error that is not understood', failure({ status: 403 }), true],
    ['no connection', failure({}), false],
    ['no answer in time', failure({ class: 'in_doubt', code: 'time_out' }), false],
    ['499', failure({ status: 499 }), true],
    ['500', failure({ class: 'in_doubt', status: 500 }), false],
    ['503', failure({ status: 503 }), false],
    ['429', failure({ status: 429 }), false],
  ])('%s: %#', (_, outcome, expected) => expect(isAnswer(outcome)).toBe(expected));
});

test('a call that was not made says nothing of the provider, neither that it answers nor that it does not', () => {
  const notSent: Outcome = { kind: 'failure', class: 'misconfigured', code: 'private_key_unreadable' };
  expect(saysNothingOfProvider(notSent)).toBe(true);
  expect(saysNothingOfProvider({ ...notSent, status: 401 })).toBe(false);
  expect(saysNothingOfProvider({ ...notSent, class: 'transient' })).toBe(false);
});

test('nor does it change the breaker', async () => {
  const breakers = memoryBreakers();
  const before: Breaker = { application: 'app', version: 1, unanswered: { bert: now } };
  await breakers.replace(before);
  const silent = { info: () => undefined, warn: () => undefined, error: () => undefined, count: () => undefined };
  const chance = { next: () => 0, id: () => 'id', grantId: () => 'grant' };
  const world = {
    clock: { now: () => now, sleep: async () => undefined },
    chance,
    breakers,
    telemetry: silent,
    providers: { of: (config: ConnectionConfig) => ({ ...providersFrom().of(config), application: 'app' }) },
  };
  await recordOutcome(
    world,
    connectionOf(),
    { kind: 'failure', class: 'misconfigured', code: 'private_key_unreadable' },
    before,
  );
  expect(await breakers.read('app')).toEqual(before);
});

describe('after a call', () => {
  test('an answer where nothing was amiss changes nothing, so it costs no write', () => {
    expect(afterCall(undefined, sign(anna, true), now, 0)).toBeUndefined();
    expect(afterCall(closed(), sign(anna, true), now, 0)).toBeUndefined();
  });
  test('an answer to anybody clears everything', () => {
    const clear = { application: 'app', version: 8, unanswered: {} };
    expect(afterCall(closed(anna, bert), sign(cleo, true), now, 0)).toEqual(clear);
    expect(afterCall(opened({ probing: true, prober: anna }), sign(bert, true), now, 0)).toEqual(clear);
  });
  test('the first and the second connection without an answer leave it closed', () => {
    const first = afterCall(undefined, sign(anna), now, 0);
    expect(first).toEqual({ application: 'app', version: 1, unanswered: { anna: now } });
    expect(afterCall(first, sign(bert), now, 0)).toEqual({
      application: 'app',
      version: 2,
      unanswered: { anna: now, bert: now },
    });
  });
  test('the third one opens it for five seconds', () => {
    expect(afterCall(closed(anna, bert), sign(cleo), now, 0)?.open).toEqual({
      until: at(5 * second),
      probes: 0,
      probing: false,
    });
  });
  test('one connection alone never does, however often', () => {
    let breaker: Breaker | undefined;
    for (let call = 0; call < 10; call += 1) breaker = afterCall(breaker, sign(anna), at(call * second), 0);
    expect(breaker?.open).toBeUndefined();
  });
  test('what is fifteen minutes old does not count', () => {
    const old: Breaker = { ...closed(), unanswered: { anna: at(-15 * minute), bert: at(1 - 15 * minute) } };
    expect(afterCall(old, sign(cleo), now, 0)).toMatchObject({ unanswered: { bert: at(1 - 15 * minute), cleo: now } });
    expect(afterCall(old, sign(cleo), now, 0)?.open).toBeUndefined();
  });
  test('a probe without an answer waits twice as long, up to a minute', () => {
    const waits = [0, 1, 2, 3, 4, 5].map(
      (probes) =>
        (afterCall(opened({ probes, prober: anna, probing: true }), sign(anna), now, 0)?.open?.until ?? now) - now,
    );
    expect(waits).toEqual([10, 20, 40, 60, 60, 60].map((seconds) => seconds * second));
  });
  test('or until the provider says, but not longer than fifteen minutes', () => {
    const until = (retryAt: number) =>
      afterCall(closed(anna, bert), sign(cleo, false, { retryAt: at(retryAt) }), now, 0)?.open?.until;
    expect(until(3 * minute)).toBe(at(3 * minute));
    expect(until(60 * minute)).toBe(at(15 * minute));
  });
  test('a call that began before it opened says nothing new', () => {
    expect(afterCall(opened({ prober: anna }), sign(dora), now, 0)).toBeUndefined();
  });
});

describe('who may call', () => {
  test('everybody while it is closed', () => {
    expect(through(undefined)).toEqual({ kind: 'closed' });
    expect(through(closed(anna, bert))).toEqual({ kind: 'closed' });
  });
  test('nobody while it is open', () => {
    expect(through(opened(), dora, at(5 * second - 1))).toEqual({ kind: 'open', until: at(5 * second) });
  });
  test('then whoever writes down the probe first; should that one die, another after the time limit of a function', () => {
    expect(through(opened(), dora, at(5 * second))).toEqual({
      kind: 'half_open',
      probe: { ...opened({ probing: true, prober: dora, until: at(85 * second) }), version: 8 },
    });
  });
  test('the others look again in ten seconds, not only when the prober must be dead', () => {
    expect(through(opened({ probing: true, prober: anna, until: at(80 * second) }))).toEqual({
      kind: 'open',
      until: at(10 * second),
    });
    expect(through(opened({ probing: true, prober: anna, until: at(3 * second) }))).toEqual({
      kind: 'open',
      until: at(3 * second),
    });
  });
  test('whoever probed last lets others go first for ten seconds', () => {
    const breaker = opened({ prober: anna, until: now });
    expect(through(breaker, dora).kind).toBe('half_open');
    expect(through(breaker, anna)).toEqual({ kind: 'open', until: at(10 * second) });
    expect(through(breaker, anna, at(10 * second)).kind).toBe('half_open');
  });
});
