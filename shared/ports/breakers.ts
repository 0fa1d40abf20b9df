/** Circuit breakers. */
import type { Breaker } from '../domain/breaker.ts';

/** Breakers, one for each provider application. Every method throws `Unavailable` when the table cannot be reached. */
export interface BreakerStore {
  /** A strongly consistent read. */
  read(application: string): Promise<Breaker | undefined>;
  /**
   * Writes a breaker over the version before its own, or as the first one; false if the version is another one. Writing
   * the very same again succeeds.
   */
  replace(breaker: Breaker): Promise<boolean>;
}
