/** The local broker as a newcomer runs it: a process of its own, which can be killed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type SignedFetch, signedFetch } from '../../local/platform/signed-fetch.ts';

export interface BrokerProcess {
  readonly url: string;
  readonly fetch: SignedFetch;
  /** Everything that it printed. */
  readonly printed: readonly string[];
  /** SIGKILL to it and to every function it runs, at once. */
  killEverything(): Promise<void>;
  /** As Ctrl-C does; resolves with its exit code. */
  interrupt(): Promise<number | null>;
}

/**
 * Starts `npm start`'s program on this directory, with more arguments, and resolves when it serves. Rejects with what
 * it printed if it ends instead.
 */
export async function startBroker(
  directory: string,
  provider: 'none' | 'oidc-provider' = 'none',
  ...more: readonly string[]
): Promise<BrokerProcess> {
  const child = spawn(
    process.execPath,
    ['local/start.mjs', '--port', '0', '--data', directory, '--provider', provider, ...more],
    {
      // A process group of its own, so that all of it can be killed at one instant.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const printed: string[] = [];
  const exited = once(child, 'exit');
  createInterface({ input: child.stderr }).on('line', (line) => printed.push(line));
  const curl = await new Promise<RegExpMatchArray>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      printed.push(line);
      const match = line.match(/--user "([^:]+):([^"]+)" (http:\/\/[^/]+)\//);
      if (match) resolve(match);
    });
    exited.then(() => reject(new Error(`the broker ended:\n${printed.join('\n')}`)));
  });
  const [, accessKeyId = '', secretAccessKey = '', url = ''] = curl;
  const group = -(child.pid ?? Number.NaN);
  return {
    url,
    fetch: signedFetch(url, { accessKeyId, secretAccessKey }),
    printed,
    async killEverything() {
      process.kill(group, 'SIGKILL');
      await exited;
    },
    async interrupt() {
      child.kill('SIGINT');
      const [code] = await exited;
      return code as number | null;
    },
  };
}
