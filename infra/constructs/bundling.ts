/** How the functions are bundled. */
import { join } from 'node:path';
import { type BundlingOptions, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';

const alias = {
  // The provider of environment variables stands for the chain that Lambda never uses the rest of.
  '@aws-sdk/credential-provider-node': join(import.meta.dirname, '../../shared/adapters/aws/credentials.ts'),
};
const common = { minify: true, target: 'node24', mainFields: ['module', 'main'] };
/** No operation that the broker uses streams events, the only ones for which the SDK would look for this module. */
const never = ['@smithy/core/event-streams'];

export const bundling: BundlingOptions = {
  ...common,
  // CommonJS, and no import() left in it: `import 'node:http'` would load all of undici at a cold start.
  format: OutputFormat.CJS,
  esbuildArgs: {
    '--supported:dynamic-import': 'false',
    '--alias': Object.entries(alias).map(([name, path]) => `${name}=${path}`),
  },
  // The copy that was tested, and faster to load than the runtime's.
  bundleAwsSDK: true,
  externalModules: never,
};

/** The same in esbuild's own words. */
export const bundledByEsbuild = {
  ...common,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  supported: { 'dynamic-import': false },
  alias,
  external: never,
} as const;
