/** Bundles to compare with: of the same tool, with the flags of the product's own or with the defaults. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import { bundledByEsbuild } from '../infra/constructs/bundling.ts';

const root = join(import.meta.dirname, '..');

interface Bundle {
  readonly directory: string;
  readonly bytes: number;
  readonly modules: number;
}

/** Bundles a file into a directory of its own, as `index.js`. */
export async function bundle(
  directory: string,
  entry: string,
  options: BuildOptions = bundledByEsbuild,
): Promise<Bundle> {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'package.json'), '{ "type": "commonjs" }\n');
  const outfile = join(directory, 'index.js');
  const { metafile } = await build({
    ...options,
    absWorkingDir: root,
    entryPoints: [join(root, entry)],
    outfile,
    metafile: true,
    logLevel: 'error',
  });
  const [output] = Object.values(metafile.outputs);
  return { directory, bytes: output?.bytes ?? 0, modules: Object.keys(output?.inputs ?? {}).length };
}

/** What esbuild does unless told, but for the white space. */
export const byDefault: BuildOptions = {
  bundle: true,
  minify: true,
  platform: 'node',
  format: 'cjs',
  target: 'node24',
};
