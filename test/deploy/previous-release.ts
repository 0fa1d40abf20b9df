/**
 * The previous release, to be upgraded from and to work beside: its own sources, kept as text, which are synthesized
 * and bundled as they were then, with the packages of today.
 *
 * `node test/deploy/previous-release.ts COMMIT` keeps those of a commit: once for each release.
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';

const root = join(import.meta.dirname, '../..');
const kept = join(import.meta.dirname, 'previous-release.json.br');
/** What its templates and bundles are made of. */
const paths = ['infra', 'lambdas', 'shared', 'cdk.json', 'package.json', 'tsconfig.json'];

interface Sources {
  readonly commit: string;
  /** Texts by their paths. */
  readonly files: Readonly<Record<string, string>>;
}

export const previousSources = (): Sources => JSON.parse(String(brotliDecompressSync(readFileSync(kept))));

const git = (...args: string[]): string =>
  execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

/** Returns the ids of a commit's sources by their paths. Throws if the history that is here does not have it. */
export function blobsOf(commit: string): Readonly<Record<string, string>> {
  const lines = git('ls-tree', '-r', commit, ...paths)
    .trim()
    .split('\n');
  return Object.fromEntries(
    lines.map((line) => {
      const [, , id = '', path = ''] = line.split(/\s/);
      return [path, id];
    }),
  );
}

/**
 * Writes the previous release's cloud assembly to `directory`, which its sources are written beside. Rejects with what
 * CDK said if it fails.
 */
export async function writePreviousRelease(directory: string): Promise<void> {
  const sources = `${directory}-sources`;
  for (const [name, text] of Object.entries(previousSources().files)) {
    mkdirSync(dirname(join(sources, name)), { recursive: true });
    writeFileSync(join(sources, name), text);
  }
  for (const name of ['node_modules', 'package-lock.json']) symlinkSync(join(root, name), join(sources, name));
  const app = pathToFileURL(join(sources, 'infra/app.ts')).href;
  const options = JSON.stringify({ outdir: directory, allowLoopback: true });
  const script = `import { buildApp } from ${JSON.stringify(app)}; buildApp(${options}).app.synth();`;
  await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], { cwd: sources });
}

const commit = process.argv[2];
if (process.argv[1] === import.meta.filename && commit !== undefined) {
  const files = Object.entries(blobsOf(commit)).map(([path, id]) => [path, git('cat-file', 'blob', id)]);
  const sources = { commit: git('rev-parse', `${commit}^{commit}`).trim(), files: Object.fromEntries(files) };
  const text = JSON.stringify(sources);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 };
  writeFileSync(kept, brotliCompressSync(text, { params }));
}
