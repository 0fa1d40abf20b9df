/** The conditional writes of connecting by login, as data like those of `writes.ts`. */

import { dayOf } from './budget.ts';
import { type Committed, tokenSetAs } from './commit-writes.ts';
import type { Connection, Grant, PendingAuthorization, PlaceInSecret, Seen } from './connection.ts';
import { replaceGrant } from './grant-writes.ts';
import { type GrantId, nextFence } from './ids.ts';
import type { EpochMs } from './time.ts';
import { type Clause, codePath, type Write } from './writes.ts';

const asAsked = ({ grantId, configuredAt }: Asked): readonly Clause[] => [
  { path: 'grant.id', equals: grantId },
  { path: 'configuredAt', equals: configuredAt },
];

/** What an authorization was asked for: another grant, or other settings, end it. */
export interface Asked {
  readonly grantId: GrantId;
  readonly configuredAt: EpochMs;
}

/** Notes that an authorization is asked for. The one before it, if there is one, cannot be redeemed any more. */
export const offerAuthorization = (asked: Asked, authorization: PendingAuthorization): Write => ({
  name: 'offer_authorization',
  when: asAsked(asked),
  set: { authorization },
  remove: [],
  mine: [{ path: 'authorization.id', equals: authorization.id }],
});

/** Whether a code that comes back for this request may still be redeemed. */
export const isPending = (item: Connection, asked: Asked, id: string): boolean =>
  item.grant.id === asked.grantId &&
  item.configuredAt === asked.configuredAt &&
  item.authorization?.id === id &&
  item.authorization.redeemer === undefined;

/**
 * Written before the code is sent: of any number of callbacks one redeems it, once, ever. The call is counted like
 * every other.
 */
export function redeemAuthorization(item: Connection, asked: Asked, id: string, redeemer: string, now: EpochMs): Write {
  const sameDay = item.calls.day === dayOf(now);
  return {
    name: 'redeem_authorization',
    when: [...asAsked(asked), { path: 'authorization.id', equals: id }, { absent: 'authorization.redeemer' }],
    set: {
      'authorization.redeemer': redeemer,
      [codePath(id)]: now,
      ...(sameDay ? {} : { 'calls.count': 1, 'calls.day': dayOf(now) }),
    },
    ...(sameDay && { add: { 'calls.count': 1 } }),
    remove: [],
    mine: [{ path: 'authorization.redeemer', equals: redeemer }],
  };
}

/** A token set that a login brought: sealed for, and committed under, the fencing token that follows the item's. */
export interface Authorized {
  /** The login whose code brought it. */
  readonly id: string;
  readonly grantId: GrantId;
  readonly place: PlaceInSecret;
  readonly tokens: Committed;
  readonly sealedAccessToken: string;
  /** What came with its callback. */
  readonly values?: Grant['values'];
}

/**
 * Replaces the grant by one whose first token set is in hand. It is committed with it: a provider may forbid to renew
 * it at once.
 */
export function authorized({ item, profile }: Seen, brought: Authorized, now: EpochMs): Write {
  const { id, grantId, place, tokens, sealedAccessToken: sealed, values } = brought;
  const first = tokenSetAs(tokens, { sealed, fence: nextFence(item.fence), contested: false }, undefined, profile);
  const replaced = replaceGrant(item, item.config, now, { id: grantId, place, ...(values && { values }) }, first);
  return {
    ...replaced,
    name: 'authorized',
    add: { generation: 1 },
    remove: [...replaced.remove, 'authorization', codePath(id)],
  };
}
