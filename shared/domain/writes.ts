import type {
  Attempt,
  Calls,
  Connection,
  Deletion,
  Grant,
  Lease,
  PendingAuthorization,
  Rejected,
} from './connection.ts';
import type { Failure } from './failure.ts';
import type { Fence } from './ids.ts';
import type { EpochMs } from './time.ts';

/** An attribute, or a member of one: `lease.fence`, `attempts.17.sent`. */
export type Path =
  | keyof Connection
  | `grant.${keyof Grant}`
  | `lease.${keyof Lease}`
  | `attempts.${number}`
  | `attempts.${number}.${keyof Attempt}`
  | `calls.${keyof Calls}`
  | `calls.failing.${number}`
  | `calls.codes.${string}`
  | `rejected.${keyof Rejected}`
  | `failure.${keyof Failure}`
  | `authorization.${keyof PendingAuthorization}`
  | `announcement.${'change' | 'at'}`
  | 'changed.at'
  | 'secondRefresher.suspectedAt'
  | 'secondRefresher.untold'
  | 'refreshToken.versionId'
  | `deletion.${keyof Deletion}`;

/** One condition. A comparison with an absent attribute is false. */
export type Clause =
  | { readonly path: Path; readonly equals: string | number | boolean }
  | { readonly path: Path; readonly below: number }
  | { readonly path: Path; readonly atMost: number }
  | { readonly path: Path; readonly above: number }
  | { readonly present: Path }
  | { readonly absent: Path }
  | { readonly any: readonly Clause[] };

/** One conditional update of one item: applied whole if every clause holds, else not at all. */
export interface Write {
  readonly name: string;
  readonly when: readonly Clause[];
  readonly set: Readonly<Partial<Record<Path, unknown>>>;
  readonly remove: readonly Path[];
  /** Numbers to add to attributes that are there. */
  readonly add?: Readonly<Partial<Record<Path, number>>>;
  /**
   * Holds of the item if this very write was applied, also where another has followed it. A store recognises what it
   * wrote last by itself.
   */
  readonly mine?: readonly Clause[];
}

// The sub-conditions, by name.
export const exists: Clause = { present: 'connection' };
export const sameGrant = (item: Connection): Clause => ({ path: 'grant.id', equals: item.grant.id });
export const sameGeneration = (item: Connection): Clause => ({ path: 'generation', equals: item.generation });
export const sameFence = (item: Connection): Clause => ({ path: 'fence', equals: item.fence });
export const sameSettings = (item: Connection): Clause => ({ path: 'configuredAt', equals: item.configuredAt });
export const stillActive: Clause = { path: 'state', equals: 'active' };
export const noLeaseAlive = (now: EpochMs): Clause => ({
  any: [{ absent: 'lease' }, { path: 'lease.until', atMost: now }],
});
export const leaseIsMine = (fence: Fence): Clause => ({ path: 'lease.fence', equals: fence });
export const noNewerCommit = (fence: Fence): Clause => ({ path: 'committedFence', below: fence });
export const asSeen = (path: Path, value: string | number | undefined): Clause =>
  value === undefined ? { absent: path } : { path, equals: value };

export const attemptPath = (fence: Fence): Path => `attempts.${fence}`;
/** A refresh call that counts as failed until it is known to have succeeded. */
export const failingPath = (fence: Fence): Path => `calls.failing.${fence}`;
/** The same of the call that redeems the code of this login. */
export const codePath = (authorizationId: string): Path => `calls.codes.${authorizationId}`;
