/** A note in the data directory by which the command line finds the broker that runs there. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import manifest from '../package.json' with { type: 'json' };
import { keep } from './kept.ts';

export const runningBrokerFile = 'running.json';
/** The key pair that signs for the broker of this directory. */
export const credentialsFile = 'credentials.json';

export interface RunningBroker {
  readonly url: string;
  /** Where the provider beside it can be made to go wrong. */
  readonly triggers?: { readonly url: string; readonly key: string };
  /** The release that runs. Absent where it is older than this note of it. */
  readonly release?: string;
  readonly processId: number;
  readonly startedAt: string;
}

/** Writes the note. Returns what takes it away again. */
export function noteRunning(directory: string, about: Pick<RunningBroker, 'url' | 'triggers'>): () => void {
  const path = join(directory, runningBrokerFile);
  keep(path, {
    ...about,
    release: manifest.version,
    processId: process.pid,
    startedAt: new Date().toISOString(),
  } satisfies RunningBroker);
  return () => rmSync(path, { force: true });
}
