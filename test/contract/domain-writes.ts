/** Every write of the domain, by the name of the function that makes it, each after the writes that it follows. */

import { announced, announcementOf, lookForNotes } from '../../shared/domain/announcements.ts';
import * as authorizations from '../../shared/domain/authorization-writes.ts';
import * as commits from '../../shared/domain/commit-writes.ts';
import type { Connection } from '../../shared/domain/connection.ts';
import * as deletions from '../../shared/domain/deletion-writes.ts';
import * as grants from '../../shared/domain/grant-writes.ts';
import * as leases from '../../shared/domain/lease-writes.ts';
import * as outdated from '../../shared/domain/outdated-writes.ts';
import * as schedule from '../../shared/domain/schedule-writes.ts';
import * as use from '../../shared/domain/use-writes.ts';
import type { Write } from '../../shared/domain/writes.ts';
import type { ConnectionStore } from '../../shared/ports/connections.ts';
import { taking } from '../holding.ts';
import { inSecret } from '../plain.ts';
import { at, commitOf, failureOf, holderOf, leaseEnd, newConnection, now, otherGrantId, seenOf } from './worlds.ts';

type Step = (item: Connection) => Write;

const only = (writes: readonly Write[], index = 0): Write => {
  const write = writes[index];
  if (write === undefined) throw new Error('there is no such write');
  return write;
};

const linkOf = ({ grant, configuredAt }: Connection) => ({
  id: '0b7c2d7e-8f0a-4f5e-9a53-6f1c1f0f8e11',
  grantId: grant.id,
  configuredAt,
  expiresAt: at(600_000),
});
const offer: Step = (item) => authorizations.offerAuthorization(linkOf(item));
const redeem: Step = (item) => authorizations.redeemAuthorization(item, linkOf(item), 'redeemer', now);
const acquire: Step = (item) => taking(seenOf(item), 'me', now, leaseEnd);
const again: Step = (item) => taking(seenOf(item), 'you', leaseEnd, leaseEnd);
const marked: Step = () => deletions.markDeleted(now);
const taken: Step = () => deletions.takeDeletion('me', now);
const fail: Step = (item) => commits.commitFailure(holderOf(item, item.fence), failureOf(item.fence));
const commit: Step = (item) => only(commits.commitSuccess(holderOf(item, item.fence), commitOf(item.fence)));
const outdatedOne: Step = (item) => outdated.markOutdated(item, now);
/** As a holder commits that saw the connection before the pause. */
const commitUnaware: Step = ({ changed: _, ...item }) => commit(item);
const looked: Step = (item) => {
  const write = lookForNotes(item);
  if (write === undefined) throw new Error('the planner looks already');
  return write;
};
const told: Step = (item) => {
  const announcement = announcementOf(seenOf(item), now);
  if (announcement === undefined) throw new Error('there is nothing to tell');
  return announced(seenOf(item), announcement);
};

/** The last step is the write that is meant. */
export const domainWrites: Readonly<Record<string, readonly Step[]>> = {
  offerAuthorization: [offer],
  withdrawAuthorization: [offer, () => authorizations.withdrawAuthorization()],
  redeemAuthorization: [offer, redeem],
  settleAuthorization: [offer, redeem, () => authorizations.settleAuthorization('redeemer', { kind: 'no_answer' })],
  authorized: [
    offer,
    redeem,
    (item) =>
      authorizations.authorized(
        seenOf(item),
        {
          grantId: otherGrantId,
          place: inSecret(0, 'v'),
          first: { tokens: commitOf(3).tokens, sealedAccessToken: 'sealed' },
          authorization: { ...linkOf(item), redeemer: 'redeemer' },
        },
        at(3),
      ),
  ],
  acquire: [acquire],
  renewLease: [acquire, (item) => leases.renewLease(holderOf(item, 2), at(23_000))],
  markSent: [acquire, again, (item) => leases.markSent(holderOf(item, 3), at(40_000))],
  release: [acquire, (item) => only(leases.release(holderOf(item, 2), at(5_000), false))],
  'release, after an older holder’s commit': [
    acquire,
    (item) => only(leases.release(holderOf(item, 2), at(5_000), false), 1),
  ],
  commitSuccess: [acquire, commit],
  'commitSuccess, late': [acquire, again, (item) => only(commits.commitSuccess(holderOf(item, 2), commitOf(2)), 1)],
  commitFailure: [acquire, fail],
  keepSpare: [acquire, again, commit, (item) => commits.keepSpare(holderOf(item, 2), inSecret(1, 'overtaken'))],
  announced: [acquire, (item) => commits.commitFailure(holderOf(item, 2), failureOf(2, verdict)), told],
  lookForNotes: [acquire, (item) => schedule.pause(item, 'somebody', at(1)), commitUnaware, looked],
  markDeleted: [marked],
  resumeDeletion: [marked, (item) => deletions.resumeDeletion(item.deletion ?? { since: now, notBefore: now }, at(9))],
  takeDeletion: [marked, taken],
  noteGrantEnded: [marked, taken, (item) => deletions.noteGrantEnded(item, 'me', { kind: 'revoked' })],
  postponeDeletion: [marked, taken, () => deletions.postponeDeletion('me', at(5))],
  replaceConfig: [(item) => grants.replaceConfig(item, { ...item.config, account: 'ann' }, at(1))],
  replaceGrant: [(item) => grants.replaceGrant(item, item.config, at(1), { id: otherGrantId, place: undefined })],
  abandonGrant: [(item) => grants.abandonGrant(item, item.config, at(1), otherGrantId)],
  markOutdated: [outdatedOne],
  lookLater: [outdatedOne, (item) => outdated.lookLater(item, at(1))],
  markFitting: [outdatedOne, (item) => outdated.markFitting(item, at(1))],
  promiseWake: [() => schedule.promiseWake(at(9_000), at(9_000), now)],
  rest: [(item) => schedule.rest(item, undefined)],
  arm: [(item) => schedule.rest(item, undefined), (item) => schedule.arm(item, at(1))],
  pause: [(item) => schedule.pause(item, 'somebody', at(1))],
  resume: [(item) => schedule.pause(item, 'somebody', at(1)), (item) => schedule.resume(item, at(2))],
  touch: [() => use.touch(at(1))],
  reject: [acquire, commit, (item) => use.reject(item, at(2_000))],
  ask: [(item) => use.ask(item, at(1))],
};

/** Makes a connection, and all the writes but the last: returns the connection as it is then, and the last. */
export async function upToTheLast(store: ConnectionStore, steps: readonly Step[]) {
  let item: Connection = newConnection();
  await store.create(item);
  const [last, ...before] = steps.toReversed();
  if (last === undefined) throw new Error('there is no write');
  for (const step of before.toReversed()) {
    const write = step(item);
    const done = await store.apply(item.connection, write);
    if (!done.applied) throw new Error(`${write.name} was refused`);
    ({ item } = done);
  }
  return { item, write: last(item) };
}

const verdict = { notBefore: undefined, state: 'reauthorization_required', cause: 'invalid_grant' } as const;
