import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import cdk from '../cdk.json' with { type: 'json' };
import { BrokerStack } from './broker-stack.ts';
import { type Settings, settingsIn, stackNamesOf } from './context.ts';
import { assertPresetIndex } from './preset-index.ts';
import { StateStack } from './state-stack.ts';

interface AppOptions {
  /**
   * Where the templates and bundles are written.
   * @default where the CDK CLI wants them
   */
  readonly outdir?: string;
  /**
   * Added to the context of cdk.json, which holds even where the CDK CLI is not there to read it.
   * @default nothing
   */
  readonly context?: Readonly<Record<string, unknown>>;
  /**
   * Whether an issuer of JWTs may be on this machine, as it may for the local broker.
   * @default false
   */
  readonly allowLoopback?: boolean;
}

/**
 * Returns the deployment that the context asks for, in any account and Region, to be synthesized; and its settings.
 * Throws if the context asks for what there is not, if the limits contradict each other, or if a preset cannot be used.
 */
export function buildApp({ outdir, context = {}, allowLoopback = false }: AppOptions = {}): {
  readonly app: App;
  readonly settings: Settings;
} {
  const app = new App({
    ...(outdir === undefined ? {} : { outdir }),
    context: { ...cdk.context, ...context },
    // The caller synthesizes. CDK would do it once more as the process ends, where faults have no reader.
    autoSynth: false,
  });
  assertPresetIndex();
  const settings = settingsIn(app.node.getAllContext(), { allowLoopback });
  const names = stackNamesOf(settings.name);
  const { secretStore, name: _, ...others } = settings;
  const state = new StateStack(app, names.state, { secretStore });
  new BrokerStack(app, names.broker, { state, ...others });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return { app, settings };
}
