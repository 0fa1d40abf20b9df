/**
 * For a CDK app of an operator's own: `TokenBroker` in any scope, or its two stacks one by one, both in one scope, for
 * example a `Stage`.
 */
export { BrokerStack, type BrokerStackProps } from './broker-stack.ts';
export type { CustomDomain, JwtAuthorization, SecretStore, Throttle } from './choices.ts';
export { StateStack, type StateStackProps } from './state-stack.ts';
export { TokenBroker, type TokenBrokerProps } from './token-broker.ts';
