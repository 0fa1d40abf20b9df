/** Logs and metrics. */

/** Everything that is logged, in the past tense; docs/operations.md says what each event means and what to do. */
export const logEvents = [
  'answered',
  'authorization_failed',
  'authorization_offered',
  'authorization_withdrawn',
  'authorized',
  'breaker_not_noted',
  'budget_spent',
  'claim_not_given_back',
  'client_secret_refused',
  'commit_abandoned',
  'connection_deleted',
  'connection_paused',
  'connection_put',
  'connection_resumed',
  'deletion_begun',
  'deletion_postponed',
  'failure_not_committed',
  'misconfigured',
  'not_announced',
  'outcome_not_noted',
  'planned',
  'provider_answers',
  'provider_down',
  'prune_failed',
  'reauthorization_required',
  'refresh_crashed',
  'refresh_failed',
  'refresh_overtaken',
  'refresh_succeeded',
  'refusals_settled',
  'refusals_withheld',
  'renewal_held_up',
  'request_failed',
  'revocation_failed',
  'second_refresher_suspected',
  'settings_fit_again',
  'token_rejected',
  'token_unavailable',
  'use_not_marked',
  'wake_not_sent',
] as const;

type LogEvent = (typeof logEvents)[number];

type Fields = Readonly<Record<string, unknown>>;

/** Facts for operators and alarms. Fields never hold a secret: a `Secret` prints as `[redacted]`. */
export interface Telemetry {
  info(event: LogEvent, fields: Fields): void;
  warn(event: LogEvent, fields: Fields): void;
  error(event: LogEvent, fields: Fields): void;
  /** Adds `value` to a metric, for alarms. `provider` is the name of a provider, never of a connection. */
  count(metric: Metric, value: number, provider?: string): void;
}

export type Metric =
  | 'RefreshSucceeded'
  | 'RefreshFailed'
  | 'RefreshFailing'
  | 'ReauthorizationRequired'
  | 'Misconfigured'
  /** The same where the broker may have caused the loss. */
  | 'GrantLost'
  /** A request for tokens that left, whatever came of it. */
  | 'ProviderCalled'
  /** A call that was due and not made: no budget is left, the provider is down, or an earlier holder may answer yet. */
  | 'CallHeldBack'
  | 'RefreshTokenSealed'
  | 'OrphanAdopted'
  | 'BudgetSpent'
  | 'ProviderDown'
  | 'RefusalsWithheld'
  | 'SecondRefresherSuspected'
  | 'OverdueConnections'
  | 'RefreshDurationMs';

/** Returns the namespace of a deployment's metrics, which no other deployment of the account and Region shares. */
export const metricNamespaceOf = (deployment: string): string =>
  deployment === 'token-broker' ? 'TokenBroker' : `TokenBroker/${deployment}`;
