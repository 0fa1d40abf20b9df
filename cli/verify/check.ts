/** A promise, and whether it was found kept. */
export interface Check {
  readonly what: string;
  readonly passed: boolean;
  /** What was seen. */
  readonly seen: string;
}
