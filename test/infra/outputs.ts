/** Where the template tests synthesize, deleted when all of them have ended: a worker runs many of their files. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    readonly outputs: string;
  }
}

export default function setup({ provide }: TestProject): () => void {
  const outputs = mkdtempSync(join(tmpdir(), 'token-broker-synth-'));
  provide('outputs', outputs);
  return () => rmSync(outputs, { recursive: true, force: true });
}
