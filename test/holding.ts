/** Takers and holders of a lease, for tests of what they do: it lasts for 18 s. */

import type { Attempt, Connection, Seen } from '../shared/domain/connection.ts';
import type { Acquire, Held } from '../shared/domain/held.ts';
import type { Fence, Slot } from '../shared/domain/ids.ts';
import { acquire } from '../shared/domain/lease-writes.ts';
import type { Profile } from '../shared/domain/profile.ts';
import { type EpochMs, plus } from '../shared/domain/time.ts';
import { versionIdOf } from './plain.ts';

const leaseMs = 18_000;

/** The write by which `owner` takes the lease. */
export const taking = (seen: Seen, owner: string, now: EpochMs, wakeAt: EpochMs): Acquire =>
  acquire(seen, { owner, until: plus(now, leaseMs) }, now, wakeAt);

/** The holder with this fencing token, who sees the connection as `item`, without the write that made it one. */
export function holding(
  item: Connection,
  number: number,
  profile: Profile,
  since = 1_800_000_000_000 as EpochMs,
): Held {
  const fence = number as Fence;
  const attempt: Attempt = item.attempts[fence] ?? {
    fence,
    slot: 0 as Slot,
    versionId: versionIdOf(item.grant.id, fence),
    startedAt: since,
    generation: item.generation,
    sent: true,
    repeats: false,
    ended: false,
  };
  const lease = { owner: 'me', fence, until: plus(since, leaseMs) };
  return { lease, attempt, seen: { item, profile } } as Held;
}
