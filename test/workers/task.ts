/** What a process of workers is given, and what it tells. */
import type { Credentials } from '../../local/platform/signature.ts';

export interface Task {
  /** The broker's. */
  readonly url: string;
  readonly credentials: Credentials;
  readonly region: string;
  /** What the workers call. */
  readonly api: string;
  readonly workers: number;
}

export interface Happened {
  calls: number;
  /** How those calls ended that were no success. */
  readonly failed: string[];
  /** To the broker: method, and status or `lost`. */
  readonly questions: string[];
  /** Of its newest token. */
  generation: number;
}
