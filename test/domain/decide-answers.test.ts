/** What is decided on the provider's answer, and before a grant is believed dead. */
import { describe, expect, test } from 'vitest';
import { decide, type Effect, type Event, type Held, type Outcome } from '../../shared/domain/decide.ts';
import { type Attempt, type Cause, type Connection, type EpochMs, type Place, Secret, type Seen, type TokenSet } from '../../shared/domain/types.ts';
import type { FailureCommit } from '../../shared/domain/writes.ts';
import {
  at,
  attemptOf,
  attemptsWith,
  circumstances,
  dueConnectionOf,
  failureOf,
  generation,
  heldOf,
  minute,
  myFence,
  now,
  profileOf,
  second,
  without,
} from './fixtures.ts';

type Failed = Extract<Outcome, { kind: 'failure' }>;

const answered = (held: Held, outcome: Outcome): Event => ({ kind: 'answered', held, outcome });
const inDoubtAfter = (...attempts: readonly Attempt[]): Connection => dueConnectionOf({ attempts: attemptsWith(...attempts) });

/** Narrows to the effect expected, or fails with the one there is. */
function expectEffect<K extends Effect['do']>(effect: Effect, kind: K): Extract<Effect, { do: K }> {
  expect(effect.do).toBe(kind);
  return effect as Extract<Effect, { do: K }>;
}

describe('a token set', () => {
  const tokens: TokenSet = { accessToken: new Secret('new access'), tokenType: 'Bearer', requestedAt: at(-1_000), receivedAt: now, expiresAt: at(599_000) };
  const refreshToken = new Secret('new refresh');
  const place: Place = { slot: 0, versionId: 'version' };
  const replays = [
    ['nothing was in doubt', dueConnectionOf(), false],
    ['this refresh token may have been sent before', inDoubtAfter(attemptOf(11)), true],
    ['this refresh token was sent before, and its holder saw it end', inDoubtAfter(attemptOf(11, { ended: true })), true],
    ['only an outgrown refresh token may have been sent before', inDoubtAfter(attemptOf(11, { generation: generation - 1 })), false],
  ] as const;

  test('with a refresh token: persist first', () => {
    const held = heldOf();
    const outcome: Outcome = { kind: 'success', tokens: { ...tokens, refreshToken } };
    const effect = expectEffect(decide(answered(held, outcome), circumstances()), 'persist');
    expect(effect).toEqual({ do: 'persist', held, outcome, tokens: outcome.tokens, refreshToken });
    expect(effect.refreshToken).toBe(refreshToken);
    expect(effect.tokens).toBe(outcome.tokens);
  });
  test.each(replays)('persisted: commit it in its place; %s', (_title, item, contested) => {
    const held = heldOf(item);
    const effect = decide({ kind: 'persisted', held, outcome: { kind: 'success', tokens: { ...tokens, refreshToken } }, place }, circumstances());
    expect(effect).toEqual({ do: 'commit_success', held, tokens: { ...tokens, refreshToken }, place, contested, adopted: false });
  });
  test.each(replays)('without a refresh token: commit it, the one we have stays; %s', (_title, item, contested) => {
    const held = heldOf(item);
    const effect = decide(answered(held, { kind: 'success', tokens }), circumstances());
    expect(effect).toEqual({ do: 'commit_success', held, tokens, place: undefined, contested, adopted: false });
  });
});

describe('a failure', () => {
  const exact = profileOf({ minTokenAgeMs: 574 * second });
  const tooEarly: Failed = { kind: 'failure', class: 'too_early', code: 'access_denied', status: 400 };
  const unavailable: Failed = { kind: 'failure', class: 'transient', code: 'http_503', status: 503 };
  const lost: Failed = { kind: 'failure', class: 'in_doubt', code: 'time_out' };
  const refused: Failed = { kind: 'failure', class: 'misconfigured', code: 'invalid_client', status: 401 };
  const young = dueConnectionOf({ receivedAt: at(-573 * second) });
  const old = dueConnectionOf({ receivedAt: at(-580 * second) });
  const thirdInARow = dueConnectionOf({ failure: failureOf({ count: 2 }) });
  const active = (notBefore: EpochMs): Partial<FailureCommit> => ({ state: 'active', notBefore });
  const rows: readonly (readonly [title: string, held: Held, outcome: Failed, count: number, commit: Partial<FailureCommit>])[] = [
    ['too early: when the token is old enough', heldOf(young, exact), tooEarly, 1, active(at(1_000))],
    ['too early, old enough by our clock: in seconds', heldOf(old, exact), tooEarly, 1, active(at(5_000))],
    [
      'too early, after an attempt in doubt: in a minute',
      heldOf({ ...old, attempts: attemptsWith(attemptOf(11, { ended: true })) }, exact),
      tooEarly,
      1,
      active(at(minute)),
    ],
    ['too early after failures: counted anew', heldOf({ ...old, failure: failureOf({ count: 4 }) }, exact), tooEarly, 1, active(at(5_000))],
    ['too early: a retry time in the answer is not for it', heldOf(old, exact), { ...tooEarly, retryAt: at(minute) }, 1, active(at(5_000))],
    ['transient: back off', heldOf(), unavailable, 1, active(at(5_000))],
    ['transient, the third in a row: back off longer', heldOf(thirdInARow), unavailable, 3, active(at(20_000))],
    ['transient, with a first delay of its own', heldOf(), { ...unavailable, code: 'http_429', status: 429 }, 1, active(at(minute))],
    ['transient, with a time to come back', heldOf(), { ...unavailable, retryAt: at(7_000) }, 1, active(at(7_000))],
    ['in doubt: back off', heldOf(), lost, 1, active(at(5_000))],
    ['in doubt, the third in a row: back off longer', heldOf(thirdInARow), lost, 3, active(at(20_000))],
    ['misconfigured: no more calls', heldOf(), refused, 1, { state: 'misconfigured', cause: 'invalid_client', notBefore: undefined }],
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
      const { kind: _kind, retryAt: _retryAt, ...facts } = outcome;
      const failure = { ...facts, at: now, count, fence: myFence };
      expect(decide(answered(held, outcome), circumstances())).toEqual({ do: 'commit_failure', held, commit: { failure, suspect: false, ...commit } });
    });
  }

  test('back-off has jitter', () => {
    expect(decide(answered(heldOf(), unavailable), circumstances({ chance: 0.8 }))).toMatchObject({ commit: { notBefore: at(6_000) } });
  });
  test('a dead grant is not believed yet: read again', () => {
    const held = heldOf(thirdInARow);
    const outcome: Failed = { kind: 'failure', class: 'dead_grant', code: 'invalid_grant', cause: 'invalid_grant', status: 400, description: 'no' };
    const { kind: _kind, ...facts } = outcome;
    expect(decide(answered(held, outcome), circumstances())).toEqual({ do: 'reread', held, verdict: { ...facts, at: now, count: 3, fence: myFence } });
  });
});

describe('an error that brings a refresh token', () => {
  const held = heldOf();
  const refreshToken = new Secret('rotated with an error');
  const place: Place = { slot: 0, versionId: 'version' };
  const limited: Failed = { kind: 'failure', class: 'transient', code: 'http_429', status: 429, retryAt: at(90_000), refreshToken };
  const dead: Failed = { kind: 'failure', class: 'dead_grant', code: 'invalid_grant', cause: 'invalid_grant', refreshToken };

  test.each([
    ['transient', limited],
    ['dead grant', dead],
  ])('%s: persist it first, as a token set without an access token', (_title, outcome) => {
    const effect = expectEffect(decide(answered(held, outcome), circumstances()), 'persist');
    expect(effect.refreshToken).toBe(refreshToken);
    expect(effect.tokens.refreshToken).toBe(refreshToken);
    expect(effect.tokens.accessToken.reveal()).toBe('');
    expect(effect.tokens.expiresAt).toBeLessThanOrEqual(now);
    expect(effect.outcome).toBe(outcome);
  });
  test('persisted: the failure is committed with it', () => {
    const effect = expectEffect(decide({ kind: 'persisted', held, outcome: limited, place }, circumstances()), 'commit_failure');
    expect(effect.commit).toMatchObject({ failure: { class: 'transient', code: 'http_429' }, notBefore: at(90_000), state: 'active', suspect: false, place });
  });
  test('the old one’s death is no news once a new one is in hand', () => {
    const effect = expectEffect(decide({ kind: 'persisted', held, outcome: dead, place }, circumstances()), 'commit_failure');
    expect(effect.commit).toMatchObject({ failure: { class: 'dead_grant' }, notBefore: at(5_000), state: 'active', suspect: false, place });
    expect(effect.commit.cause).toBeUndefined();
  });
  test.each([
    [
      'success',
      {
        kind: 'success',
        tokens: { accessToken: new Secret('a'), refreshToken, tokenType: 'Bearer', requestedAt: now, receivedAt: now, expiresAt: at(minute) },
      },
    ],
    ['error', limited],
  ] as const)('a refresh token that had to be sealed goes with the commit just the same (%s)', (_title, outcome) => {
    const sealed: Place = { versionId: 'version', sealed: 'ciphertext' };
    const effect = decide({ kind: 'persisted', held, outcome, place: sealed }, circumstances());
    expect(effect.do === 'commit_success' ? effect.place : effect.do === 'commit_failure' ? effect.commit.place : effect).toEqual(sealed);
  });
});

describe('before a grant is believed dead', () => {
  const verdict = failureOf({ class: 'dead_grant', code: 'invalid_grant', cause: 'refresh_token_reused', fence: myFence, at: now });
  const reread = (held: Held, seen: Seen | undefined = held.seen): Event => ({ kind: 'reread', held, verdict, seen });
  const changed = (held: Held, more: Partial<Connection>): Seen => ({ ...held.seen, item: { ...held.seen.item, ...more } });
  const dead = (cause: Cause): FailureCommit => ({
    failure: { ...verdict, cause },
    notBefore: undefined,
    state: 'reauthorization_required',
    cause,
    suspect: false,
  });
  const suspected = (notBefore: EpochMs): FailureCommit => ({ failure: verdict, notBefore, state: 'active', suspect: true });

  const elsewhere: readonly (readonly [title: string, seen: (held: Held) => Seen | undefined])[] = [
    ['deleted meanwhile', () => undefined],
    ['a newer token set is there', (held) => changed(held, { generation: generation + 1 })],
    ['another grant is there', (held) => changed(held, { grantId: '00000000-0000-4000-8000' })],
  ];
  test.each(elsewhere)('%s: release and look again', (_title, seen) => {
    const held = heldOf();
    expect(decide({ kind: 'reread', held, verdict, seen: seen(held) }, circumstances())).toEqual({ do: 'release', held, notBefore: undefined, wakeAt: now });
  });

  const rows: readonly (readonly [title: string, item: Connection, commit: FailureCommit])[] = [
    ['nobody else was at it: the provider’s own word', dueConnectionOf(), dead('refresh_token_reused')],
    ['an earlier holder can still answer: suspicion, until it cannot', inDoubtAfter(attemptOf(11)), suspected(at(64_000))],
    ['an earlier holder can still answer for 1 ms', inDoubtAfter(attemptOf(11, { startedAt: at(1 - 84_000) })), suspected(at(1))],
    [
      'an earlier attempt’s outcome is unknown for ever: we may have caused it',
      inDoubtAfter(attemptOf(11, { startedAt: at(-84_000) })),
      dead('refresh_in_doubt'),
    ],
    ['an earlier holder saw its attempt end: we may have caused it', inDoubtAfter(attemptOf(11, { ended: true })), dead('refresh_in_doubt')],
    ['the renewal that brought this token set was contested: we may have caused it', dueConnectionOf({ contested: true }), dead('refresh_in_doubt')],
    ['nobody contested the renewal that brought this token set', dueConnectionOf({ contested: false }), dead('refresh_token_reused')],
  ];
  test.each(rows)('%s', (_title, item, commit) => {
    const held = heldOf(item);
    expect(decide(reread(held), circumstances())).toEqual({ do: 'commit_failure', held, commit });
  });

  test.each([
    ['nobody else was at it', []],
    ['an earlier attempt’s outcome is unknown for ever', [attemptOf(11, { startedAt: at(-84_000) })]],
  ])('%s, and there is a spare refresh token: go on with that at once', (_title, attempts) => {
    const held = heldOf(inDoubtAfter(...attempts));
    const spare: Place = { slot: 1, versionId: 'overtaken' };
    const commit = { failure: verdict, notBefore: now, state: 'active', suspect: false, place: spare } as const;
    expect(decide(reread(held, changed(held, { spare })), circumstances())).toEqual({ do: 'commit_failure', held, commit });
  });
  test('a spare does not shorten suspicion', () => {
    const held = heldOf(inDoubtAfter(attemptOf(11)));
    const seen = changed(held, { spare: { slot: 1, versionId: 'overtaken' } });
    expect(decide(reread(held, seen), circumstances())).toEqual({ do: 'commit_failure', held, commit: suspected(at(64_000)) });
  });
  test('what was read again counts, not what was seen when acquiring', () => {
    const held = heldOf();
    const seen = changed(held, { attempts: attemptsWith(attemptOf(myFence), attemptOf(14, { startedAt: now })) });
    expect(decide(reread(held, seen), circumstances())).toEqual({ do: 'commit_failure', held, commit: suspected(at(84_000)) });
  });
  test('a provider’s word without a cause is an invalid grant', () => {
    const held = heldOf();
    const { cause: _cause, ...bare } = verdict;
    const effect = expectEffect(decide({ kind: 'reread', held, verdict: bare, seen: held.seen }, circumstances()), 'commit_failure');
    expect(effect.commit).toEqual(dead('invalid_grant'));
  });
  test('a connection without a token set can be dead too', () => {
    const held = heldOf(without(dueConnectionOf(), 'expiresAt', 'receivedAt', 'refreshAt', 'accessToken'));
    expect(decide(reread(held), circumstances())).toMatchObject({ commit: { state: 'reauthorization_required', cause: 'refresh_token_reused' } });
  });
});
