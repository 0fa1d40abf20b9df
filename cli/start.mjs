#!/usr/bin/env node
// Plain JavaScript, so that a Node which cannot run TypeScript can still say so.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const own = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url));
if (major > 23 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18)) await import('./main.ts');
else if (existsSync(own)) {
  // npm scripts run on the Node.js that npm install brought along; a command that is called by itself looks for it.
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));
  const child = spawn(own, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
  // A terminal sends Ctrl-C to both: the command takes back what it has begun, and this waits for it.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  const [code] = await once(child, 'exit');
  process.exitCode = code ?? 130;
} else {
  console.error(`token-broker needs Node.js 22.18 or newer; this is ${process.versions.node}.`);
  process.exitCode = 1;
}
