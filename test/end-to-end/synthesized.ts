/** The template and the bundles, synthesized once for all end-to-end tests. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { synthesize } from '../../local/platform/synthesize.ts';

declare module 'vitest' {
  interface ProvidedContext {
    readonly assembly: string;
  }
}

export default async function setup({ provide }: TestProject): Promise<() => void> {
  const assembly = mkdtempSync(join(tmpdir(), 'token-broker-assembly-'));
  await synthesize(assembly);
  provide('assembly', assembly);
  return () => rmSync(assembly, { recursive: true, force: true });
}

/**
 * A fresh data directory for a local broker, which finds the synthesized assembly there as if it had made it itself.
 */
export function dataDirectory(assembly: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'token-broker-'));
  cpSync(assembly, join(directory, 'cdk.out'), { recursive: true });
  return directory;
}
