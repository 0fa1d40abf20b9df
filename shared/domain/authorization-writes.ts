/** The conditional writes of connecting by login, as data like those of `writes.ts`. */

import { dayOf } from './budget.ts';
import { type Committed, tokenSetAs } from './commit-writes.ts';
import type {
  AuthorizationOutcome,
  ClientSecretInUse,
  Connection,
  Grant,
  PendingAuthorization,
  PlaceInSecret,
  Seen,
} from './connection.ts';
import { replaceGrant } from './grant-writes.ts';
import { type GrantId, nextFence } from './ids.ts';
import type { EpochMs } from './time.ts';
import { type Clause, codePath, exists, type Write } from './writes.ts';

/** What an authorization was asked for: another grant, or other settings, end it. */
type Asked = Pick<PendingAuthorization, 'grantId' | 'configuredAt'>;

const asAsked = ({ grantId, configuredAt }: Asked): readonly Clause[] => [
  { path: 'grant.id', equals: grantId },
  { path: 'configuredAt', equals: configuredAt },
];

/** Notes that an authorization is asked for. The one before it, if there is one, cannot be redeemed any more. */
export const offerAuthorization = (authorization: PendingAuthorization): Write => ({
  name: 'offer_authorization',
  when: asAsked(authorization),
  set: { authorization },
  remove: [],
  mine: [{ path: 'authorization.id', equals: authorization.id }],
});

/** Forgets the link that there is. A code that was sent already still counts: its grant may be the only one left. */
export const withdrawAuthorization = (): Write => ({
  name: 'withdraw_authorization',
  when: [exists, { absent: 'deletion' }],
  set: {},
  remove: ['authorization'],
});

/** What a link is worth at an instant. */
export type LinkState =
  | { readonly kind: 'good'; readonly authorization: PendingAuthorization }
  /** A newer link was made, the link was withdrawn, or the grant or the settings were replaced. */
  | { readonly kind: 'over' }
  | { readonly kind: 'expired' }
  /** A code that came by it was sent. */
  | { readonly kind: 'used'; readonly outcome: AuthorizationOutcome | undefined };

/**
 * Returns what the link with this id is worth. A login that began in time may end later: its callback passes an earlier
 * `now`.
 */
export function linkStateOf({ authorization, grant, configuredAt }: Connection, id: string, now: EpochMs): LinkState {
  if (authorization?.id !== id) return { kind: 'over' };
  if (authorization.redeemer !== undefined) return { kind: 'used', outcome: authorization.outcome };
  if (authorization.grantId !== grant.id || authorization.configuredAt !== configuredAt) return { kind: 'over' };
  return authorization.expiresAt <= now ? { kind: 'expired' } : { kind: 'good', authorization };
}

/**
 * Written before the code is sent: of any number of callbacks one redeems it, once, ever. The call is counted like
 * every other.
 */
export function redeemAuthorization(
  item: Connection,
  { id, ...asked }: PendingAuthorization,
  redeemer: string,
  now: EpochMs,
): Write {
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

/**
 * Notes what came of a code that brought no grant; and that the next call is with the other client secret, where the
 * provider refused this one of two. The code is not sent again.
 */
export const settleAuthorization = (
  redeemer: string,
  outcome: AuthorizationOutcome,
  clientSecret?: ClientSecretInUse,
): Write => ({
  name: 'settle_authorization',
  when: [{ path: 'authorization.redeemer', equals: redeemer }],
  set: { 'authorization.outcome': outcome, ...(clientSecret && { clientSecret }) },
  remove: [],
  mine: [{ path: 'authorization.redeemer', equals: redeemer }],
});

/** What a login brought. */
interface Authorized {
  /** The login whose code brought it, with its redeemer. */
  readonly authorization: PendingAuthorization;
  readonly grantId: GrantId;
  readonly place: PlaceInSecret;
  /**
   * The first token set, sealed for, and committed under, the fencing token that follows the item's. Undefined where
   * nothing of the reply could be used but its refresh token.
   */
  readonly first: { readonly tokens: Committed; readonly sealedAccessToken: string } | undefined;
  /** What came with its callback. */
  readonly values?: Grant['values'];
}

/**
 * Replaces the grant by the one that a login brought. Its first token set is committed with it: a provider may forbid
 * to renew it at once.
 */
export function authorized({ item, profile }: Seen, brought: Authorized, now: EpochMs): Write {
  const { authorization, grantId, place, first, values } = brought;
  const how = { fence: nextFence(item.fence), contested: false };
  // People log in one by one: there is nothing to spread.
  const tokenSet = first && tokenSetAs(first.tokens, first.sealedAccessToken, how, undefined, profile, 0);
  const replaced = replaceGrant(item, item.config, now, { id: grantId, place, ...(values && { values }) }, tokenSet);
  return {
    ...replaced,
    name: 'authorized',
    set: {
      ...replaced.set,
      authorization: { ...authorization, outcome: { kind: 'connected' } satisfies AuthorizationOutcome },
    },
    ...(first && { add: { generation: 1 } }),
    remove: [...replaced.remove, codePath(authorization.id)],
  };
}
