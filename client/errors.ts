/** What can go wrong between a program and its broker, as one type. Pure. */

/** What the provider itself said last; the broker has taken secrets out of it. */
export interface DownstreamError {
  readonly status?: number;
  readonly error: string;
  readonly error_description?: string;
}

/** A member of a request that was wrong. */
export interface RequestFault {
  readonly path: string;
  readonly message: string;
}

/**
 * The broker's own codes (README, Use it), and those of the client: `unauthorized` (the JWT was refused), `throttled`
 * (more requests than the deployment lets through), `unreachable` (no connection, or it was lost), `timed_out` (no
 * answer in time), `unexpected_reply` (not one of a token broker), `no_credentials` (there is nothing to sign with).
 */
export type BrokerErrorCode =
  | 'invalid_request'
  | 'forbidden'
  | 'connection_not_found'
  | 'conflict'
  | 'grant_conflict'
  | 'reauthorization_required'
  | 'misconfigured'
  | 'temporarily_unavailable'
  | 'internal_error'
  | 'unauthorized'
  | 'throttled'
  | 'unreachable'
  | 'timed_out'
  | 'unexpected_reply'
  | 'no_credentials'
  // A newer broker may know more of them; `retryable` tells what to do.
  | (string & {});

/** What is known of a failure. Nothing in it is secret. */
export interface Problem {
  readonly code: BrokerErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  /** Of the reply, if there was one. */
  readonly status?: number | undefined;
  /** The broker's `cause` of a connection that is not active, such as `invalid_grant`. */
  readonly reason?: string | undefined;
  readonly faults?: readonly RequestFault[];
  readonly downstreamErrors?: readonly DownstreamError[];
  /** By which the operator finds the request in the access log. */
  readonly requestId?: string | undefined;
  readonly cause?: unknown;
}

/** Why there is no token. The message names the fault and the next step; no member holds a token or a key. */
export class TokenBrokerError extends Error {
  override readonly name = 'TokenBrokerError';
  declare readonly code: BrokerErrorCode;
  /** Whether the same call can succeed later without anything being changed. */
  declare readonly retryable: boolean;
  /** When it is sensible to ask again, in milliseconds from the moment at which this was thrown. */
  declare readonly retryAfterMs: number | undefined;
  declare readonly connection: string | undefined;
  declare readonly status: number | undefined;
  declare readonly reason: string | undefined;
  declare readonly requestId: string | undefined;
  declare readonly faults: readonly RequestFault[];
  declare readonly downstreamErrors: readonly DownstreamError[];

  constructor({ message, cause, ...told }: Problem, connection?: string, retryAfterMs?: number) {
    super(message, cause === undefined ? undefined : { cause });
    Object.assign(this, { faults: [], downstreamErrors: [] }, told, { connection, retryAfterMs });
  }
}
