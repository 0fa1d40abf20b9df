import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import settings from '../cdk.json' with { type: 'json' };
import { assertRelations } from '../shared/domain/limits.ts';
import { BrokerStack } from './broker-stack.ts';
import { jwtAuthorizationOf } from './jwt-authorization.ts';
import { updatePresetIndex } from './preset-index.ts';
import { secretStoreOf } from './secret-store.ts';
import { StateStack } from './state-stack.ts';

/**
 * The deployment, for any account and Region. `synth()` of the result writes templates and bundles to `outdir` (default: where
 * the CDK CLI wants them). `context` adds to that of cdk.json, which holds even where the CLI is not there to read it.
 * Throws if the limits contradict each other, if a preset cannot be used, or if the context asks for what there is not.
 */
export function buildApp(outdir?: string, context: Readonly<Record<string, unknown>> = {}): App {
  assertRelations();
  const app = new App({ ...(outdir === undefined ? {} : { outdir }), context: { ...settings.context, ...context } });
  const jwt = jwtAuthorizationOf((name) => app.node.tryGetContext(name));
  const secretStore = secretStoreOf(app.node.tryGetContext('secretStore'));
  updatePresetIndex();
  const state = new StateStack(app, 'token-broker-state', secretStore);
  new BrokerStack(app, 'token-broker', state, jwt);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return app;
}
