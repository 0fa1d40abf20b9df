/** The platforms that a client runs on, as far as they are on this machine: `npm run runtimes` brings them. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, globSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { build } from 'esbuild';

const programs = join(import.meta.dirname, '../runtimes');
const run = promisify(execFile);

function installed(pattern: string): string | undefined {
  const modules = join(programs, 'node_modules');
  const [found] = globSync(pattern, { cwd: modules });
  return found && join(modules, found);
}

interface Runtime {
  readonly name: string;
  /** Undefined where it is not installed. */
  readonly command: string | undefined;
  readonly words?: readonly string[];
}

export const runtimes: readonly Runtime[] = [
  { name: 'Node.js of the project', command: process.execPath },
  { name: 'Node.js 20.0', command: installed('node-linux-*/bin/node') },
  // Without the right to read the environment, which a client that is given everything does not need.
  { name: 'Deno', command: installed('@deno/*/deno'), words: ['run', '--no-prompt', '--allow-net=127.0.0.1'] },
  { name: 'Bun', command: installed('@oven/*/bin/bun') },
];

/** Why a test is skipped. */
export const missing = ': skipped, because it is not installed (npm run runtimes)';

export const workerd = installed('@cloudflare/workerd-*/bin/workerd');

/** Puts the programs into a project in which the client is installed. */
export const copyPrograms = (project: string): void => {
  for (const file of globSync('*.mjs', { cwd: programs })) cpSync(join(programs, file), join(project, file));
};

/** Resolves to what a program printed. */
export async function runIn(project: string, { command = '', words = [] }: Runtime, given: object): Promise<unknown> {
  const env = { PATH: process.env.PATH, HOME: project, NO_COLOR: '1' };
  const { stdout } = await run(command, [...words, 'main.mjs', JSON.stringify(given)], { cwd: project, env });
  return JSON.parse(stdout);
}

export interface Worker {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts `worker.mjs` of a project, bundled as for Cloudflare Workers. */
export async function startWorker(project: string): Promise<Worker> {
  const folder = join(project, 'worker');
  mkdirSync(folder, { recursive: true });
  const { outputFiles } = await build({
    absWorkingDir: project,
    entryPoints: ['worker.mjs'],
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*'],
    write: false,
    logLevel: 'warning',
  });
  for (const { path, contents } of outputFiles) writeFileSync(join(folder, basename(path)), contents);
  const names = outputFiles.map(({ path }) => basename(path)).toSorted((a) => (a === 'worker.js' ? -1 : 1));
  const modules = names.map((name) => `(name = "${name}", esModule = embed "${name}")`);
  writeFileSync(
    join(folder, 'config.capnp'),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [${modules.join(', ')}],
      compatibilityDate = "2026-11-01",
      globalOutbound = "net",
    )),
    (name = "net", network = (allow = ["local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`,
  );
  const child = spawn(workerd ?? '', ['serve', 'config.capnp', '--control-fd=3'], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  });
  const exited = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdio[3] as Readable })) {
    const { event, port } = JSON.parse(line) as { readonly event: string; readonly port: number };
    if (event === 'listen')
      return {
        url: `http://127.0.0.1:${port}`,
        async close() {
          child.kill();
          await exited;
        },
      };
  }
  throw new Error('workerd ended before it listened');
}
