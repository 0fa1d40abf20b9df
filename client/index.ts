/** The token broker's client: tokens in three lines, kept and renewed for any number of callers. */
import type { TokenBroker, TokenBrokerOptions } from './api.ts';
import { brokerOf } from './broker.ts';
import { machine } from './world.ts';

export type { Advice } from './advice-kinds.ts';
export { adviceOf } from './advice-of.ts';
export type {
  ApiBody,
  ApiCallInit,
  ApiInit,
  BrokerToken,
  CallOptions,
  Rejection,
  TokenBroker,
  TokenBrokerOptions,
  TokenOptions,
} from './api.ts';
export type { AwsCredentials, Credentials } from './credentials.ts';
export { type BrokerErrorCode, type DownstreamError, type RequestFault, TokenBrokerError } from './errors.ts';
export type { BrokerEvent } from './events.ts';

/** Returns a client. It keeps tokens, so make one and share it. Throws `TokenBrokerError` for an unusable URL. */
export const tokenBroker = (options: TokenBrokerOptions): TokenBroker => brokerOf(options, machine(options.fetch));
