/** Kept mistakes in what is written, and under which conditions. */

import { protocol as normative } from '../../shared/application/protocol.ts';
import { attemptsOf } from '../../shared/domain/attempts.ts';
import type { Connection, SealedTokenSet } from '../../shared/domain/connection.ts';
import { replaceGrant } from '../../shared/domain/grant-writes.ts';
import type { Slot } from '../../shared/domain/ids.ts';
import { limits } from '../../shared/domain/limits.ts';
import { plus } from '../../shared/domain/time.ts';
import type { Write } from '../../shared/domain/writes.ts';
import { always, asIf, impossible, type Mutant, omit, withAttempt, without, writing } from './mutant.ts';

const withoutMine = <W extends Write>({ mine: _, ...write }: W) => write;
const withoutLease = ({ lease: _, ...item }: Connection): Connection => item;

const uncontested = (tokens: unknown) => ({ ...(tokens as SealedTokenSet), contested: false });

export const writes: readonly Mutant[] = [
  {
    name: 'no intent before the call',
    why: 'What was done is recorded when it is done.',
    variant: writing({
      acquire: (...args) => withAttempt(args[0], args, () => ({ sent: false })),
      markSent: (...args) => omit(normative.markSent(...args), `attempts.${args[0].lease.fence}.sent`),
    }),
    invariant: 'S2',
    caughtBy: { race: 'two doubts in a row' },
  },
  {
    name: 'a replay is not marked as sent',
    why: 'The first attempt is marked already.',
    variant: writing({
      markSent: (...args) => omit(normative.markSent(...args), `attempts.${args[0].lease.fence}.sent`),
    }),
    invariant: 'S2',
    caughtBy: { race: 'lost request, and its replay is stored and dies' },
  },
  {
    name: 'that the end of a client secret was told is not noted',
    why: 'Subscribers remember what they were told.',
    variant: writing({ announced: (...args) => omit(normative.announced(...args), 'announcedSecretEnd') }),
    invariant: 'L3',
    caughtBy: { race: 'a client secret ends in a month, and is told of once' },
  },
  {
    name: 'unconditional commit',
    why: 'What the provider has just given must be the newest.',
    variant: writing({
      commitSuccess: (...args) =>
        normative
          .commitSuccess(...args)
          .slice(1)
          .map((write) => ({ ...write, when: [always] })),
    }),
    invariant: 'S3',
    caughtBy: { race: 'older answer over newer, then the next renewal' },
  },
  {
    name: 'commit only while holding the lease',
    why: 'A refresher that lost the lease has lost the right to write.',
    variant: writing({ commitSuccess: (...args) => normative.commitSuccess(...args).slice(0, 1) }),
    invariant: 'S5',
    caughtBy: { race: 'paused before the commit of a sealed refresh token' },
  },
  {
    name: 'no lease',
    why: 'The conditional commit keeps the table right, so why lock?',
    variant: writing({
      acquire: (...args) => without(normative.acquire(...args), 'lease.until'),
      decide: (event, at) => normative.decide(event.kind === 'acquired' ? event : asIf(event, withoutLease), at),
    }),
    invariant: 'S1',
    caughtBy: { race: 'released by one who holds nothing any more' },
  },
  {
    name: 'lease without heartbeat',
    why: 'Eighteen seconds are enough for any token endpoint.',
    variant: writing({ renewLease: (...args) => omit(normative.renewLease(...args), 'lease.until') }),
    invariant: 'S1',
    caughtBy: { race: 'slow answer while others look' },
  },
  {
    name: 'lease of 3 s',
    why: 'A token call takes half a second.',
    variant: writing({ leaseMs: 3_000 }),
    invariant: 'S1',
    caughtBy: { race: 'failure after an older success' },
  },
  {
    name: 'no gate before the replay',
    why: 'The lease was taken a moment ago.',
    variant: writing({
      markSent: (held, until) => ({
        ...normative.markSent(held, until),
        when: [{ present: 'lease' }, { present: `attempts.${held.lease.fence}` }],
      }),
    }),
    invariant: 'S2',
    caughtBy: { race: 'late commit between the look-up and the replay' },
  },
  {
    name: 'unowned release',
    why: 'Releasing is harmless.',
    variant: writing({
      release: (...args) => normative.release(...args).map((write) => ({ ...write, when: [always] })),
    }),
    invariant: 'S1',
    caughtBy: { race: 'released by one who holds nothing any more' },
  },
  {
    name: 'wait not re-sent',
    why: 'The planner looks every minute anyway.',
    variant: writing({ promiseWake: (...args) => ({ ...normative.promiseWake(...args), when: [impossible] }) }),
    invariant: 'L2',
    caughtBy: { race: 'killed after a heartbeat' },
  },
  {
    name: 'a promise counts until one’s own clock says that it is due',
    why: 'A wake-up that is still to come is still to come.',
    variant: writing({
      promiseWake: (wakeAt, soonEnough, now) => normative.promiseWake(wakeAt, soonEnough, plus(now, -limits.skewMs)),
    }),
    invariant: 'L2',
    caughtBy: { race: 'woken by a message, with a clock that is behind' },
  },
  {
    name: 'refresh_at in seconds',
    why: 'expires_in is in seconds.',
    variant: writing({
      commitSuccess: (held, commit) =>
        normative.commitSuccess(held, commit).map((write) => ({
          ...write,
          set: { ...write.set, refreshAt: Math.floor(Number(write.set.refreshAt) / 1_000) },
        })),
    }),
    invariant: 'S8',
    caughtBy: { withinSeeds: 10 },
  },
  {
    name: 'contested never noted',
    why: 'A success ends all doubt.',
    variant: writing({
      commitSuccess: (...args) =>
        normative
          .commitSuccess(...args)
          .map((write) => ({ ...write, set: { ...write.set, tokens: uncontested(write.set.tokens) } })),
    }),
    invariant: 'S6',
    caughtBy: { race: 'a request that timed out is processed after its replay' },
  },
  {
    name: 'no spare',
    why: 'A success that a newer one overtook is of no use.',
    variant: writing({ keepSpare: (...args) => ({ ...normative.keepSpare(...args), when: [impossible] }) }),
    invariant: 'S5',
    caughtBy: { race: 'a success that lost its commit' },
  },
  {
    name: 'a used refresh token is put aside for none',
    why: 'Its successor is committed, so it has done its work.',
    variant: writing({
      commitSuccess: (held, commit) =>
        normative.commitSuccess(held, commit).map((write) => {
          if (!held.seen.profile.predecessorStays || commit.overtaken !== undefined) return write;
          return { ...omit(write, 'spare'), remove: [...write.remove, 'spare'] };
        }),
    }),
    invariant: 'S5',
    caughtBy: { race: 'a late request replaces the successor that was committed' },
  },
  {
    name: 'an overtaken attempt is forgotten',
    why: 'A newer token set is committed, so what an older attempt brings is of no use.',
    variant: writing({
      commitSuccess: (held, commit) =>
        normative.commitSuccess(held, commit).map((write) => {
          const older = attemptsOf(held.seen.item).filter(({ fence }) => fence <= held.lease.fence);
          const kept = write.remove.filter((path) => !path.startsWith('attempts.'));
          return { ...write, remove: [...kept, ...older.map(({ fence }) => `attempts.${fence}` as const)] };
        }),
    }),
    invariant: 'S3',
    caughtBy: { race: 'the holder of an overtaken success dies before it can say so' },
  },
  {
    name: 'a refresh token that came with an error does not count as a commit',
    why: 'A failure is no success.',
    variant: writing({ commitFailure: (...args) => omit(normative.commitFailure(...args), 'committedFence') }),
    invariant: 'S3',
    caughtBy: { race: 'a new refresh token comes with an error, and an older success commits late' },
  },
  {
    name: 'an adopted orphan keeps the generation',
    why: 'It was not fetched, only found.',
    variant: writing({
      commitSuccess: (held, commit) =>
        normative
          .commitSuccess(held, commit)
          .map(({ add, ...write }) =>
            commit.place?.versionId !== held.attempt.versionId && add !== undefined
              ? write
              : { ...write, ...(add && { add }) },
          ),
    }),
    invariant: 'S3',
    caughtBy: { race: 'two doubts in a row' },
  },
  {
    name: 'which client secret works is not remembered',
    why: 'The list is in order of preference.',
    variant: writing({
      commitSuccess: (...args) =>
        normative.commitSuccess(...args).map(({ set: { clientSecret: _, ...set }, remove, ...write }) => ({
          ...write,
          set,
          remove: [...remove, 'clientSecret'],
        })),
    }),
    invariant: 'S8',
    caughtBy: { withinSeeds: 40 },
  },
  {
    name: 'failure commit not conditional on the generation',
    why: 'The lease is mine, so nobody else has written.',
    variant: writing({ commitFailure: (...args) => without(normative.commitFailure(...args), 'generation') }),
    invariant: 'S3',
    caughtBy: { race: 'failure after an older success' },
  },
  {
    name: 'slots by fence',
    why: 'The fence is what makes the version id unique.',
    variant: writing({
      acquire: (...args) =>
        withAttempt(args[0], args, ({ fence }) => ({ slot: (fence % args[0].profile.slots) as Slot })),
    }),
    invariant: 'S3',
    caughtBy: { race: 'a failure before each renewal of a day' },
  },
  {
    name: 'own writes not recognised',
    why: 'A refused write is a refused write.',
    // Another write each time, for all that the store knows.
    variant: {
      tendWorld: (given) => ({
        ...given,
        store: { ...given.store, apply: (connection, write) => given.store.apply(connection, withoutMine(write)) },
      }),
    },
    invariant: 'L2',
    caughtBy: { race: 'reply to the acquire lost' },
  },
  {
    name: 're-authorization under the old grant id that does not count as a commit',
    why: 'A new refresh token is a new secret, and nothing else.',
    variant: {
      replaceGrant: (...args) => omit(replaceGrant(...args), 'grant', 'committedFence', 'fence', 'attempts'),
    },
    invariant: 'S3',
    caughtBy: { race: 're-authorized with an orphan left' },
    harmlessAlone: [
      { replaceGrant: (...args) => omit(replaceGrant(...args), 'committedFence') },
      { replaceGrant: (...args) => omit(replaceGrant(...args), 'grant') },
    ],
  },
];
