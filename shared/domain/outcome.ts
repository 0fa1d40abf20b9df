import type { Cause, FailureClass } from './failure.ts';
import type { Secret } from './secret.ts';
import type { EpochMs } from './time.ts';
import type { TokenSet } from './token-set.ts';

/** What a call to the token endpoint came to, as classified. */
export type Outcome =
  | { readonly kind: 'success'; readonly tokens: TokenSet }
  | {
      readonly kind: 'failure';
      readonly class: FailureClass;
      readonly code: string;
      readonly cause?: Cause;
      readonly fix?: string;
      /** The name of the rule that decided. */
      readonly rule?: string;
      /** After so many of these in a row it is a misconfiguration, with `cause` and `fix`. */
      readonly misconfiguredAfter?: number;
      /** The same again and again is no accident. */
      readonly lasting?: true;
      readonly status?: number;
      readonly description?: string;
      /** When the provider says to come back. */
      readonly retryAt?: EpochMs;
      /** Some providers rotate even when they answer an error. */
      readonly refreshToken?: Secret;
    };
