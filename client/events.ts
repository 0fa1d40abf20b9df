import type { Advice } from './advice-kinds.ts';
import type { TokenBrokerError } from './errors.ts';

/** What a program may want to log or count. Nothing in it is secret. */
export type BrokerEvent =
  | {
      readonly kind: 'token_received';
      readonly connection: string;
      readonly generation: number;
      /** Milliseconds since 1970, by the clock of this machine. */
      readonly expiresAt: number;
      readonly tookMs: number;
      readonly warning: string | undefined;
    }
  | {
      readonly kind: 'ask_failed';
      readonly connection: string;
      readonly error: TokenBrokerError;
      readonly tookMs: number;
      /** In a row, this one included. */
      readonly failures: number;
      /** Not before this is the broker asked again. */
      readonly pauseMs: number;
    }
  | { readonly kind: 'token_reported'; readonly connection: string; readonly generation: number }
  | {
      readonly kind: 'api_refused';
      readonly connection: string;
      readonly generation: number;
      readonly status: number;
      readonly advice: Advice;
    };
