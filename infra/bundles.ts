/** The bundles of functions: those in a synthesized assembly, and those that it would have. */
import { join } from 'node:path';
import { AssetManifestArtifact, CloudAssembly } from 'aws-cdk-lib/cx-api';
import { build, type Metafile } from 'esbuild';
import { type DeployedName, type FunctionName, functionNames } from '../lambdas/routes.ts';
import { bundledByEsbuild } from './constructs/bundling.ts';

/** Returns the path of each function's bundle. Throws if one is missing. */
export function bundlesIn(directory: string): readonly (readonly [name: FunctionName, bundle: string])[] {
  const assembly = new CloudAssembly(directory);
  const assets = assembly.artifacts
    .filter((artifact) => AssetManifestArtifact.isAssetManifestArtifact(artifact))
    .flatMap(({ contents }) => Object.entries(contents.files ?? {}));
  // The logical id of a function is `<Name>Function…`.
  const functions: [string, { Type: string; Properties?: { Code?: { S3Key?: string } } }][] =
    assembly.stacksRecursively.flatMap(({ template }) => Object.entries(template.Resources));
  return functionNames.map((name) => {
    const [, found] = functions.find(
      ([logicalId, { Type }]) =>
        Type === 'AWS::Lambda::Function' && logicalId.toLowerCase().startsWith(`${name}function`),
    ) ?? [undefined, undefined];
    const [, asset] = assets.find(([hash]) => `${hash}.zip` === found?.Properties?.Code?.S3Key) ?? [];
    if (asset?.source.path === undefined)
      throw new Error(`${directory} has no bundle of the function ${name}: run npm run synth first`);
    return [name, join(assembly.directory, asset.source.path, 'index.js')];
  });
}

/** Returns what CDK would make of a function, and what esbuild says of it. */
export async function bundleOf(name: DeployedName): Promise<{ readonly text: string; readonly metafile: Metafile }> {
  const { outputFiles, metafile } = await build({
    ...bundledByEsbuild,
    absWorkingDir: join(import.meta.dirname, '..'),
    entryPoints: [`lambdas/${name}.ts`],
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  return { text: outputFiles.map(({ text }) => text).join(), metafile };
}
