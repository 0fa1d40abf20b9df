/**
 * `npm run budgets`: what a cold start has to load, in KB of each bundle that `npm run synth` wrote. A budget is raised
 * on purpose or not at all.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AssetManifestArtifact, CloudAssembly } from 'aws-cdk-lib/cx-api';
import type { FunctionName } from '../lambdas/routes.ts';

const budgetsKb: Readonly<Record<FunctionName, number>> = {
  token: 365,
  refresh: 575,
  plan: 260,
  connections: 425,
  authorizations: 560,
};

const assembly = new CloudAssembly('cdk.out');
const assets = assembly.artifacts
  .filter((artifact) => AssetManifestArtifact.isAssetManifestArtifact(artifact))
  .flatMap(({ contents }) => Object.entries(contents.files ?? {}));

/** The bundle of the function whose logical id is `<Name>Function…`. */
function bundleOf(name: string): string {
  const functions: [string, { Type: string; Properties?: { Code?: { S3Key?: string } } }][] =
    assembly.stacksRecursively.flatMap(({ template }) => Object.entries(template.Resources));
  const [, found] = functions.find(
    ([logicalId, { Type }]) =>
      Type === 'AWS::Lambda::Function' && logicalId.toLowerCase().startsWith(`${name}function`),
  ) ?? [undefined, undefined];
  const [, asset] = assets.find(([hash]) => `${hash}.zip` === found?.Properties?.Code?.S3Key) ?? [];
  if (asset?.source.path === undefined)
    throw new Error(`cdk.out has no bundle of the function ${name}: run npm run synth first`);
  return readFileSync(join(assembly.directory, asset.source.path, 'index.js'), 'utf8');
}

let faults = 0;
for (const [name, budgetKb] of Object.entries(budgetsKb)) {
  const bundle = bundleOf(name);
  const kb = Math.ceil(Buffer.byteLength(bundle) / 1_024);
  // One that is left would load Node's whole fetch implementation at the first AWS call.
  const dynamicImports = bundle.match(/(?<![\w.$])import\(/g)?.length ?? 0;
  const verdict = [
    ...(kb > budgetKb ? ['TOO LARGE'] : []),
    ...(dynamicImports > 0 ? [`${dynamicImports} DYNAMIC IMPORTS`] : []),
  ];
  faults += verdict.length;
  console.log(`${name.padEnd(12)}${String(kb).padStart(4)} KB of ${budgetKb}  ${verdict.join(', ') || 'ok'}`);
}
if (faults > 0) process.exitCode = 1;
