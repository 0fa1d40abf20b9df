/** What the rules of the house do not hold of yet. Each list may only shrink: what keeps its rule is taken out. */

/** Imports that a room does not allow. */
export const openImports: readonly string[] = ['infra/app.ts imports cdk.json'];

/** Circles of imports. */
export const openCircles: readonly string[] = [];

/** Rooms whose comments and columns have not been gone through. */
export const unswept: readonly string[] = [];

/** Functions and classes of more than 70 lines. */
export const longFunctions: readonly string[] = [
  'infra/broker-stack.ts BrokerStack',
  'infra/broker-stack.ts constructor',
  'infra/constructs/alarms.ts alarms',
  'infra/constructs/broker-api.ts BrokerApi',
  'local/aws/secrets-manager/secrets-manager.ts operationsOn',
  'local/aws/secrets-manager/storage.ts SecretStorage',
  'local/aws/sqs/queues.ts Queues',
  'local/aws/sqs/sqs.ts operationsOn',
  'local/aws/sqs/storage.ts QueueStorage',
  'local/broker.ts start',
  'local/platform/execution-environment.ts startEnvironment',
  'local/platform/intrinsics.ts resolver',
  'local/platform/lambda.ts startPool',
  'local/platform/template.ts deploymentOf',
  'local/simulators/exact-online.ts startExactOnline',
  'local/simulators/grants.ts Grants',
  'local/simulators/ixon.ts startIxon',
  'local/simulators/maesn.ts startMaesn',
  'local/simulators/sage-intacct-xml.ts startSageIntacctXml',
  'local/simulators/sage-intacct.ts startSageIntacct',
  'shared/adapters/aws/dynamodb-connections.ts dynamoDbConnections',
  'shared/application/run-refresh.ts Invocation',
  'test/application/finish-deletion.test.ts openWorld',
  'test/end-to-end/provider-broker.ts startProviderBroker',
  'test/handlers/stores.ts startStores',
  'test/handlers/world.ts World',
  'test/kill/stage.ts startStage',
  'test/scenarios/breaker.test.ts Herd',
  'test/scenarios/scenario.ts Scenario',
  'test/sim/environment.ts Environment',
  'test/sim/provider.ts Provider',
  'test/sim/simulation.ts simulate',
  'test/sim/stores.ts Stores',
  'test/sim/time.ts VirtualTime',
  'test/sim/world.ts World',
];

/** Where an export need not be imported by another file: it is a door. */
export const freeExports: readonly string[] = [
  // What clients import, and what CDK apps do.
  'client/advice.ts ',
  'client/index.ts ',
  'client/testing.ts ',
  'infra/index.ts ',
  // Called by Vitest.
  'test/end-to-end/synthesized.ts default',
];
