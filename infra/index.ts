/** The stacks, for a CDK app of one's own: both go into one scope, such as a `Stage`, and the broker stack names its deployment. */
export { BrokerStack, type BrokerStackProps } from './broker-stack.ts';
export type { CustomDomain, JwtAuthorization, SecretStore, Throttle } from './context.ts';
export { StateStack, type StateStackProps } from './state-stack.ts';
