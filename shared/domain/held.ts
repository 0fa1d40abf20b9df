/**
 * Holding the lease, as a value: what a holder writes takes it, so no refresher can commit, release or send without
 * having acquired.
 */
import type { Attempt, Connection, Lease, Seen } from './connection.ts';
import type { Profile } from './profile.ts';
import type { Write } from './writes.ts';

declare const granted: unique symbol;

/** Proof that a lease was granted. It may have ended since: the conditions of each write find that out. */
export interface Held {
  readonly [granted]: true;
  readonly lease: Lease;
  readonly attempt: Attempt;
  /** The connection as the acquiring write returned it. */
  readonly seen: Seen;
}

/** The write that takes the lease, with the lease and the attempt that it writes. */
export interface Acquire extends Write {
  readonly lease: Lease;
  readonly attempt: Attempt;
}

/** Makes the proof, from the acquiring write and the table's answer that it was applied. */
export const heldBy = (
  { lease, attempt }: Acquire,
  { item }: { readonly applied: true; readonly item: Connection },
  profile: Profile,
): Held => ({ lease, attempt, seen: { item, profile } }) as Held;
