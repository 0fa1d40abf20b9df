/** When refreshers leave a provider alone that gives no answer, and which of them finds out whether it is back. */

import { describe, expect, test } from 'vitest';
import { recordOutcome } from '../../shared/application/provider-health.ts';
import {
  afterCall,
  type Breaker,
  type CallResult,
  isBelieved,
  type Passage,
  passage,
  signOf,
  withheldUntil,
} from '../../shared/domain/breaker.ts';
import type { ConnectionConfig } from '../../shared/domain/connection.ts';
import type { ConnectionName } from '../../shared/domain/connection-name.ts';
import type { GrantId } from '../../shared/domain/ids.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import { Secret } from '../../shared/domain/secret.ts';
import type { BreakerStore } from '../../shared/ports/breakers.ts';
import { providersFrom } from '../../shared/providers/known-providers.ts';
import { memoryBreakers } from '../memory/memory-breakers.ts';
import { at, connectionOf, generation, minute, now, second } from './fixtures.ts';

const [anna, bert, cleo, dora] = ['anna', 'bert', 'cleo', 'dora'] as ConnectionName[] as [
  ConnectionName,
  ConnectionName,
  ConnectionName,
  ConnectionName,
];
const sign = (
  connection: ConnectionName,
  what: CallResult['sign'] = 'unanswered',
  more: Partial<CallResult> = {},
): CallResult => ({
  application: 'app',
  connection,
  sign: what,
  living: true,
  ...more,
});
const closed = (...unanswered: readonly ConnectionName[]): Breaker => ({
  application: 'app',
  version: 7,
  unanswered: Object.fromEntries(unanswered.map((name) => [name, at(-second)])),
});
const opened = (more: Partial<NonNullable<Breaker['open']>> = {}): Breaker => ({
  ...closed(anna, bert, cleo),
  open: { reason: 'unanswered', until: at(5 * second), probes: 0, probing: false, ...more },
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
  test.each<[string, Outcome, CallResult['sign'] | undefined]>([
    ['a token set', { kind: 'success', tokens }, 'granted'],
    ['a dead grant', failure({ class: 'dead_grant', status: 400 }), 'refused'],
    ['a wrong client', failure({ class: 'misconfigured', status: 401 }), 'refused'],
    ['too early', failure({ class: 'too_early', status: 400 }), 'answered'],
    ['an error that is not understood', failure({ status: 403 }), 'answered'],
    ['no connection', failure({}), 'unanswered'],
    ['no answer in time', failure({ class: 'in_doubt', code: 'time_out' }), 'unanswered'],
    ['499', failure({ status: 499 }), 'answered'],
    ['500', failure({ class: 'in_doubt', status: 500 }), 'unanswered'],
    ['503', failure({ status: 503 }), 'unanswered'],
    ['429', failure({ status: 429 }), 'unanswered'],
    ['a key that cannot be read, so that no call was made', failure({ class: 'misconfigured' }), undefined],
  ])('%s: %#', (_, outcome, expected) => expect(signOf(outcome)).toBe(expected));
});

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined, count: () => undefined };
const worldOf = (breakers: BreakerStore) => ({
  clock: { now: () => now, sleep: async () => undefined },
  chance: { next: () => 0, id: () => 'id', grantId: () => 'grant' as GrantId },
  announcer: { announce: async () => undefined },
  breakers,
  telemetry: silent,
  providers: { of: (config: ConnectionConfig) => ({ ...providersFrom().of(config), application: 'app' }) },
});

test('no refusal of a living grant is believed where other refreshers write the breaker first each time', async () => {
  const breakers = { ...memoryBreakers(), replace: async () => false };
  const refused = { kind: 'failure', class: 'dead_grant', code: 'invalid_grant', status: 400 } as const;
  expect(await recordOutcome(worldOf(breakers), connectionOf({ generation }), refused, undefined)).toBeGreaterThan(now);
});

test('a call that was not made does not change the breaker', async () => {
  const breakers = memoryBreakers();
  const before: Breaker = { application: 'app', version: 1, unanswered: { bert: now } };
  await breakers.replace(before);
  await recordOutcome(
    worldOf(breakers),
    connectionOf(),
    { kind: 'failure', class: 'misconfigured', code: 'private_key_unreadable' },
    before,
  );
  expect(await breakers.read('app')).toEqual(before);
});

describe('after a call', () => {
  test('an answer where nothing was amiss changes nothing, so it costs no write', () => {
    expect(afterCall(undefined, sign(anna, 'granted'), now, 0)).toBeUndefined();
    expect(afterCall(closed(), sign(anna, 'granted'), now, 0)).toBeUndefined();
  });
  test('an answer to anybody clears everything', () => {
    const clear = { application: 'app', version: 8, unanswered: {} };
    expect(afterCall(closed(anna, bert), sign(cleo, 'answered'), now, 0)).toEqual(clear);
    expect(afterCall(opened({ probing: true, prober: anna }), sign(bert, 'granted'), now, 0)).toEqual(clear);
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
      reason: 'unanswered',
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
      afterCall(closed(anna, bert), sign(cleo, 'unanswered', { retryAt: at(retryAt) }), now, 0)?.open?.until;
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

describe('living grants that are refused', () => {
  const names = Array.from({ length: 60 }, (_, n) => `c${n}` as ConnectionName) as [
    ConnectionName,
    ...ConnectionName[],
  ];
  const prober = names[50] as ConnectionName;
  const refuse = (breaker: Breaker | undefined, name: ConnectionName, instant = now) =>
    afterCall(breaker, sign(name, 'refused'), instant, 0);
  const refusedBy = (count: number, before?: Breaker) =>
    names.slice(0, count).reduce<Breaker | undefined>((breaker, name) => refuse(breaker, name), before);
  const isWithheld = (breaker: Breaker | undefined) => withheldUntil(breaker, sign(anna, 'refused')) !== undefined;

  test('the first three are believed, the fourth is withheld for three minutes', () => {
    expect(isWithheld(refusedBy(3))).toBe(false);
    expect(withheldUntil(refusedBy(4), sign(anna, 'refused'))).toBe(at(3 * minute));
    expect(passage(refusedBy(4), anna, now, 0)).toEqual({ kind: 'open', until: at(3 * minute) });
  });
  test('one connection alone is believed, however often it is refused', () => {
    let breaker: Breaker | undefined;
    for (let call = 0; call < 10; call += 1) breaker = refuse(breaker, anna, at(call * second));
    expect(isWithheld(breaker)).toBe(false);
  });
  test('four within ten minutes count, not four within more', () => {
    expect(isWithheld(refuse(refusedBy(3), anna, at(10 * minute - 1)))).toBe(true);
    expect(isWithheld(refuse(refusedBy(3), anna, at(10 * minute)))).toBe(false);
  });
  test('a grant that never brought a token set does not count', () => {
    expect(afterCall(undefined, sign(anna, 'refused', { living: false }), now, 0)).toBeUndefined();
    const fourth = afterCall(refusedBy(3), sign(anna, 'refused', { living: false }), now, 0) ?? refusedBy(3);
    expect(isWithheld(fourth)).toBe(false);
  });
  test('half as many token sets as refusals in between show that the provider is well', () => {
    const granted = (count: number) =>
      names
        .slice(0, count)
        .reduce((breaker, name) => afterCall(breaker, sign(name, 'granted'), now, 0) ?? breaker, refusedBy(3));
    expect(isWithheld(refuse(granted(1), anna))).toBe(true);
    expect(isWithheld(refuse(granted(2), anna))).toBe(false);
  });
  test('names at most fifty', () => {
    expect(Object.keys(refusedBy(60)?.refused?.at ?? {})).toHaveLength(50);
  });

  const probing = (): Breaker => {
    const way = passage(refusedBy(4), prober, at(3 * minute), 0);
    if (way.kind !== 'half_open') throw new Error('no probe');
    return way.probe;
  };
  test('a probe that is granted clears everything', () => {
    expect(afterCall(probing(), sign(prober, 'granted'), at(3 * minute), 0)).toEqual({
      application: 'app',
      version: 6,
      unanswered: {},
    });
  });
  test('a probe that is refused makes refusals believed for an hour, and lets everyone call', () => {
    const after = refuse(probing(), prober, at(3 * minute));
    expect(isWithheld(after)).toBe(false);
    expect(passage(after, anna, at(3 * minute), 0)).toEqual({ kind: 'closed' });
    expect(isBelieved(after, at(63 * minute - 1))).toBe(true);
    expect(isBelieved(after, at(63 * minute))).toBe(false);
    expect(isWithheld(refuse(after, anna, at(63 * minute - 1)))).toBe(false);
  });
  test('a call that began before it opened is withheld, and says nothing more', () => {
    expect(refuse(refusedBy(4), anna)?.open).toEqual(refusedBy(4)?.open);
    expect(refuse(probing(), anna, at(3 * minute))?.open).toEqual(probing().open);
  });
  test('a probe with another answer decides nothing: three minutes more', () => {
    const after = afterCall(probing(), sign(prober, 'answered'), at(3 * minute), 0);
    expect(after?.open).toMatchObject({ reason: 'refused', until: at(6 * minute), probing: false });
  });
  test('a probe without an answer waits as any probe does, and what was refused stays withheld', () => {
    const after = afterCall(probing(), sign(prober), at(3 * minute), 0);
    expect(after?.open).toMatchObject({ reason: 'refused', until: at(3 * minute + 10 * second), probes: 1 });
    expect(isWithheld(after)).toBe(true);
  });
});
