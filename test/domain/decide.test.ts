/** What is decided up to the call, and how everything ends; look-ups, answers and verdicts have files of their own. */

import { describe, expect, test } from 'vitest';
import type { Attempt, Connection, Place } from '../../shared/domain/connection.ts';
import { type Held, heldBy } from '../../shared/domain/held.ts';
import type { VersionId } from '../../shared/domain/ids.ts';
import type { Effect, Event } from '../../shared/domain/steps.ts';
import { holding, taking } from '../holding.ts';
import { inSecret } from '../plain.ts';
import { cases, decided, type Row, stop } from './decisions.ts';
import {
  at,
  attemptOf,
  attemptsWith,
  committedFence,
  connectionOf,
  dueConnectionOf,
  failureOf,
  generation,
  heldOf,
  hour,
  itemAfter,
  minute,
  myFence,
  now,
  profileOf,
  released,
  second,
} from './fixtures.ts';

const seenOf = (item: Connection, profile = profileOf()) => ({ item, profile });
const leased = { owner: 'another', fence: 12, until: at(7_000) };

describe('the first look', () => {
  const due = seenOf(dueConnectionOf());
  const idle = seenOf(dueConnectionOf({ lastUsed: at(-hour) }));
  cases([
    ['begins with a strong read', { kind: 'started' }, { do: 'read' }],
    ['due: acquire what was seen', { kind: 'read', seen: due }, { do: 'acquire', seen: due }],
    [
      'not due: wait until it is',
      { kind: 'read', seen: seenOf(connectionOf()) },
      { do: 'wait', until: at(510 * second), reason: 'not_due' },
    ],
    [
      'leased: wait for the lease’s end',
      { kind: 'read', seen: seenOf(dueConnectionOf({ lease: leased })) },
      { do: 'wait', until: at(7_000), reason: 'leased' },
    ],
    [
      'backing off: wait',
      { kind: 'read', seen: seenOf(dueConnectionOf({ notBefore: at(minute) })) },
      { do: 'wait', until: at(minute), reason: 'backing_off' },
    ],
    ['idle: rest', { kind: 'read', seen: idle }, { do: 'rest', seen: idle, dueAt: undefined }],
    ['deleted', { kind: 'read', seen: undefined }, stop('connection_not_found')],
    [
      'grant dead',
      { kind: 'read', seen: seenOf(dueConnectionOf({ state: 'reauthorization_required' })) },
      stop('reauthorization_required'),
    ],
    [
      'misconfigured',
      { kind: 'read', seen: seenOf(dueConnectionOf({ state: 'misconfigured' })) },
      stop('misconfigured'),
    ],
  ]);
});

describe('the lease was refused', () => {
  const due = seenOf(dueConnectionOf());
  cases([
    [
      'still due: try again on what is there now',
      { kind: 'acquire_refused', seen: due, tries: 2 },
      { do: 'acquire', seen: due },
    ],
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
    return [
      title,
      acquired(held),
      { do: 'release', called: false, budgetSpent: false, held, notBefore: undefined, wakeAt },
    ];
  };
  const proceeds = (
    title: string,
    held: Held,
    rest: { do: 'load_secrets' | 'mark_sent' } | { do: 'look_up'; attempts: readonly Attempt[] },
  ): Row => [title, acquired(held), { ...rest, held }];
  const [former, ended, open, unsent] = [
    attemptOf(9, { generation: generation - 1 }),
    attemptOf(10, { ended: true }),
    attemptOf(11),
    attemptOf(12, { sent: false }),
  ];
  const overtaken = attemptOf(committedFence - 1, { generation: generation - 1 });
  const several = dueConnectionOf({ attempts: attemptsWith(overtaken, former, ended, open, unsent) });
  const suspect = failureOf({ class: 'dead_grant', code: 'invalid_grant' });

  cases([
    proceeds('due, nothing in doubt: load the secrets', heldOf(), { do: 'load_secrets' }),
    releases(
      'renewed meanwhile, my own attempt leaving no doubt: release until it is due',
      connectionOf(),
      at(510 * second),
    ),
    releases('backing off meanwhile: release until then', dueConnectionOf({ notBefore: at(minute) }), at(minute)),
    releases('idle: release for good', dueConnectionOf({ lastUsed: at(-hour) }), undefined),
    releases(
      'grant found dead meanwhile: release for good',
      dueConnectionOf({ state: 'reauthorization_required' }),
      undefined,
    ),
    proceeds('others may have sent: look up every one, newest first', heldOf(several), {
      do: 'look_up',
      attempts: [open, ended, former],
    }),
    proceeds(
      'nothing is looked up of one that a success has overtaken',
      heldOf(dueConnectionOf({ attempts: attemptsWith(overtaken) }), profileOf(), { sent: true }),
      {
        do: 'load_secrets',
      },
    ),
    proceeds(
      'but before a verdict, that too',
      heldOf(dueConnectionOf({ suspect, attempts: attemptsWith(overtaken) })),
      {
        do: 'look_up',
        attempts: [overtaken],
      },
    ),
    proceeds('another did not send: nothing to look up', heldOf(dueConnectionOf({ attempts: attemptsWith(unsent) })), {
      do: 'load_secrets',
    }),
    proceeds(
      'not marked as sent, although nobody who may have sent is there: mark it first',
      heldOf(dueConnectionOf(), profileOf(), { sent: false }),
      {
        do: 'mark_sent',
      },
    ),
    proceeds(
      'client credentials, others may have sent: nothing was stored to look up',
      heldOf(several, profileOf({ grant: 'client_credentials' })),
      {
        do: 'mark_sent',
      },
    ),
    proceeds(
      'client credentials, nothing in doubt: load the secrets',
      heldOf(dueConnectionOf(), profileOf({ grant: 'client_credentials' })),
      {
        do: 'load_secrets',
      },
    ),
  ]);

  test('a stale reader acquires behind a holder that has gone meanwhile: no request leaves under an attempt that says "not sent"', () => {
    const lease = { owner: 'f11', fence: 11, until: now };
    const seen = dueConnectionOf({ fence: 11, lease, attempts: attemptsWith(attemptOf(11)) });
    const write = taking(seenOf(seen), 'f12', now, at(18_000));
    const item = itemAfter(write, itemAfter(released(holding(seen, 11, profileOf()), undefined, false), seen));
    expect(item.attempts).toEqual({ 12: write.attempt });
    expect(write.attempt.sent).toBe(false);
    decided(acquired(heldBy(write, { applied: true, item }, profileOf())), 'mark_sent');
  });
});

describe('just before the call', () => {
  const held = heldOf();
  const hasty = heldOf(dueConnectionOf(), profileOf({ callTimeoutMs: 50_000 }));
  const lookAgain = (of: Held): Effect => ({
    do: 'release',
    called: false,
    budgetSpent: false,
    held: of,
    notBefore: undefined,
    wakeAt: now,
  });
  const ready = (of: Held, leaseUntil = at(18_000)): Event => ({
    kind: 'ready',
    held: of,
    leaseUntil,
    breaker: undefined,
  });
  const releaseUntil = (ms: number): Effect => ({
    do: 'release',
    called: false,
    budgetSpent: false,
    held,
    notBefore: at(ms),
    wakeAt: at(ms),
  });

  cases([
    ['marked as sent: load the secrets', { kind: 'send_marked', held }, { do: 'load_secrets', held }],
    ['the mark was refused: the lease is another’s', { kind: 'send_refused' }, stop('lease_lost')],
    [
      'time for the call, its keeping and its commit: call',
      ready(held),
      { do: 'call', held },
      { deadline: at(65_000) },
    ],
    ['1 ms less: no call', ready(held), lookAgain(held), { deadline: at(64_999) }],
    ['a shorter call needs less time', ready(hasty), { do: 'call', held: hasty }, { deadline: at(55_000) }],
    ['but no less than that', ready(hasty), lookAgain(hasty), { deadline: at(54_999) }],
    ['lease over in 1 ms: call', ready(held, at(1)), { do: 'call', held }],
    ['lease over on the instant: no call', ready(held, now), lookAgain(held)],
    [
      'a store or a key is out of reach: again in 3 s',
      { kind: 'not_ready', held, code: 'store_unavailable', missing: false },
      releaseUntil(3_000),
    ],
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
  const stored: Place = inSecret(0, 'overtaken');
  const place: Place = { kind: 'sealed', versionId: 'overtaken' as VersionId, sealed: 'text' };
  cases([
    ['renewed', { kind: 'success_committed', adopted: false, seen: held.seen }, stop('refreshed')],
    [
      'renewed, and deleted meanwhile: another refresher goes on with the deletion at once',
      {
        kind: 'success_committed',
        adopted: false,
        seen: { ...held.seen, item: { ...held.seen.item, deletion: { since: now, notBefore: now } } },
      },
      { do: 'wait', until: now, reason: 'released' },
    ],
    [
      'adopted: it may be old already, look again',
      { kind: 'success_committed', adopted: true, seen: held.seen },
      { do: 'read' },
    ],
    [
      'failed, to try again',
      { kind: 'failure_committed', notBefore: at(minute), seen: held.seen },
      { do: 'wait', until: at(minute), reason: 'backing_off' },
    ],
    ['failed for good', { kind: 'failure_committed', notBefore: undefined, seen: held.seen }, stop('failed')],
    [
      'a newer token set is there: keep the refresh token that it overtook',
      { kind: 'success_refused', held, place },
      { do: 'keep_spare', held, place },
    ],
    [
      'a newer token set is there, and the refresh token is in its secret',
      { kind: 'success_refused', held, place: stored },
      stop('overtaken'),
    ],
    [
      'a newer token set is there, and no refresh token came',
      { kind: 'success_refused', held, place: undefined },
      stop('overtaken'),
    ],
    ['the overtaken refresh token was kept', { kind: 'spare_kept' }, stop('overtaken')],
    [
      'a failure that something newer overtook: give the lease back, if it is still mine',
      { kind: 'failure_refused', held, place: undefined },
      { do: 'release', called: true, budgetSpent: false, held, notBefore: undefined, wakeAt: now },
    ],
    [
      'a refused failure that brought a refresh token: that is committed all the same',
      { kind: 'failure_refused', held, place },
      {
        do: 'commit_success',
        held,
        tokens: { requestedAt: now, receivedAt: now, expiresAt: now },
        place,
        contested: true,
        adoptedFence: undefined,
        overtaken: undefined,
        spread: 0,
      },
    ],
    ['the table stayed out of reach', { kind: 'commit_abandoned' }, stop('commit_abandoned')],
    [
      'released, to look again',
      { kind: 'released', wakeAt: at(minute) },
      { do: 'wait', until: at(minute), reason: 'released' },
    ],
    ['released for good', { kind: 'released', wakeAt: undefined }, stop('released')],
  ]);
});
