/** What must not compile. The compiler runs this file with every other one (`npm run types`); nothing else does. */
import { commitFailure, commitSuccess } from '../shared/domain/commit-writes.ts';
import { inSecret, versionIdOf } from '../shared/domain/connection.ts';
import type { Held } from '../shared/domain/held.ts';
import { markSent, release, renewLease } from '../shared/domain/lease-writes.ts';
import { plus } from '../shared/domain/time.ts';
import { noNewerCommit, sameGeneration } from '../shared/domain/writes.ts';
import { commitOf, failureOf, now, seenOf } from './contract/worlds.ts';
import { connectionOf } from './domain/fixtures.ts';

const item = connectionOf();
const seen = seenOf(item);
const { generation, fence, grant, tokens } = item;
const versionId = versionIdOf(grant.id, fence);

// The right way, so that what is wrong below is wrong for its reason only.
declare const held: Held;
commitSuccess(held, commitOf(1));
commitFailure(held, failureOf(1));
release(held, plus(now, 1), true);
noNewerCommit(fence);

// A write of a holder by a refresher that holds nothing.
// @ts-expect-error: a connection that was seen is no lease
commitSuccess(seen, commitOf(1));
// @ts-expect-error: a lease and an attempt that no table has granted prove nothing
commitFailure({ lease: held.lease, attempt: held.attempt, seen }, failureOf(1));
// @ts-expect-error: a fencing token is no lease
renewLease(fence, now);
// @ts-expect-error: an attempt is no lease
markSent(held.attempt, now);
// @ts-expect-error: a connection that was seen is no lease
release(seen, undefined, false);

// One kind of value for another.
// @ts-expect-error: a number is no instant
release(held, 1_800_000_000_000, true);
// @ts-expect-error: a duration is no instant
plus(1_000, now);
// @ts-expect-error: a fencing token is no generation
sameGeneration({ ...item, generation: fence });
// @ts-expect-error: a generation is no fencing token
noNewerCommit(generation);
// @ts-expect-error: a version id is no grant id
versionIdOf(versionId, fence);
// @ts-expect-error: a grant id is no version id
inSecret(held.attempt.slot, grant.id);
// @ts-expect-error: slot and version id the other way round
inSecret(versionId, held.attempt.slot);

// A token set is there whole, or not at all.
// @ts-expect-error: an expiry without a token
connectionOf({ tokens: { expiresAt: now } });
// @ts-expect-error: it may be absent
tokens.expiresAt;
