/** The token broker's client: tokens in three lines, kept and renewed for any number of callers. */
export { type ApiBody, type ApiInit, adviceOf } from './api-call.ts';
export type { Advice } from './api-rules.ts';
export {
  type ApiCallInit,
  type CallOptions,
  type TokenBroker,
  type TokenBrokerOptions,
  type TokenOptions,
  tokenBroker,
} from './broker.ts';
export type { Rejection } from './connection.ts';
export type { AwsCredentials, Credentials } from './credentials.ts';
export { type BrokerErrorCode, type DownstreamError, type RequestFault, TokenBrokerError } from './errors.ts';
export type { BrokerEvent } from './events.ts';
export type { BrokerToken } from './token.ts';
