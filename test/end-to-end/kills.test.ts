/**
 * Two of the rows of `npm run kills`: the refresher's own process gets SIGKILL at an exact step, while clients ask on.
 */
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { killAfter, killBefore } from '../kill/blows.ts';
import { observe } from '../kill/experiment.ts';
import type { Trial } from '../kill/rows.ts';
import { type Stage, startStage } from '../kill/stage.ts';
import { broken, measure } from '../kill/verdict.ts';
import { dataDirectory } from './synthesized.ts';

const accessTokenSeconds = 50;
/** Half a life: had the renewal begun when it falls due, the old token would expire this long after. */
const marginMs = (accessTokenSeconds / 2) * 1_000;
const directory = dataDirectory(inject('assembly'));
let stage: Stage;

beforeAll(async () => {
  stage = await startStage(directory);
});

afterAll(async () => {
  await stage.close();
  rmSync(directory, { recursive: true, force: true });
});

async function trial(connection: string, lastGeneration: number, given: Omit<Trial, 'promised'>) {
  const conditions = { directory, accessTokenSeconds, lastGeneration, hurried: true } as const;
  const observed = await observe(stage, connection, { ...given, promised: 'in_time' }, conditions);
  const measured = measure(observed);
  expect(broken(observed, measured)).toEqual([]);
  return { ...measured, end: observed.end };
}

describe.concurrent('a refresher is killed', () => {
  test('with the secret written and nothing committed, at a single-use provider: its token set is adopted, and no call is made for it', async () => {
    const { end, calls, ...seen } = await trial('stored', 3, {
      provider: 'strict',
      at: 'commit',
      blow: killBefore,
      unused: 0,
    });
    // The third is renewed with the refresh token that was adopted: it is good.
    expect(end).toMatchObject({ state: 'active', generation: 3 });
    expect(calls).toEqual({ ok: 3, errors: 0 });
    expect(seen).toMatchObject({ clientErrors: [], unavailable: 0 });
  });

  test('in flight, where a replay cannot hurt: taken over before the old token expires, and no client notices', async () => {
    const { end, calls, newTokenMs, ...seen } = await trial('in-flight', 2, {
      provider: 'replay',
      at: 'call',
      blow: killAfter,
      unused: 1,
    });
    expect(end).toMatchObject({ state: 'active', generation: 2 });
    expect(newTokenMs).toBeLessThan(marginMs);
    expect(calls).toEqual({ ok: 3, errors: 0 });
    expect(seen).toMatchObject({ clientErrors: [], unavailable: 0 });
  });
});
