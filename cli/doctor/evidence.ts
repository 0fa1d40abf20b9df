/** What the doctor looks at. Each part is absent where it could not be, or need not be, looked at. */
import type { Description } from '../broker.ts';

export interface Evidence {
  readonly now: number;
  /** How the API answered a signed request. */
  readonly api: ApiAnswer;
  readonly connections?: readonly Description[];
  readonly releases?: Releases;
  readonly deployment?: DeploymentEvidence;
}

/** Which release runs where. The broker tells none where it is older than the telling. */
export interface Releases {
  readonly own: string;
  readonly broker: string | undefined;
}

export type ApiAnswer =
  | { readonly kind: 'answered'; readonly serverDate: number | undefined }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'unreachable'; readonly message: string };

/** What AWS tells of a deployed broker. A part that the credentials may not read is an `Unreadable`. */
export interface DeploymentEvidence {
  readonly alarms: Readable<readonly { readonly name: string; readonly state: string; readonly description: string }[]>;
  readonly deadLetters: Readable<readonly { readonly queue: string; readonly messages: number }[]>;
  readonly oldestMessageSeconds: Readable<number>;
  /** Invocations of the planner within the last five minutes. */
  readonly plans: Readable<number>;
  /** How many invocations the account runs at a time. */
  readonly concurrency: Readable<number>;
}

export type Readable<T> = { readonly value: T } | { readonly unreadable: string };
