/** The command line as a process: what a shell gives it, and what becomes of its output. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const main = 'cli/start.mjs';
/** There is no broker: what the command line itself has to say is said before. */
const nowhere = ['--data', '/nonexistent'];
const run = (argv: readonly string[], input = '') =>
  spawnSync(process.execPath, [main, ...argv], { input, encoding: 'utf8' });

test('a reader that has seen enough is no failure', async () => {
  const child = spawn(process.execPath, [main, 'providers', '--json'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  const [code] = await once(child, 'close');
  expect([code, said]).toEqual([0, '']);
});

test('one that reads no messages changes nothing of how a command ends', async () => {
  const child = spawn(process.execPath, [main, 'status', 'books', ...nowhere], { stdio: ['ignore', 'ignore', 'pipe'] });
  child.stderr.destroy();
  expect(await once(child, 'close')).toEqual([3, null]);
});

test.each([
  ['connect', 'books', '--provider', 'exact-online', '--client-secret-file', '-'],
  ['connect', 'books', '--provider', 'exact-online', '--refresh-token-file', '-'],
  ['connect', 'books', '--provider', 'ixon-user', '--secret-file', 'password=-'],
  ['import', '-'],
])('%s takes standard input for a file: %s %s %s %s %s', (...argv) => {
  const { status, stderr } = run([...argv, ...nowhere], 'a-secret');
  expect([status, stderr]).toEqual([3, expect.stringContaining('No broker runs')]);
});

test('a secret is no argument', () => {
  const { status, stderr } = run(['connect', 'books', '--client-secret', 'the-secret']);
  expect([status, stderr]).toEqual([2, expect.not.stringContaining('the-secret')]);
});

test('a probe sends no access token over plain HTTP, and says so before it asks for a grant', () => {
  const settings = ['--set', 'token_endpoint=https://provider.example/token', '--client-id', 'app'];
  const { status, stderr } = run(
    ['probe', ...settings, '--client-secret-file', '-', '--api-url', 'http://api.example/me', '--yes'],
    'a-secret',
  );
  expect([status, stderr]).toEqual([2, expect.stringContaining('--api-url: must begin with https://')]);
});

test('on an older Node.js, what ends the command ends the one that it has started', async () => {
  const older =
    "data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.0.0'}})";
  const nothing = ['--url', 'http://127.0.0.1:1', '--region', 'eu-west-1'];
  const child = spawn(process.execPath, ['--import', older, main, 'open', '--no-browser', ...nothing], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  // The output ends with the last process that has it.
  expect(await once(child, 'close')).toEqual([0, null]);
}, 60_000);

test('there is no colour in a pipe', () => {
  const { stdout } = run(['providers', 'netsuite']);
  expect(stdout).toMatch(/^NetSuite/);
  expect(stdout).not.toContain('\u001b');
});

test('tells its release, which is that of the package', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string };
  expect(run(['--version'])).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: '' });
});
