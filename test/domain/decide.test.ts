/** What is decided before the call, and how everything ends; `decide-answers.test.ts` has what is decided on an answer. */
import { describe, expect, test } from 'vitest';
import { type Circumstances, decide, type Effect, type Event, type Held } from '../../shared/domain/decide.ts';
import { type Attempt, type Connection, type Place, type Profile, Secret, type TokenSet } from '../../shared/domain/types.ts';
import {
  at,
  attemptOf,
  attemptsWith,
  circumstances,
  connectionOf,
  dueConnectionOf,
  failureOf,
  generation,
  heldOf,
  hour,
  minute,
  myFence,
  now,
  profileOf,
  second,
} from './fixtures.ts';

type Row = readonly [title: string, event: Event, expected: Effect, at?: Partial<Circumstances>];

/** One test a row. */
function cases(rows: readonly Row[]): void {
  for (const [title, event, expected, at] of rows) test(title, () => expect(decide(event, circumstances(at))).toEqual(expected));
}

const stop = (reason: Extract<Effect, { do: 'stop' }>['reason']): Effect => ({ do: 'stop', reason });
const seenOf = (item: Connection, profile = profileOf()) => ({ item, profile });
const leased = { owner: 'another', fence: 12, until: at(7_000) };

describe('the first look', () => {
  const due = seenOf(dueConnectionOf());
  const idle = seenOf(dueConnectionOf({ lastUsed: at(-hour) }));
  cases([
    ['begins with a strong read', { kind: 'started' }, { do: 'read' }],
    ['due: acquire what was seen', { kind: 'read', seen: due }, { do: 'acquire', seen: due }],
    ['not due: wait until it is', { kind: 'read', seen: seenOf(connectionOf()) }, { do: 'wait', until: at(510 * second), reason: 'not_due' }],
    [
      'leased: wait for the lease’s end',
      { kind: 'read', seen: seenOf(dueConnectionOf({ lease: leased })) },
      { do: 'wait', until: at(7_000), reason: 'leased' },
    ],
    ['backing off: wait', { kind: 'read', seen: seenOf(dueConnectionOf({ notBefore: at(minute) })) }, { do: 'wait', until: at(minute), reason: 'backing_off' }],
    ['idle: rest', { kind: 'read', seen: idle }, { do: 'rest', seen: idle, dueAt: undefined }],
    ['deleted', { kind: 'read', seen: undefined }, stop('connection_not_found')],
    ['grant dead', { kind: 'read', seen: seenOf(dueConnectionOf({ state: 'reauthorization_required' })) }, stop('reauthorization_required')],
    ['misconfigured', { kind: 'read', seen: seenOf(dueConnectionOf({ state: 'misconfigured' })) }, stop('misconfigured')],
  ]);
});

describe('the lease was refused', () => {
  const due = seenOf(dueConnectionOf());
  cases([
    ['still due: try again on what is there now', { kind: 'acquire_refused', seen: due, tries: 2 }, { do: 'acquire', seen: due }],
    ['the third time: leave it', { kind: 'acquire_refused', seen: due, tries: 3 }, stop('contended')],
    [
      'another holds it: wait',
      { kind: 'acquire_refused', seen: seenOf(dueConnectionOf({ lease: leased })), tries: 1 },
      { do: 'wait', until: at(7_000), reason: 'leased' },
    ],
    [
      'renewed meanwhile: wait',
      { kind: 'acquire_refused', seen: seenOf(connectionOf()), tries: 1 },
      { do: 'wait', until: at(510 * second), reason: 'not_due' },
    ],
    ['deleted meanwhile', { kind: 'acquire_refused', seen: undefined, tries: 1 }, stop('connection_not_found')],
  ]);
});

describe('the lease was acquired: decide again on what the write returned', () => {
  const acquired = (held: Held): Event => ({ kind: 'acquired', held });
  /** Nothing to do after all: gives the lease back and writes nothing down. */
  const releases = (title: string, item: Connection, wakeAt: Extract<Effect, { do: 'release' }>['wakeAt']): Row => {
    const held = heldOf(item);
    return [title, acquired(held), { do: 'release', held, notBefore: undefined, wakeAt }];
  };
  const proceeds = (title: string, held: Held, rest: { do: 'gather' | 'mark_sent' } | { do: 'look_up'; attempts: readonly Attempt[] }): Row => [
    title,
    acquired(held),
    { ...rest, held },
  ];
  const [outgrown, ended, open, unsent] = [
    attemptOf(9, { generation: generation - 1 }),
    attemptOf(10, { ended: true }),
    attemptOf(11),
    attemptOf(12, { sent: false }),
  ];
  const several = dueConnectionOf({ attempts: attemptsWith(outgrown, ended, open, unsent) });

  cases([
    proceeds('due, nothing in doubt: gather', heldOf(), { do: 'gather' }),
    releases('renewed meanwhile, my own attempt leaving no doubt: release until it is due', connectionOf(), at(510 * second)),
    releases('backing off meanwhile: release until then', dueConnectionOf({ notBefore: at(minute) }), at(minute)),
    releases('idle: release for good', dueConnectionOf({ lastUsed: at(-hour) }), undefined),
    releases('grant found dead meanwhile: release for good', dueConnectionOf({ state: 'reauthorization_required' }), undefined),
    proceeds('others may have sent: look up every one, newest first', heldOf(several), { do: 'look_up', attempts: [open, ended, outgrown] }),
    proceeds('another did not send: nothing to look up', heldOf(dueConnectionOf({ attempts: attemptsWith(unsent) })), { do: 'gather' }),
    proceeds('client credentials, others may have sent: nothing was stored to look up', heldOf(several, profileOf({ grant: 'client_credentials' })), {
      do: 'mark_sent',
    }),
    proceeds('client credentials, nothing in doubt: gather', heldOf(dueConnectionOf(), profileOf({ grant: 'client_credentials' })), { do: 'gather' }),
  ]);
});

describe('earlier attempts were looked up', () => {
  const tokens: TokenSet = {
    accessToken: new Secret('access'),
    refreshToken: new Secret('refresh'),
    tokenType: 'Bearer',
    requestedAt: at(-20_000),
    receivedAt: at(-19_000),
    expiresAt: at(580_000),
  };
  const heldAfter = (attempts: readonly Attempt[], profile: Partial<Profile> = {}, more: Partial<Connection> = {}): Held =>
    heldOf(dueConnectionOf({ attempts: attemptsWith(...attempts), ...more }), profileOf(profile));
  const lookedUp = (held: Held, more: Partial<Extract<Event, { kind: 'looked_up' }>> = {}): Event => ({
    kind: 'looked_up',
    held,
    orphan: undefined,
    unreadable: false,
    ...more,
  });
  const atOnce = { ambiguousRetry: 'at_once' } as const;
  const suspect = failureOf({ class: 'dead_grant', code: 'invalid_grant', cause: 'invalid_grant', status: 400, fence: 12, count: 2 });
  const releases = (title: string, held: Held, until: number): Row => [title, lookedUp(held), { do: 'release', held, notBefore: at(until), wakeAt: at(until) }];
  const sends = (title: string, held: Held, more: Partial<Extract<Event, { kind: 'looked_up' }>> = {}): Row => [
    title,
    lookedUp(held, more),
    { do: 'mark_sent', held },
  ];
  const adopts = (title: string, held: Held, attempt: Attempt, contested: boolean): Row => [
    title,
    lookedUp(held, { orphan: { attempt, tokens } }),
    { do: 'commit_success', held, tokens, place: { slot: attempt.slot, versionId: attempt.versionId }, contested, adopted: true },
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
    const spare: Place = { slot: 1, versionId: 'overtaken' };
    const held = heldAfter([attemptOf(11, { startedAt: at(-84_000) })], {}, { suspect, spare });
    const commit = { failure: { ...suspect, fence: myFence }, notBefore: now, state: 'active', suspect: false, place: spare } as const;
    return [title, lookedUp(held), { do: 'commit_failure', held, commit }];
  };

  describe('found', () => {
    const [eleven, twelve] = [attemptOf(11, { slot: 1 }), attemptOf(12)];
    const repeating = attemptOf(12, { repeats: true });
    const outgrown = attemptOf(10, { generation: generation - 1 });
    cases([
      adopts('the only one that sent it: commit it as mine', heldAfter([eleven]), eleven, false),
      adopts('the second, the first having sent it too', heldAfter([eleven, twelve]), twelve, true),
      adopts('the first, the second having sent it too', heldAfter([eleven, twelve]), eleven, true),
      adopts('one that knew itself to repeat another, gone since', heldAfter([repeating]), repeating, true),
      adopts('another sent an outgrown refresh token: nobody contests this one', heldAfter([outgrown, eleven]), eleven, false),
    ]);
    test('under suspicion: commit it all the same', () => {
      const held = heldAfter([eleven], {}, { suspect });
      expect(decide(lookedUp(held, { orphan: { attempt: eleven, tokens } }), circumstances())).toMatchObject({ do: 'commit_success', adopted: true });
    });
  });

  describe('could not be read: that is not absence', () => {
    const held = heldAfter([attemptOf(11, { ended: true })]);
    const release = (until: number): Effect => ({ do: 'release', held, notBefore: at(until), wakeAt: at(until) });
    cases([
      ['single use: again in 3 s', lookedUp(held, { unreadable: true }), release(3_000)],
      ['single use: again in up to 6 s', lookedUp(held, { unreadable: true }), release(5_250), { chance: 0.75 }],
      sends('a replay cannot hurt: go on', heldAfter([attemptOf(11)], atOnce), { unreadable: true }),
    ]);
  });

  describe('none', () => {
    const begun = (ms: number, more: Partial<Attempt> = {}) => attemptOf(11, { startedAt: at(ms), ...more });
    cases([
      releases('single use, its holder can still answer: wait for that', heldAfter([begun(-20_000)]), 64_000),
      releases('single use, its holder can still answer for 1 ms', heldAfter([begun(1 - 84_000)]), 1),
      sends('single use, its holder cannot answer any more: replay', heldAfter([begun(-84_000)])),
      sends('single use, its holder saw it end: replay at once', heldAfter([begun(-20_000, { ended: true })])),
      releases('single use, one ended and one not', heldAfter([begun(-20_000, { ended: true }), attemptOf(12, { startedAt: at(-10_000) })]), 74_000),
      sends('single use, its holder sent an outgrown refresh token: ours was never sent', heldAfter([begun(-20_000, { generation: generation - 1 })])),
      sends('a replay cannot hurt: at once', heldAfter([begun(-20_000)], atOnce)),
    ]);
  });

  describe('none, and the provider called the grant dead before', () => {
    const held = (startedAt: number, profile: Partial<Profile> = {}, more: Partial<Attempt> = {}) =>
      heldAfter([attemptOf(11, { startedAt: at(startedAt), ...more })], profile, { suspect });
    cases([
      releases('a holder can still answer: wait', held(1 - 84_000), 1),
      releases('a holder can still answer: wait, even where a replay cannot hurt', held(1 - 84_000, atOnce), 1),
      concludes('no holder can answer any more: the verdict, without another call', held(-84_000)),
      concludes('the same where a replay cannot hurt', held(-84_000, atOnce)),
      concludes('its holder saw it end', held(-20_000, {}, { ended: true })),
      goesOnWithSpare('no holder can answer any more, but there is a spare: go on with that'),
      sends('nothing is in doubt any more: ask the provider', held(-20_000, {}, { generation: generation - 1 })),
    ]);
  });
});

describe('just before the call', () => {
  const held = heldOf();
  const hasty = heldOf(dueConnectionOf(), profileOf({ callTimeoutMs: 50_000 }));
  const lookAgain = (of: Held): Effect => ({ do: 'release', held: of, notBefore: undefined, wakeAt: now });
  const ready = (of: Held, leaseUntil = at(18_000)): Event => ({ kind: 'ready', held: of, leaseUntil });
  const releaseUntil = (ms: number): Effect => ({ do: 'release', held, notBefore: at(ms), wakeAt: at(ms) });

  cases([
    ['marked as sent: gather', { kind: 'send_marked', held }, { do: 'gather', held }],
    ['the mark was refused: the lease is another’s', { kind: 'send_refused' }, stop('lease_lost')],
    ['time for the call, its keeping and its commit: call', ready(held), { do: 'call', held }, { deadline: at(65_000) }],
    ['1 ms less: no call', ready(held), lookAgain(held), { deadline: at(64_999) }],
    ['a shorter call needs less time', ready(hasty), { do: 'call', held: hasty }, { deadline: at(55_000) }],
    ['but no less than that', ready(hasty), lookAgain(hasty), { deadline: at(54_999) }],
    ['lease over in 1 ms: call', ready(held, at(1)), { do: 'call', held }],
    ['lease over on the instant: no call', ready(held, now), lookAgain(held)],
    ['a store or a key is out of reach: again in 3 s', { kind: 'not_ready', held, code: 'store_unavailable', missing: false }, releaseUntil(3_000)],
    [
      'a store or a key is out of reach: again in up to 6 s',
      { kind: 'not_ready', held, code: 'store_unavailable', missing: false },
      releaseUntil(5_250),
      { chance: 0.75 },
    ],
    [
      'a secret is not there: a failure that people see',
      { kind: 'not_ready', held, code: 'client_secret_missing', missing: true },
      {
        do: 'commit_failure',
        held,
        commit: {
          failure: { class: 'transient', code: 'client_secret_missing', at: now, count: 1, fence: myFence },
          notBefore: at(5_000),
          state: 'active',
          suspect: false,
        },
      },
    ],
  ]);
});

describe('the end', () => {
  const held = heldOf();
  const place: Place = { slot: 0, versionId: 'overtaken' };
  cases([
    ['renewed', { kind: 'success_committed', adopted: false }, stop('refreshed')],
    ['adopted: it may be old already, look again', { kind: 'success_committed', adopted: true }, { do: 'read' }],
    ['failed, to try again', { kind: 'failure_committed', notBefore: at(minute) }, { do: 'wait', until: at(minute), reason: 'backing_off' }],
    ['failed for good', { kind: 'failure_committed', notBefore: undefined }, stop('failed')],
    ['a newer token set is there: keep the refresh token that it overtook', { kind: 'success_refused', held, place }, { do: 'keep_spare', held, place }],
    ['a newer token set is there, and no refresh token came', { kind: 'success_refused', held, place: undefined }, stop('superseded')],
    ['the overtaken refresh token was kept', { kind: 'spare_kept' }, stop('superseded')],
    ['a failure that something newer overtook: give the lease back, if it is still mine', { kind: 'failure_refused', held }, { do: 'release', held, notBefore: undefined, wakeAt: now }],
    ['the table stayed out of reach', { kind: 'commit_abandoned' }, stop('commit_abandoned')],
    ['released, to look again', { kind: 'released', wakeAt: at(minute) }, { do: 'wait', until: at(minute), reason: 'released' }],
    ['released for good', { kind: 'released', wakeAt: undefined }, stop('released')],
  ]);
});
