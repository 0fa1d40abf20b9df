/** What is decided on what earlier attempts have stored, or have not. */

import { describe } from 'vitest';
import type { Attempt, Connection, Place } from '../../shared/domain/connection.ts';
import type { Held } from '../../shared/domain/held.ts';
import type { Generation } from '../../shared/domain/ids.ts';
import type { Profile } from '../../shared/domain/profile.ts';
import { Secret } from '../../shared/domain/secret.ts';
import type { Event } from '../../shared/domain/steps.ts';
import type { TokenSet } from '../../shared/domain/token-set.ts';
import { inSecret, type Plain } from '../plain.ts';
import { cases, type Row } from './decisions.ts';
import {
  at,
  attemptOf,
  attemptsWith,
  dueConnectionOf,
  failureOf,
  generation,
  heldOf,
  myFence,
  now,
  profileOf,
} from './fixtures.ts';

const tokens: TokenSet = {
  accessToken: new Secret('access'),
  refreshToken: new Secret('refresh'),
  tokenType: 'Bearer',
  requestedAt: at(-20_000),
  receivedAt: at(-19_000),
  expiresAt: at(580_000),
};
const heldAfter = (
  attempts: readonly Attempt[],
  profile: Partial<Profile> = {},
  more: Partial<Connection> = {},
): Held => heldOf(dueConnectionOf({ attempts: attemptsWith(...attempts), ...more }), profileOf(profile));
const lookedUp = (held: Held, more: Partial<Extract<Event, { kind: 'looked_up' }>> = {}): Event => ({
  kind: 'looked_up',
  held,
  orphan: undefined,
  unreadable: false,
  ...more,
});
const atOnce = { ambiguousRetry: 'at_once' } as const;
const suspect = failureOf({
  class: 'dead_grant',
  code: 'invalid_grant',
  cause: 'invalid_grant',
  status: 400,
  fence: 12,
  count: 2,
});
const releases = (
  title: string,
  held: Held,
  until: number,
  more: Partial<Extract<Event, { kind: 'looked_up' }>> = {},
  chance = 0,
): Row => [
  title,
  lookedUp(held, more),
  { do: 'release', called: false, budgetSpent: false, held, notBefore: at(until), wakeAt: at(until) },
  { chance },
];
const sends = (title: string, held: Held, more: Partial<Extract<Event, { kind: 'looked_up' }>> = {}): Row => [
  title,
  lookedUp(held, more),
  { do: 'mark_sent', held },
];
const adopts = (title: string, held: Held, attempt: Attempt, contested: boolean, overtaken?: Place): Row => [
  title,
  lookedUp(held, { orphan: { attempt, tokens } }),
  {
    do: 'commit_success',
    held,
    tokens,
    place: inSecret(attempt.slot, attempt.versionId),
    contested,
    adoptedFence: attempt.fence,
    overtaken,
    spread: 0,
  },
];
const concludes = (title: string, held: Held): Row => [
  title,
  lookedUp(held),
  {
    do: 'commit_failure',
    held,
    commit: {
      failure: { ...suspect, cause: 'refresh_in_doubt', fence: myFence },
      notBefore: undefined,
      state: 'reauthorization_required',
      cause: 'refresh_in_doubt',
      suspect: false,
    },
  },
];

const goesOnWithSpare = (title: string): Row => {
  const spare: Place = inSecret(1, 'overtaken');
  const held = heldAfter([attemptOf(11, { startedAt: at(-84_000) })], {}, { suspect, spare });
  const commit = {
    failure: { ...suspect, fence: myFence },
    notBefore: now,
    state: 'active',
    suspect: false,
    place: spare,
  } as const;
  return [title, lookedUp(held), { do: 'commit_failure', held, commit }];
};

describe('found', () => {
  const [eleven, twelve] = [attemptOf(11, { slot: 1 }), attemptOf(12)];
  const repeating = attemptOf(12, { repeats: true });
  const former = attemptOf(10, { generation: generation - 1 });
  const formerRepeating = attemptOf(12, { generation: generation - 1, repeats: true });
  const current = dueConnectionOf().refreshToken;
  cases([
    adopts('the only one that sent it: commit it as mine', heldAfter([eleven]), eleven, false),
    adopts('the second, the first having sent it too', heldAfter([eleven, twelve]), twelve, true),
    adopts('the first, the second having sent it too', heldAfter([eleven, twelve]), eleven, true),
    adopts('one that knew itself to repeat another, gone since', heldAfter([repeating]), repeating, true),
    adopts('another sent a former refresh token: nobody contests this one', heldAfter([former, eleven]), eleven, false),
    adopts(
      'one with a former refresh token, the only one that sent that: the current one is put aside',
      heldAfter([former]),
      former,
      false,
      current,
    ),
    adopts(
      'one with a former refresh token, known to repeat another',
      heldAfter([formerRepeating]),
      formerRepeating,
      true,
      current,
    ),
    // The call that was refused sent this refresh token again.
    adopts('under suspicion: commit it all the same', heldAfter([eleven], {}, { suspect }), eleven, true),
  ]);
});

describe('could not be read: that is not absence', () => {
  const held = heldAfter([attemptOf(11, { ended: true })]);
  const unreadable = true;
  const dead = [attemptOf(11, { startedAt: at(-84_000) })];
  cases([
    releases('single use: again in 3 s', held, 3_000, { unreadable }),
    releases('single use: again in up to 6 s', held, 5_250, { unreadable }, 0.75),
    sends('a replay cannot hurt: go on', heldAfter([attemptOf(11)], atOnce), { unreadable }),
    releases('a verdict is pending: none is given', heldAfter(dead, {}, { suspect }), 3_000, { unreadable }),
    releases(
      'a verdict is pending, and a replay cannot hurt: none is given either',
      heldAfter(dead, atOnce, { suspect }),
      5_250,
      { unreadable },
      0.75,
    ),
  ]);
});

describe('none', () => {
  const begun = (ms: number, more: Partial<Plain<Attempt>> = {}) => attemptOf(11, { startedAt: at(ms), ...more });
  cases([
    releases('single use, its holder can still answer: wait for that', heldAfter([begun(-20_000)]), 64_000),
    releases('single use, its holder can still answer for 1 ms', heldAfter([begun(1 - 84_000)]), 1),
    sends('single use, its holder cannot answer any more: replay', heldAfter([begun(-84_000)])),
    sends('single use, its holder saw it end: replay at once', heldAfter([begun(-20_000, { ended: true })])),
    releases(
      'single use, one ended and one not',
      heldAfter([begun(-20_000, { ended: true }), attemptOf(12, { startedAt: at(-10_000) })]),
      74_000,
    ),
    sends(
      'single use, its holder sent a former refresh token: ours was never sent',
      heldAfter([begun(-20_000, { generation: (generation - 1) as Generation })]),
    ),
    sends('a replay cannot hurt: at once', heldAfter([begun(-20_000)], atOnce)),
  ]);
});

describe('none, and the provider called the grant dead before', () => {
  const former = { generation: generation - 1 };
  const held = (startedAt: number, profile: Partial<Profile> = {}, more: Partial<Plain<Attempt>> = {}) =>
    heldAfter([attemptOf(11, { startedAt: at(startedAt), ...more })], profile, { suspect });
  cases([
    releases('a holder can still answer: wait', held(1 - 84_000), 1),
    releases('a holder can still answer: wait, even where a replay cannot hurt', held(1 - 84_000, atOnce), 1),
    concludes('no holder can answer any more: the verdict, without another call', held(-84_000)),
    concludes(
      'no holder can answer any more, and a replay cannot hurt: no other call all the same',
      held(-84_000, atOnce),
    ),
    concludes('its holder saw it end', held(-20_000, {}, { ended: true })),
    goesOnWithSpare('no holder can answer any more, but there is a spare: go on with that'),
    releases(
      'a holder with a former refresh token can still answer, and bring another: wait',
      held(1 - 84_000, {}, former),
      1,
    ),
    releases('the same, where a replay cannot hurt', held(1 - 84_000, atOnce, former), 1),
    concludes('a holder with a former refresh token cannot answer any more: the verdict', held(-84_000, {}, former)),
  ]);
});
