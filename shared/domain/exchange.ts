/** One call to a provider, as its adapter reports it: nothing here is understood yet (`classify.ts` does that). */
import type { OwnFailureCode } from './failure.ts';
import type { EpochMs } from './time.ts';

/** A reply as it came; header names in lower case. */
export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The reply to one request as it came, or how the request ended without one. */
export type Exchange =
  | ({ readonly kind: 'reply' } & HttpReply)
  /**
   * Certain not to have reached the provider: name not resolved, connection refused, TLS failed, address not allowed.
   */
  | { readonly kind: 'not_sent'; readonly code: OwnFailureCode }
  /** Not sent, since what is stored to authenticate with cannot be used; it has to be put again. */
  | { readonly kind: 'not_written'; readonly code: OwnFailureCode }
  /** May have reached the provider: time-out, connection lost, reply too large. */
  | { readonly kind: 'lost'; readonly code: OwnFailureCode };

/** When the request left and when its reply had arrived. */
export interface CallTimes {
  readonly requestedAt: EpochMs;
  readonly receivedAt: EpochMs;
}
