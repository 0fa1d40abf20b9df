import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import settings from '../cdk.json' with { type: 'json' };
import { assertRelations } from '../shared/domain/limits.ts';
import { BrokerStack } from './broker-stack.ts';
import { jwtAuthorizationOf } from './jwt-authorization.ts';
import { updatePresetIndex } from './preset-index.ts';
import { StateStack } from './state-stack.ts';

/**
 * The deployment, for any account and Region. `synth()` of the result writes templates and bundles to `outdir` (default: where
 * the CDK CLI wants them). `context` adds to that of cdk.json, which holds even where the CLI is not there to read it.
 * Throws if the limits contradict each other, if the context names JWTs that cannot be taken, or if a preset cannot be used.
 */
export function buildApp(outdir?: string, context: Readonly<Record<string, unknown>> = {}): App {
  assertRelations();
  const app = new App({ ...(outdir === undefined ? {} : { outdir }), context: { ...settings.context, ...context } });
  const jwt = jwtAuthorizationOf((name) => app.node.tryGetContext(name));
  updatePresetIndex();
  const state = new StateStack(app, 'token-broker-state');
  new BrokerStack(app, 'token-broker', state, jwt);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return app;
}
