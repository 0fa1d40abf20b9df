/** What is decided before a grant is believed dead. */

import { describe, expect, test } from 'vitest';
import { applied } from '../../shared/domain/apply.ts';
import { commitFailure, commitSuccess, type FailureCommit, keepSpare } from '../../shared/domain/commit-writes.ts';
import type { Attempt, Connection, Place, Seen } from '../../shared/domain/connection.ts';
import type { Cause } from '../../shared/domain/failure.ts';
import type { Held } from '../../shared/domain/held.ts';
import type { Fence, Generation, GrantId } from '../../shared/domain/ids.ts';
import type { Sign } from '../../shared/domain/signs.ts';
import type { Event } from '../../shared/domain/steps.ts';
import type { EpochMs } from '../../shared/domain/time.ts';
import type { Write } from '../../shared/domain/writes.ts';
import { inSecret, type Plain } from '../plain.ts';
import { cases, decided, type Row, stop } from './decisions.ts';
import {
  at,
  attemptOf,
  attemptsWith,
  commitOf,
  committedFence,
  dueConnectionOf,
  failureOf,
  generation,
  heldOf,
  hour,
  itemAfter,
  myFence,
  now,
  profileOf,
  released,
  tokenSetOf,
  without,
} from './fixtures.ts';

const verdict = failureOf({
  class: 'dead_grant',
  code: 'invalid_grant',
  cause: 'refresh_token_reused',
  fence: myFence,
  at: now,
});
const spare: Place = inSecret(1, 'overtaken');
const atOnce = profileOf({ ambiguousRetry: 'at_once' });
const afterAttempts = (...attempts: readonly Attempt[]): Connection =>
  dueConnectionOf({ attempts: attemptsWith(...attempts) });
const begun = (ms: number, more: Partial<Plain<Attempt>> = {}) => attemptOf(11, { startedAt: at(ms), ...more });

const reread = (held: Held, seen: Seen | undefined = held.seen): Event => ({ kind: 'reread', held, verdict, seen });
const changed = (held: Held, more: Partial<Connection>): Seen => ({
  ...held.seen,
  item: { ...held.seen.item, ...more },
});
const lookedUp = (held: Held, unreadable = false): Event => ({
  kind: 'looked_up',
  held,
  orphan: undefined,
  unreadable,
});

const dead = (cause: Cause, sign?: Sign): FailureCommit => ({
  failure: { ...verdict, cause },
  notBefore: undefined,
  state: 'reauthorization_required',
  cause,
  suspect: false,
  ...(sign && { sign }),
});
const suspected = (notBefore: EpochMs): FailureCommit => ({
  failure: verdict,
  notBefore,
  state: 'active',
  suspect: true,
});
const goesOn: FailureCommit = { failure: verdict, notBefore: now, state: 'active', suspect: false, place: spare };

const commits = (title: string, item: Connection, commit: FailureCommit, chance = 0): Row => {
  const held = heldOf(item);
  return [title, reread(held), { do: 'commit_failure', held, commit }, { chance }];
};

describe('something else is there', () => {
  const held = heldOf();
  const newer = changed(held, { generation: (generation + 1) as Generation });
  cases([
    [
      'nothing: whatever is recreated has no lease of mine',
      { kind: 'reread', held, verdict, seen: undefined },
      stop('overtaken'),
    ],
    [
      'another grant: it has no lease of mine',
      reread(held, changed(held, { grant: { id: '00000000-0000-4000-8000' as GrantId, at: now } })),
      stop('overtaken'),
    ],
    [
      'a newer token set: release and look again',
      reread(held, newer),
      {
        do: 'release',
        called: true,
        budgetSpent: false,
        held: { ...held, seen: newer },
        notBefore: undefined,
        wakeAt: now,
      },
    ],
  ]);
  test('the release from a newer token set is one that applies', () => {
    const { held: releasing } = decided(reread(held, newer), 'release');
    const item = itemAfter(released(releasing, undefined, false), newer.item);
    expect(item).not.toHaveProperty('lease');
    expect(item.attempts).toEqual({});
  });
});

describe('nobody can have another refresh token: the verdict', () => {
  const former = { generation: generation - 1 };
  cases([
    commits(
      'nobody else was at it: the provider’s own word',
      dueConnectionOf(),
      dead('refresh_token_reused', 'refresh_token_reused'),
    ),
    commits(
      'another was, and did not send',
      afterAttempts(attemptOf(11, { sent: false })),
      dead('refresh_token_reused', 'refresh_token_reused'),
    ),
    commits(
      'an earlier holder saw its attempt end: we may have caused it',
      afterAttempts(attemptOf(11, { ended: true })),
      dead('refresh_in_doubt'),
    ),
    commits(
      'the same of a former refresh token',
      afterAttempts(attemptOf(11, { ended: true, ...former })),
      dead('refresh_in_doubt'),
    ),
    commits(
      'the renewal that brought this token set was contested: we may have caused it',
      dueConnectionOf({ tokens: tokenSetOf({ contested: true }) }),
      dead('refresh_in_doubt'),
    ),
    commits(
      'nobody contested the renewal that brought this token set',
      dueConnectionOf({ tokens: tokenSetOf({ contested: false }) }),
      dead('refresh_token_reused', 'refresh_token_reused'),
    ),
    commits(
      'a connection without a token set can be dead too',
      without(dueConnectionOf(), 'tokens', 'refreshAt'),
      dead('refresh_token_reused'),
    ),
    commits('nobody else was at it, and there is a spare: go on with that', dueConnectionOf({ spare }), goesOn),
    commits(
      'an earlier holder saw its attempt end, and there is a spare',
      { ...afterAttempts(attemptOf(11, { ended: true })), spare },
      goesOn,
    ),
  ]);
  test('a provider’s word without a cause is an invalid grant', () => {
    const held = heldOf(dueConnectionOf({ tokens: tokenSetOf({ receivedAt: at(-hour) }) }));
    const { cause: _cause, ...bare } = verdict;
    expect(decided({ kind: 'reread', held, verdict: bare, seen: held.seen }, 'commit_failure').commit).toEqual(
      dead('invalid_grant'),
    );
  });
});

describe('a provider that keeps a used refresh token until its successor is used', () => {
  const keeping = profileOf({ ambiguousRetry: 'at_once', predecessorStays: true });
  const successor: Place = inSecret(0, 'successor');
  const written = ([write]: readonly Write[], item: Connection) => write && itemAfter(write, item);

  test('what was sent stays beside its successor', () => {
    const held = heldOf(dueConnectionOf(), keeping);
    const { refreshToken } = held.seen.item;
    const item = written(commitSuccess(held, commitOf({ place: successor })), held.seen.item);
    expect(item).toMatchObject({ refreshToken: successor, spare: refreshToken });
  });
  test('and where an older holder has committed another successor, it stays still', () => {
    const held = heldOf(dueConnectionOf({ spare }), keeping);
    const overtaken = held.seen.item.refreshToken;
    const item = written(commitSuccess(held, commitOf({ place: successor, overtaken })), held.seen.item);
    expect(item).toMatchObject({ refreshToken: successor, spare });
  });
  test('what was sent stays beside a successor that came with an error', () => {
    const held = heldOf(dueConnectionOf(), keeping);
    const failure = failureOf({ class: 'transient', fence: myFence });
    const write = commitFailure(held, { failure, notBefore: now, state: 'active', suspect: false, place: successor });
    expect(itemAfter(write, held.seen.item)).toMatchObject({
      refreshToken: successor,
      spare: held.seen.item.refreshToken,
    });
  });
  test('what is tried before the verdict is not put aside again', () => {
    const held = heldOf(dueConnectionOf({ spare }), keeping);
    const item = itemAfter(commitFailure(held, decided(reread(held), 'commit_failure').commit), held.seen.item);
    expect(item).toMatchObject({ refreshToken: spare });
    expect(item).not.toHaveProperty('spare');
  });
  test('the verdict is the provider’s own word, whatever was in doubt', () => {
    const held = heldOf(
      { ...afterAttempts(attemptOf(11, { ended: true })), tokens: tokenSetOf({ contested: true }) },
      keeping,
    );
    expect(decided(reread(held), 'commit_failure').commit).toEqual(dead('refresh_token_reused'));
  });
  test('a successor that no secret took does not push aside the one that brought it', () => {
    const held = heldOf(dueConnectionOf(), keeping);
    const overtaken = { ...held.seen.item, committedFence: (myFence + 1) as Fence };
    expect(applied(keepSpare(held, successor), { ...overtaken, spare })).toBeUndefined();
    expect(applied(keepSpare(held, successor), overtaken)).toMatchObject({ spare: successor });
  });
});

describe('an earlier attempt has not ended: suspicion, and the next look-up decides', () => {
  const former = { generation: generation - 1 };
  const overtaken = attemptOf(committedFence - 1, { startedAt: at(-84_000), ...former });
  cases([
    commits('its holder can still answer', afterAttempts(begun(-20_000)), suspected(at(64_000))),
    commits('its holder can still answer for 1 ms', afterAttempts(begun(1 - 84_000)), suspected(at(1))),
    commits(
      'its holder cannot answer any more, but may have stored something: in 3 s',
      afterAttempts(begun(-84_000)),
      suspected(at(3_000)),
    ),
    commits('the same: in up to 6 s', afterAttempts(begun(-84_000)), suspected(at(5_250)), 0.75),
    commits(
      'it sent a former refresh token, and can still bring another',
      afterAttempts(begun(-20_000, former)),
      suspected(at(64_000)),
    ),
    commits(
      'it sent a former refresh token, and may have stored another',
      afterAttempts(begun(-84_000, former)),
      suspected(at(3_000)),
    ),
    commits(
      'a success has overtaken it, but it may have stored the one that lives',
      afterAttempts(overtaken),
      suspected(at(3_000)),
    ),
    commits('one of several', afterAttempts(attemptOf(10, { ended: true }), begun(-84_000)), suspected(at(3_000))),
    commits('a spare does not shorten it', { ...afterAttempts(begun(-20_000)), spare }, suspected(at(64_000))),
    commits(
      'nor does it where no holder can answer any more',
      { ...afterAttempts(begun(-84_000)), spare },
      suspected(at(3_000)),
    ),
  ]);
  test('what was read again counts, not what was seen when acquiring', () => {
    const held = heldOf();
    const seen = changed(held, { attempts: attemptsWith(attemptOf(myFence), attemptOf(14, { startedAt: now })) });
    expect(decided(reread(held, seen), 'commit_failure').commit).toEqual(suspected(at(84_000)));
  });
});

describe('from suspicion to verdict', () => {
  /** Held anew, after the failure that is decided on `event` was committed. */
  const next = (event: Event, held: Held): Held => {
    const { commit } = decided(event, 'commit_failure');
    return heldOf(itemAfter(commitFailure(held, commit), held.seen.item), held.seen.profile);
  };

  test('a look-up that could not be made goes before a replay that cannot hurt, and not before a verdict', () => {
    const held = heldOf(afterAttempts(begun(-84_000)), atOnce);
    decided(lookedUp(held, true), 'mark_sent');
    const again = next(reread(held), held);
    decided(lookedUp(again, true), 'release');
    expect(decided(lookedUp(again), 'commit_failure').commit).toEqual(dead('refresh_in_doubt'));
  });
  test('a spare takes the suspected one’s place, and is tried before there is a verdict', () => {
    const held = heldOf({ ...afterAttempts(begun(-84_000)), spare });
    const suspicious = next(reread(held), held);
    const trying = next(lookedUp(suspicious), suspicious);
    expect(trying.seen.item).toMatchObject({ refreshToken: spare });
    decided(lookedUp(trying), 'mark_sent');
    const refused = next(reread(trying), trying);
    expect(decided(lookedUp(refused), 'commit_failure').commit).toEqual(dead('refresh_in_doubt'));
  });
});
