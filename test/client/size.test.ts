/** What the client costs a program that loads it. */
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');

async function gzippedBytes(external: readonly string[]): Promise<number> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ['client/index.ts'],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    charset: 'utf8',
    // Loaded when a reply of an API is no success.
    external: ['./advice-on-response.ts', ...external],
  });
  return gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).byteLength;
}

test('the client has at most 6 KiB without its signer', async () => {
  expect(await gzippedBytes(['aws4fetch'])).toBeLessThanOrEqual(6 * 1_024);
});

test('the client has at most 9 KiB with its signer', async () => {
  const bytes = await gzippedBytes([]);
  expect(bytes).toBeGreaterThan(6 * 1_024);
  expect(bytes).toBeLessThanOrEqual(9 * 1_024);
});
