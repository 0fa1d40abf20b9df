import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '../..');
const app = pathToFileURL(join(root, 'infra/app.ts')).href;

/** All that the templates and bundles are made of. */
const sources = ['infra/*.ts', 'infra/constructs/**', 'lambdas/**', 'shared/**', 'cdk.json', 'package-lock.json'];

/** What `cdk synth -c NAME=VALUE` adds to the context of cdk.json. */
export type Context = Readonly<Record<string, string>>;

/**
 * Writes the cloud assembly of the app to `outdir`, as `cdk synth` does, unless it is there and neither a source nor
 * the context has changed since. Rejects with what CDK said if it fails.
 */
export async function synthesize(outdir: string, onStart: () => void = () => {}, context: Context = {}): Promise<void> {
  const stamp = join(outdir, 'sources.sha256');
  const digest = stampOf(context);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  onStart();
  rmSync(outdir, { recursive: true, force: true });
  // In a process of its own, for CDK needs 200 MB and has much to say, which is of interest only if it fails.
  const options = JSON.stringify({ outdir, context, allowLoopback: true });
  const script = `import { buildApp } from ${JSON.stringify(app)}; buildApp(${options}).app.synth();`;
  await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], { cwd: root });
  writeFileSync(stamp, digest);
}

/** Returns what all that is made with this context depends on, as a digest. */
export function stampOf(context: Context): string {
  const hash = createHash('sha256').update(JSON.stringify(context));
  const entries = globSync(sources, { cwd: root, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map(({ name, parentPath }) => join(parentPath, name));
  for (const path of paths.sort()) hash.update(`${path}\0`).update(readFileSync(path)).update('\0');
  return hash.digest('hex');
}
