/** What the protocol needs to know of a provider. */

/** `while_used`: ahead of expiry only if a client asked within the last hour. `always`: whether or not. */
export type Renewal = 'while_used' | 'always';

/** The provider facts that the protocol needs, resolved from preset and connection. */
export interface Profile {
  /**
   * `mint`: made from stored secrets in the provider's own way. `static`: a stored secret itself. Neither has a refresh
   * token.
   */
  readonly grant: 'refresh_token' | 'client_credentials' | 'mint' | 'static';
  readonly marginMs: number;
  /** Earliest age, counted from its arrival, at which a token may be renewed; 0 where the provider sets none. */
  readonly minTokenAgeMs: number;
  /** Renewals are spread over this share of a life; not at all if absent. */
  readonly spreadShare?: number;
  /** Lifetime to assume when the reply does not tell. */
  readonly defaultLifetimeMs: number;
  /**
   * May a refresh token whose fate is unknown be sent again at once? `after_holder` (single use, or unknown): only when
   * no earlier holder can still answer, since a provider may revoke the whole grant on reuse.
   */
  readonly ambiguousRetry: 'at_once' | 'after_holder';
  /**
   * A used refresh token stays good until its successor is used: a doubt is resolved by asking again, and no loss is
   * ours.
   */
  readonly predecessorStays?: true;
  /** A renewal ends the access token of before at once: it is made late, and no environment answers from memory. */
  readonly renewalEndsPrevious?: boolean;
  /** How long we wait for the token endpoint. */
  readonly callTimeoutMs: number;
  /** How many secrets the refresh tokens alternate over. */
  readonly slots: number;
  readonly renewal: Renewal;
  /** What is asked for: granted as it is where a reply does not tell (RFC 6749 §5.1). */
  readonly scope?: string;
  /** An idle refresh token is used at least this often, so that it does not lapse. */
  readonly keepAliveMs?: number;
  /** A grant ends so long after it was given, however much it is used; and when it was not used for so long. */
  readonly grantLifetimeMs?: number;
  readonly grantIdleMs?: number;
  /**
   * How many calls may end in an error within any hour, and how many may be made in a day (UTC); our own stop before
   * the provider's.
   */
  readonly errorsPerHour?: number;
  readonly callsPerDay?: number;
  /** First delay of the back-off by failure code (`http_429`), else `default`. */
  readonly firstDelayMs: Readonly<Record<string, number>> & { readonly default: number };
}
