/** What a failed call means, and why a connection is not active. */
import type { Fence } from './ids.ts';
import type { EpochMs } from './time.ts';

/**
 * Why a connection is not active. `refresh_in_doubt` is a loss that we may have caused (a reply lost inside a dying
 * process at a single-use provider), `settings_outdated` a change of presets; the remaining ones are the provider's
 * word.
 */
export const causes = [
  'not_authorized_yet',
  'refresh_in_doubt',
  'invalid_grant',
  'refresh_token_expired',
  'refresh_token_reused',
  'invalid_client',
  'invalid_request',
  'settings_outdated',
] as const;

export type Cause = (typeof causes)[number];

/** What a failed call means; one word for each way on (`classify.ts` assigns them, `decide.ts` acts on them). */
export const failureClasses = ['too_early', 'transient', 'in_doubt', 'misconfigured', 'dead_grant'] as const;

export type FailureClass = (typeof failureClasses)[number];

/**
 * Codes that the broker itself gives to a call that failed or was not made; docs/operations.md says what each means.
 */
export const ownFailureCodes = [
  'address_not_allowed',
  'connect_time_out',
  'connection_failed',
  'connection_refused',
  'connection_reset',
  'endpoint_not_allowed',
  'expired_on_arrival',
  'malformed_reply',
  'name_not_resolved',
  'no_access_token',
  'no_refresh_token',
  'no_revocation_endpoint',
  'private_key_unreadable',
  'refresh_token_not_kept',
  'refresh_token_unreadable',
  'reply_too_large',
  'request_not_written',
  'revocation_ends_other_grants',
  'secret_for_another_endpoint',
  'settings_outdated',
  'store_unavailable',
  'time_out',
  'tls_failed',
  'unreachable',
  'unreadable_reply',
] as const;

/** Those of them for which a deletion leaves out to revoke the grant. */
export const unrevocable = [
  'no_refresh_token',
  'no_revocation_endpoint',
  'revocation_ends_other_grants',
  'settings_outdated',
] as const satisfies readonly (typeof ownFailureCodes)[number][];

export type Unrevocable = (typeof unrevocable)[number];

/**
 * Besides, what a reply's status tells, and which secret or setting is missing. Any other code is the provider's
 * `error`.
 */
export type OwnFailureCode = (typeof ownFailureCodes)[number] | `http_${number}` | `${string}_missing`;

/** The last failure, kept as facts. `description` is the provider's own words with anything secret-looking removed. */
export interface Failure {
  readonly class: FailureClass;
  /** Short and stable: the provider's `error` code, `http_503`, `time_out`, `connection_refused` … */
  readonly code: string;
  readonly status?: number;
  readonly description?: string;
  readonly cause?: Cause;
  /** What an operator should do about it, where the provider's rules know more than the cause says. */
  readonly fix?: string;
  /** The name of the rule that decided (`common-error-rules.ts`, or the preset's own). */
  readonly rule?: string;
  /**
   * How many failures in a row had this very code, this one included; counted where many of them settle what they mean,
   * or how seldom the provider is asked again.
   */
  readonly alike?: number;
  /** The provider itself said when to come back: only it can end that wait, or other settings. */
  readonly told?: true;
  readonly at: EpochMs;
  /** How many failures in a row, this one included. */
  readonly count: number;
  /** The fencing token of the attempt that failed: recognises our own write when its reply was lost. */
  readonly fence: Fence;
}
