/** Time and chance: the only sources of both. */
import type { GrantId } from '../domain/ids.ts';
import type { EpochMs } from '../domain/time.ts';

export interface Clock {
  now(): EpochMs;
  /** Resolves after `ms`, or at once when `signal` is aborted (it never rejects). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface Chance {
  /** A number in [0, 1). */
  next(): number;
  /** Random and unguessable: the first four groups of a UUID, lower case hex, for a new grant. */
  grantId(): GrantId;
  /** Random, unique for each call. */
  id(): string;
}
