/** The conditional writes of connecting by login, as data like those of `writes.ts`. */

import { dayOf } from './budget.ts';
import type { Connection, PendingAuthorization, Place, Seen } from './connection.ts';
import { replaceGrant } from './grant-writes.ts';
import { type EpochMs, plus } from './time.ts';
import { refreshAtOf } from './timing.ts';
import type { TokenSet } from './token-set.ts';
import type { Clause, Path, Write } from './writes.ts';

const asAsked = ({ grantId, configuredAt }: Asked): readonly Clause[] => [
  { path: 'grantId', equals: grantId },
  { path: 'configuredAt', equals: configuredAt },
];

/** What an authorization was asked for: another grant, or other settings, end it. */
export type Asked = Pick<Connection, 'grantId' | 'configuredAt'>;

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
  item.grantId === asked.grantId &&
  item.configuredAt === asked.configuredAt &&
  item.authorization?.id === id &&
  item.authorization.redeemer === undefined;

/** A code has no fencing token: its call is kept among the errors under its instant, a number that no fencing token comes near. */
const codePath = (redeemedAt: EpochMs): Path => `errors.${redeemedAt}`;

/** Written before the code is sent: of any number of callbacks one redeems it, once, ever. The call is counted like every other. */
export function redeemAuthorization(item: Connection, asked: Asked, id: string, redeemer: string, now: EpochMs): Write {
  const sameDay = item.callsOn === dayOf(now);
  return {
    name: 'redeem_authorization',
    when: [...asAsked(asked), { path: 'authorization.id', equals: id }, { absent: 'authorization.redeemer' }],
    set: {
      'authorization.redeemer': redeemer,
      [codePath(now)]: now,
      ...(sameDay ? {} : { calls: 1, callsOn: dayOf(now) }),
    },
    ...(sameDay && { add: { calls: 1 } }),
    remove: [],
    mine: [{ path: 'authorization.redeemer', equals: redeemer }],
  };
}

/** A token set that somebody's login brought: sealed for, and committed under, the fencing token that follows the item's. */
export interface Authorized {
  readonly grantId: string;
  readonly place: Place;
  readonly tokens: Pick<TokenSet, 'tokenType' | 'scope' | 'requestedAt' | 'receivedAt' | 'expiresAt'>;
  readonly sealedAccessToken: string;
  readonly redeemedAt: EpochMs;
}

/** Replaces the grant by one whose first token set is in hand. It is committed with it: a provider may forbid to renew it at once. */
export function authorized(
  { item, profile }: Seen,
  { grantId, place, tokens, sealedAccessToken, redeemedAt }: Authorized,
  now: EpochMs,
): Write {
  const replaced = replaceGrant(item, item.config, now, { grantId, place });
  const refreshAt = refreshAtOf(tokens, profile);
  const scope = tokens.scope ?? profile.scope;
  const set = {
    ...replaced.set,
    accessToken: sealedAccessToken,
    accessTokenFence: item.fence + 1,
    tokenType: tokens.tokenType,
    requestedAt: tokens.requestedAt,
    receivedAt: tokens.receivedAt,
    expiresAt: tokens.expiresAt,
    refreshAt,
    renewableAt: plus(tokens.receivedAt, profile.minTokenAgeMs),
    ...(scope === undefined ? {} : { scope }),
  };
  return {
    ...replaced,
    name: 'authorized',
    set,
    add: { generation: 1 },
    // What the new token set brings is not also removed.
    remove: [...replaced.remove.filter((path) => !(path in set)), 'authorization', codePath(redeemedAt)],
  };
}
