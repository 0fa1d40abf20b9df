/** What the rules of the house do not hold of yet. Each list may only shrink: what keeps its rule is taken out. */

/** Functions of more than 70 lines, and classes of more than 200. */
export const longFunctions: readonly string[] = [
  'bench/stage.ts startStage',
  'local/aws/secrets-manager/secrets-manager.ts operationsOn',
  'local/broker.ts start',
  'local/platform/intrinsics.ts resolver',
  'local/platform/lambda.ts startPool',
  'local/platform/template.ts deploymentOf',
  'local/simulators/exact-online.ts startExactOnline',
  'local/simulators/ixon.ts startIxon',
  'local/simulators/maesn.ts startMaesn',
  'local/simulators/sage-intacct-xml.ts startSageIntacctXml',
  'local/simulators/sage-intacct.ts startSageIntacct',
  'test/application/finish-deletion.test.ts openWorld',
  'test/end-to-end/provider-broker.ts startProviderBroker',
  'test/kill/stage.ts startStage',
  'test/sim/simulation.ts simulate',
  'test/sim/world.ts World',
];

/** Where an export need not be imported by another file: it is a door. */
export const freeExports: readonly string[] = [
  // What clients import, and what CDK apps do.
  'client/advice.ts ',
  'client/index.ts ',
  'client/testing.ts ',
  'infra/index.ts ',
  // Bundled, and called through the Runtime API.
  'bench/rivals/empty.ts handler',
  'bench/rivals/get-item.ts handler',
  'bench/rivals/replay.ts handler',
  // Called by Vitest.
  'test/end-to-end/synthesized.ts default',
  // Called by workerd.
  'test/runtimes/worker.mjs default',
  'test/infra/outputs.ts default',
];
