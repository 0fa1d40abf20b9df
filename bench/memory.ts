/** What a token environment keeps in memory of the connections that it has answered for. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { limits } from '../shared/domain/limits.ts';
import { connect, get, startProvider } from './connections.ts';
import { chartOf, tableOf } from './figures.ts';
import type { Part } from './parts.ts';
import type { Environment } from './stage.ts';

/** Those that are asked for one after the other; the access token of each is as long as a long JWT. */
const distinct = 300;
const accessTokenLength = 6_000;

async function liveBytes(environment: Environment, file: string): Promise<number> {
  rmSync(file, { force: true });
  environment.tellHeap();
  for (let tries = 0; !existsSync(file); tries += 1) {
    if (tries === 200) throw new Error('the environment did not tell its heap within ten seconds');
    await sleep(50);
  }
  return Number(readFileSync(file, 'utf8'));
}

/**
 * Bytes that live after a full collection: of an environment that has answered for one connection many times, and of
 * the same one after it has answered for many. What it remembers has outlived its use by then.
 */
export const memory: Part = async ({ stage, directory }) => {
  const provider = await startProvider(stage, 0, accessTokenLength);
  const environments = [await stage.start('connections'), await stage.start('refresh')] as const;
  const names = Array.from({ length: distinct }, (_, index) => `memory-${index}`);
  await connect(environments, provider.tokenEndpoint, names);
  for (const environment of environments) await environment.end();
  const heapFile = join(directory, 'heap');
  const token = await stage.start('token', { heapFile });
  // The first time leaves marks of use, after which the reads are remembered.
  for (const name of names) await get(token, name);
  await sleep(limits.memoryMs);
  for (let times = 0; times < 1_000; times += 1) await get(token, 'memory-0');
  const one = await liveBytes(token, heapFile);
  for (const name of names) await get(token, name);
  await sleep(limits.memoryMs);
  await get(token, 'memory-0');
  const many = await liveBytes(token, heapFile);
  await token.end();
  await provider.close();
  const ratio = many / one;
  return {
    text: tableOf(
      ['bytes that live in a token environment', 'ratio'],
      [[`after ${distinct} connections, to the same after one`, ratio.toFixed(2)]],
    ),
    charts: {
      'memory.svg': chartOf(
        'Live memory of a token environment',
        [
          { label: 'after one connection', value: 1, ours: false },
          { label: `after ${distinct} connections`, value: ratio, ours: true },
        ],
        ' ×',
      ),
    },
  };
};
