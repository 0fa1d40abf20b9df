/** How long clients wait for a renewal, and when those that waited in vain come again. Pure. */
import { leaseAlive } from './assess.ts';
import type { Connection } from './connection.ts';
import { limits } from './limits.ts';
import { type EpochMs, earliest, plus } from './time.ts';

const clamped = (ms: number, range: { readonly from: number; readonly to: number }): number =>
  Math.min(Math.max(ms, range.from), range.to);

/** A newer token set is wanted, and is not there. */
export interface Wait {
  readonly kind: 'wait';
  /** It cannot come before this instant; undefined if it can come at any moment. */
  readonly notBefore: EpochMs | undefined;
  /** A client waits until this instant at most: then the renewal is late. */
  readonly until: EpochMs;
  /** When it is sensible to ask again. */
  readonly retryAt: EpochMs;
}

/**
 * Since when clients have asked for a renewal that did not come; undefined if they have not, or paused for so long that
 * the next ask begins anew.
 */
export const askedSinceOf = ({ askedAt, askedSince }: Connection, now: EpochMs): EpochMs | undefined =>
  askedAt !== undefined && plus(askedAt, limits.askedAnewMs) > now ? askedSince : undefined;

/**
 * When the renewal that clients wait for began. While none has begun, since every refresher is busy elsewhere, it is
 * the first ask of it that counts. Both are in the item, since the instant must be the same for all clients of the
 * connection: each of them holds an execution environment while it waits, and if each counted from its own request,
 * those that come one after another would hold all environments for ever.
 */
function begunAt(item: Connection, now: EpochMs): EpochMs {
  const attempt = leaseAlive(item, now) && item.lease !== undefined ? item.attempts[item.lease.fence] : undefined;
  return attempt?.startedAt ?? askedSinceOf(item, now) ?? now;
}

/** How long after its beginning a renewal is late: learned from the one before. */
function patienceMs({ tokens }: Connection): number {
  const { tookMs } = tokens ?? {};
  if (tookMs === undefined) return limits.lateMs.unknown;
  return clamped(2 * tookMs + limits.lateSpareMs, { from: limits.lateMs.least, to: limits.lateMs.most });
}

/** How a client waits for a token set that is wanted from `notBefore` on. */
export function waitFor(item: Connection, notBefore: EpochMs, now: EpochMs): Wait {
  if (notBefore > now) {
    const lateAt = plus(askedSinceOf(item, now) ?? notBefore, patienceMs(item));
    return { kind: 'wait', notBefore, until: notBefore > plus(now, limits.aheadMs) ? now : lateAt, retryAt: notBefore };
  }
  const begun = earliest(begunAt(item, now), now);
  const retryMs = clamped((now - begun) * limits.lateRetryShare, limits.lateRetryMs);
  return { kind: 'wait', notBefore: undefined, until: plus(begun, patienceMs(item)), retryAt: plus(now, retryMs) };
}
