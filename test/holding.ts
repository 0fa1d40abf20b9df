/** Holders of a lease without the write that made them so, for tests of what a holder does. */

import type { Attempt, Connection } from '../shared/domain/connection.ts';
import type { Held } from '../shared/domain/held.ts';
import type { Fence, Slot } from '../shared/domain/ids.ts';
import type { Profile } from '../shared/domain/profile.ts';
import { type EpochMs, plus } from '../shared/domain/time.ts';
import { versionIdOf } from './plain.ts';

/** The holder with this fencing token, who sees the connection as `item`. */
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
  const lease = { owner: 'me', fence, until: plus(since, 18_000) };
  return { lease, attempt, seen: { item, profile } } as Held;
}
