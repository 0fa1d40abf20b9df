/**
 * `npm run build`: the packages, as `npm pack` and `npm publish` take them, each in a folder of `dist`:
 * `token-broker-client`, and `token-broker`, the construct with its functions bundled.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Metafile } from 'esbuild';
import { buildApp } from './app.ts';
import { bundleOf, bundlesIn } from './bundles.ts';

const root = join(import.meta.dirname, '..');

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly [member: string]: unknown;
}

const read = (path: string): Manifest => JSON.parse(readFileSync(join(root, path), 'utf8'));

interface Door {
  /** In the repository. */
  readonly entry: string;
  /** In the package, without its extension. */
  readonly name: string;
}

const javaScript = {
  absWorkingDir: root,
  // Nothing is written there: maps name their sources from the root of the project, whose text they hold.
  outdir: root,
  write: false as const,
  bundle: true,
  format: 'esm',
  splitting: true,
  sourcemap: 'linked',
  metafile: true as const,
  legalComments: 'inline',
  charset: 'utf8',
  logLevel: 'warning',
} satisfies BuildOptions;

/**
 * Writes both packages, and returns their folders. `assembly`: a synthesized one of this state of the sources, whose
 * bundles are taken; by default one is made.
 */
export async function buildPackages(folder: string, assembly?: string): Promise<readonly string[]> {
  const [client, broker] = [join(folder, 'token-broker-client'), join(folder, 'token-broker')];
  await buildClient(client);
  if (assembly !== undefined) await buildBroker(broker, assembly);
  else {
    const made = mkdtempSync(join(tmpdir(), 'token-broker-assembly-'));
    try {
      buildApp({ outdir: made }).app.synth();
      await buildBroker(broker, made);
    } finally {
      rmSync(made, { recursive: true, force: true });
    }
  }
  return [client, broker];
}

async function buildClient(folder: string): Promise<void> {
  start(folder, read('client/package.json'), 'client/README.md');
  const doors = ['index', 'advice', 'testing'].map((name): Door => ({ entry: `client/${name}.ts`, name }));
  const { metafile } = await write(folder, {
    ...javaScript,
    entryPoints: doors.map(({ entry, name }) => ({ in: entry, out: name })),
    chunkNames: 'chunks/[name]-[hash]',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    target: 'es2022',
    external: ['aws4fetch'],
  });
  writeNotices(folder, metafile);
  writeTypes(folder, 'client/tsconfig.json', doors);
}

async function buildBroker(folder: string, assembly: string): Promise<void> {
  const { version, description, license, type, sideEffects, engines, dependencies } = read('package.json');
  const { 'aws-cdk-lib': cdk } = dependencies as Readonly<Record<string, string>>;
  const { peerDependencies: needs } = read('node_modules/aws-cdk-lib/package.json');
  const peerDependencies = { 'aws-cdk-lib': `^${cdk}`, ...(needs as object) };
  const exports = { '.': { types: './types/infra/index.d.ts', default: './index.js' } };
  start(
    folder,
    { name: 'token-broker', version, description, license, type, sideEffects, engines, exports, peerDependencies },
    'README.md',
  );
  const doors = [{ entry: 'infra/index.ts', name: 'index' }];
  const { metafile } = await write(folder, {
    ...javaScript,
    entryPoints: [{ in: 'infra/index.ts', out: 'index' }],
    platform: 'node',
    target: 'node20',
    external: ['aws-cdk-lib', 'constructs'],
  });
  const bundles = bundlesIn(assembly);
  for (const [name, bundle] of bundles) cpSync(bundle, join(folder, 'functions', name, 'index.js'));
  // No assembly has it unless it was chosen.
  const canary = await bundleOf('canary');
  mkdirSync(join(folder, 'functions/canary'));
  writeFileSync(join(folder, 'functions/canary/index.js'), canary.text);
  const all = await Promise.all(bundles.map(([name]) => bundleOf(name)));
  const inputs = [canary, ...all].map((bundle) => bundle.metafile.inputs);
  writeNotices(folder, { ...metafile, inputs: Object.assign({}, metafile.inputs, ...inputs) });
  writeTypes(folder, 'infra/tsconfig.json', doors);
}

async function write(
  folder: string,
  options: typeof javaScript & BuildOptions,
): Promise<{ readonly metafile: Metafile }> {
  const { metafile, outputFiles } = await build(options);
  for (const { path, contents } of outputFiles) {
    const target = join(folder, relative(root, path));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, contents);
  }
  return { metafile };
}

/** Empties the folder, and puts into it what every package has. */
function start(folder: string, manifest: object, readme: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  cpSync(join(root, readme), join(folder, 'README.md'));
}

/** The licenses of the packages that are part of a bundle ask to be passed on with it. */
function writeNotices(folder: string, { inputs }: Pick<Metafile, 'inputs'>): void {
  const names = Object.keys(inputs).flatMap((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []);
  const notices = [...new Set(names)].toSorted().map((name) => {
    const home = join(root, 'node_modules', name);
    const { version, license } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as Manifest;
    const [file] = globSync('{LICENSE,LICENCE,license}*', { cwd: home });
    const text = file === undefined ? '' : `\n\n${readFileSync(join(home, file), 'utf8').trim()}`;
    return `${name} ${version} (${license})${text}\n`;
  });
  writeFileSync(join(folder, 'THIRD-PARTY-NOTICES.txt'), notices.join(`\n${'-'.repeat(80)}\n\n`));
}

/** Writes the declarations that a package's doors lead to, and no other ones. */
function writeTypes(folder: string, project: string, doors: readonly Door[]): void {
  const all = mkdtempSync(join(tmpdir(), 'token-broker-types-'));
  try {
    const tsc = fileURLToPath(import.meta.resolve('typescript/package.json')).replace(/package\.json$/, 'bin/tsc');
    const asked = ['--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--outDir', all];
    execFileSync(process.execPath, [tsc, '-p', project, ...asked], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const entries = doors.map(({ entry }) => entry.replace(/\.ts$/, '.d.ts'));
    for (const [path, text] of declarations(all, entries)) {
      const target = join(folder, 'types', path);
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, text);
    }
  } finally {
    rmSync(all, { recursive: true, force: true });
  }
}

/**
 * The declarations that lead from these ones, by path, with imports as they are in JavaScript: `./a.js` for `./a.ts`.
 */
function declarations(folder: string, entries: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const visit = (path: string): void => {
    if (found.has(path)) return;
    const text = readFileSync(join(folder, path), 'utf8');
    found.set(path, text.replace(/(from '\.[^']*)\.ts'/g, "$1.js'"));
    for (const [, from = ''] of text.matchAll(/from '(\.[^']*)\.ts'/g))
      visit(`${posix.join(posix.dirname(path), from)}.d.ts`);
  };
  for (const entry of entries) visit(entry);
  return found;
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === import.meta.filename) {
  for (const folder of await buildPackages(join(root, 'dist')))
    console.log(`${relative(root, folder)} is ready for npm pack`);
}
