/** Logs and metrics. */

/** Facts for people and alarms. Names are past-tense events; fields never hold a secret (a `Secret` prints as `[redacted]`). */
export interface Telemetry {
  info(event: string, fields: Readonly<Record<string, unknown>>): void;
  warn(event: string, fields: Readonly<Record<string, unknown>>): void;
  error(event: string, fields: Readonly<Record<string, unknown>>): void;
  /** Counts for alarms. `dimension` is the provider's name, never a connection's. */
  count(metric: Metric, value: number, provider?: string): void;
}

export type Metric =
  | 'RefreshSucceeded'
  | 'RefreshFailed'
  | 'RefreshFailing'
  | 'ReauthorizationRequired'
  | 'Misconfigured'
  | 'RefreshTokenSealed'
  | 'OrphanAdopted'
  | 'BudgetSpent'
  | 'ProviderDown'
  | 'RefusalsWithheld'
  | 'OverdueConnections'
  | 'RefreshDurationMs';
