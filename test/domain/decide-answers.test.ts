/** What is decided on the provider's answer. */

import { describe, expect, test } from 'vitest';
import { commitFailure, type FailureCommit } from '../../shared/domain/commit-writes.ts';
import type { Attempt, Connection, Place } from '../../shared/domain/connection.ts';
import { decide } from '../../shared/domain/decide.ts';
import type { Held } from '../../shared/domain/held.ts';
import type { VersionId } from '../../shared/domain/ids.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import { Secret } from '../../shared/domain/secret.ts';
import type { Event } from '../../shared/domain/steps.ts';
import type { EpochMs } from '../../shared/domain/time.ts';
import { refreshAtOf } from '../../shared/domain/timing.ts';
import type { TokenSet } from '../../shared/domain/token-set.ts';
import { inSecret } from '../plain.ts';
import { decided } from './decisions.ts';
import {
  at,
  attemptOf,
  attemptsWith,
  circumstances,
  dueConnectionOf,
  failureOf,
  generation,
  heldOf,
  itemAfter,
  minute,
  myFence,
  now,
  profileOf,
  second,
  tokenSetOf,
} from './fixtures.ts';

type Failed = Extract<Outcome, { kind: 'failure' }>;

const answered = (held: Held, outcome: Outcome): Event => ({ kind: 'answered', held, outcome });
const inDoubtAfter = (...attempts: readonly Attempt[]): Connection =>
  dueConnectionOf({ attempts: attemptsWith(...attempts) });

describe('a token set', () => {
  const tokens: TokenSet = {
    accessToken: new Secret('new access'),
    tokenType: 'Bearer',
    requestedAt: at(-1_000),
    receivedAt: now,
    expiresAt: at(599_000),
  };
  const refreshToken = new Secret('new refresh');
  const place = inSecret(0, 'version');
  const replays = [
    ['nothing was in doubt', dueConnectionOf(), false],
    ['this refresh token may have been sent before', inDoubtAfter(attemptOf(11)), true],
    [
      'this refresh token was sent before, and its holder saw it end',
      inDoubtAfter(attemptOf(11, { ended: true })),
      true,
    ],
    [
      'only a former refresh token may have been sent before',
      inDoubtAfter(attemptOf(11, { generation: generation - 1 })),
      false,
    ],
  ] as const;

  test('with a refresh token: persist first', () => {
    const held = heldOf();
    const outcome: Outcome = { kind: 'success', tokens: { ...tokens, refreshToken } };
    const effect = decided(answered(held, outcome), 'persist');
    expect(effect).toEqual({ do: 'persist', held, outcome, tokens: outcome.tokens, refreshToken });
    expect(effect.refreshToken).toBe(refreshToken);
    expect(effect.tokens).toBe(outcome.tokens);
  });
  test.each(replays)('persisted: commit it in its place; %s', (_title, item, contested) => {
    const held = heldOf(item);
    const effect = decide(
      { kind: 'persisted', held, outcome: { kind: 'success', tokens: { ...tokens, refreshToken } }, place },
      circumstances(),
    );
    expect(effect).toEqual({
      do: 'commit_success',
      held,
      tokens: { ...tokens, refreshToken },
      place,
      contested,
      adoptedFence: undefined,
      overtaken: undefined,
      spread: 0,
    });
  });
  test.each(replays)('without a refresh token: commit it, the one we have stays; %s', (_title, item, contested) => {
    const held = heldOf(item);
    const effect = decide(answered(held, { kind: 'success', tokens }), circumstances());
    expect(effect).toEqual({
      do: 'commit_success',
      held,
      tokens,
      place: undefined,
      contested,
      adoptedFence: undefined,
      overtaken: undefined,
      spread: 0,
    });
  });
});

describe('a failure', () => {
  const exact = profileOf({ minTokenAgeMs: 574 * second });
  const tooEarly: Failed = { kind: 'failure', class: 'too_early', code: 'access_denied', status: 400 };
  const unavailable: Failed = { kind: 'failure', class: 'transient', code: 'http_503', status: 503 };
  const lost: Failed = { kind: 'failure', class: 'in_doubt', code: 'time_out' };
  const refused: Failed = { kind: 'failure', class: 'misconfigured', code: 'invalid_client', status: 401 };
  const young = dueConnectionOf({ tokens: tokenSetOf({ receivedAt: at(-573 * second), expiresAt: at(29 * second) }) });
  const old = dueConnectionOf({ tokens: tokenSetOf({ receivedAt: at(-580 * second), expiresAt: at(29 * second) }) });
  const thirdInARow = dueConnectionOf({ failure: failureOf({ count: 2 }) });
  const active = (notBefore: EpochMs): Partial<FailureCommit> => ({ state: 'active', notBefore });
  const rows: readonly (readonly [
    title: string,
    held: Held,
    outcome: Failed,
    count: number,
    commit: Partial<FailureCommit>,
  ])[] = [
    ['too early: when the token is old enough', heldOf(young, exact), tooEarly, 1, active(at(1_000))],
    [
      'too early, old enough by our clock: in seconds, and a sign of another party',
      heldOf(old, exact),
      tooEarly,
      1,
      { ...active(at(5_000)), sign: 'renewed_elsewhere' },
    ],
    [
      'too early, after an attempt in doubt: in a minute',
      heldOf({ ...old, attempts: attemptsWith(attemptOf(11, { ended: true })) }, exact),
      tooEarly,
      1,
      active(at(minute)),
    ],
    [
      'too early after failures: counted anew',
      heldOf({ ...old, failure: failureOf({ count: 4 }) }, exact),
      tooEarly,
      1,
      active(at(5_000)),
    ],
    [
      'too early: a retry time in the answer is not for it',
      heldOf(old, exact),
      { ...tooEarly, retryAt: at(minute) },
      1,
      { ...active(at(5_000)), sign: 'renewed_elsewhere' },
    ],
    ['transient: back off', heldOf(), unavailable, 1, active(at(5_000))],
    ['transient, the third in a row: back off longer', heldOf(thirdInARow), unavailable, 3, active(at(20_000))],
    [
      'transient, with a first delay of its own',
      heldOf(),
      { ...unavailable, code: 'http_429', status: 429 },
      1,
      active(at(minute)),
    ],
    ['transient, with a time to come back', heldOf(), { ...unavailable, retryAt: at(7_000) }, 1, active(at(7_000))],
    ['in doubt: back off', heldOf(), lost, 1, active(at(5_000))],
    ['in doubt, the third in a row: back off longer', heldOf(thirdInARow), lost, 3, active(at(20_000))],
    [
      'misconfigured: no more calls',
      heldOf(),
      refused,
      1,
      { state: 'misconfigured', cause: 'invalid_client', notBefore: undefined },
    ],
    [
      'misconfigured, for a reason of its own',
      heldOf(),
      { ...refused, code: 'invalid_request', cause: 'invalid_request' },
      1,
      { state: 'misconfigured', cause: 'invalid_request', notBefore: undefined },
    ],
  ];

  for (const [title, held, outcome, count, commit] of rows) {
    test(title, () => {
      const { kind: _kind, retryAt, ...facts } = outcome;
      const failure = { ...facts, ...(retryAt && { told: true }), at: now, count, fence: myFence };
      expect(decide(answered(held, outcome), circumstances())).toEqual({
        do: 'commit_failure',
        held,
        commit: { failure, suspect: false, ...commit },
      });
    });
  }

  test('back-off has jitter', () => {
    expect(decide(answered(heldOf(), unavailable), circumstances({ chance: 0.8 }))).toMatchObject({
      commit: { notBefore: at(6_000) },
    });
  });
  test('a dead grant is not believed yet: read again', () => {
    const held = heldOf(thirdInARow);
    const outcome: Failed = {
      kind: 'failure',
      class: 'dead_grant',
      code: 'invalid_grant',
      cause: 'invalid_grant',
      status: 400,
      description: 'no',
    };
    const { kind: _kind, ...facts } = outcome;
    expect(decide(answered(held, outcome), circumstances())).toEqual({
      do: 'reread',
      held,
      verdict: { ...facts, at: now, count: 3, fence: myFence },
    });
  });
});

describe('an error that brings a refresh token', () => {
  const held = heldOf();
  const refreshToken = new Secret('rotated with an error');
  const place = inSecret(0, 'version');
  const limited: Failed = {
    kind: 'failure',
    class: 'transient',
    code: 'http_429',
    status: 429,
    retryAt: at(90_000),
    refreshToken,
  };
  const lost: Failed = { kind: 'failure', class: 'in_doubt', code: 'http_500', status: 500, refreshToken };
  const dead: Failed = {
    kind: 'failure',
    class: 'dead_grant',
    code: 'invalid_grant',
    cause: 'invalid_grant',
    refreshToken,
  };
  const refused: Failed = {
    kind: 'failure',
    class: 'misconfigured',
    code: 'invalid_client',
    cause: 'invalid_client',
    refreshToken,
  };
  const early: Failed = { kind: 'failure', class: 'too_early', code: 'access_denied', refreshToken };
  const persisted = (outcome: Outcome, kept: Place = place): Event => ({
    kind: 'persisted',
    held,
    outcome,
    place: kept,
  });

  test.each([
    ['transient', limited],
    ['in doubt', lost],
    ['dead grant', dead],
  ])('%s: persist it first, without an access token', (_title, outcome) => {
    const effect = decided(answered(held, outcome), 'persist');
    expect(effect.refreshToken).toBe(refreshToken);
    expect(effect.tokens.refreshToken).toBe(refreshToken);
    expect(effect.tokens.accessToken).toBeUndefined();
    expect(effect.tokens.expiresAt).toBe(now);
    expect(effect.outcome).toBe(outcome);
  });

  // An error counts at a provider that counts from the last token it gave, and this may be one.
  test.each([
    ['renews at once', 0, now],
    ['waits until it is old enough', 574 * second, at(574 * second)],
  ])('whoever adopts it counts its age from now: least age %s', (_title, minTokenAgeMs, refreshAt) => {
    const { tokens } = decided(answered(held, limited), 'persist');
    expect(tokens.receivedAt).toBe(now);
    expect(refreshAtOf(tokens, profileOf({ minTokenAgeMs }), 0)).toBe(refreshAt);
  });

  test.each<readonly [title: string, outcome: Failed, commit: object]>([
    [
      'transient: come back when told',
      limited,
      { failure: { class: 'transient', code: 'http_429' }, notBefore: at(90_000), state: 'active' },
    ],
    [
      'in doubt: not any more',
      lost,
      { failure: { class: 'transient', code: 'http_500', status: 500 }, notBefore: at(5_000), state: 'active' },
    ],
    [
      'dead grant: that was the old one',
      dead,
      { failure: { class: 'transient', code: 'invalid_grant' }, notBefore: at(5_000), state: 'active' },
    ],
    [
      'misconfigured: still so',
      refused,
      { failure: { class: 'misconfigured' }, notBefore: undefined, state: 'misconfigured', cause: 'invalid_client' },
    ],
    ['too early: still so', early, { failure: { class: 'too_early' }, notBefore: at(5_000), state: 'active' }],
  ])('persisted: the failure is committed with it; %s', (_title, outcome, expected) => {
    const { commit } = decided(persisted(outcome), 'commit_failure');
    expect(commit).toMatchObject({ ...expected, suspect: false, place });
    if (commit.state === 'active') expect(commit.cause).toBeUndefined();
  });

  test.each([
    ['in doubt', lost],
    ['dead grant', dead],
  ])(
    '%s: nothing is left to be looked up, so its own version is not adopted over the token in force',
    (_title, outcome) => {
      const { commit } = decided(persisted(outcome), 'commit_failure');
      const item = itemAfter(commitFailure(held, commit), held.seen.item);
      expect(item.attempts).toEqual({});
      expect(item.refreshToken).toEqual(place);
    },
  );

  test.each([
    [
      'success',
      {
        kind: 'success',
        tokens: {
          accessToken: new Secret('a'),
          refreshToken,
          tokenType: 'Bearer',
          requestedAt: now,
          receivedAt: now,
          expiresAt: at(minute),
        },
      },
    ],
    ['error', limited],
  ] as const)('a refresh token that had to be sealed goes with the commit just the same (%s)', (_title, outcome) => {
    const sealed: Place = { kind: 'sealed', versionId: 'version' as VersionId, sealed: 'ciphertext' };
    const effect = decide(persisted(outcome, sealed), circumstances());
    expect(
      effect.do === 'commit_success' ? effect.place : effect.do === 'commit_failure' ? effect.commit.place : effect,
    ).toEqual(sealed);
  });
});
