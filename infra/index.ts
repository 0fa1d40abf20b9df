/** The stacks, for a CDK app of an operator's own: both go into one scope, such as a `Stage`. */
export { BrokerStack, type BrokerStackProps } from './broker-stack.ts';
export type { CustomDomain, JwtAuthorization, SecretStore, Throttle } from './context.ts';
export { StateStack, type StateStackProps } from './state-stack.ts';
