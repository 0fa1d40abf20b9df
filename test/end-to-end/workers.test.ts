/** What `npm run workers` does with ten processes, with three: no call of an API fails while its token lives. */
import { rmSync } from 'node:fs';
import { afterAll, expect, inject, test } from 'vitest';
import { type Row, Run } from '../workers/run.ts';
import { dataDirectory } from './synthesized.ts';

const directory = dataDirectory(inject('assembly'));
const size = { processes: 3, workers: 6, slowSeconds: 4, throttledSeconds: 2, downSeconds: 2 };
const run = new Run(directory, size);

afterAll(async () => {
  await run.close();
  rmSync(directory, { recursive: true, force: true });
});

test('many workers come through renewals, a slow one, a throttle, a restart and a rejected token', {
  timeout: 400_000,
}, async () => {
  const rows: Row[] = [];
  for await (const row of run.rows()) rows.push(row);
  expect(rows.map(({ phase, failed, renewals }) => ({ phase, failed, renewals }))).toEqual([
    { phase: 'start', failed: [], renewals: 1 },
    { phase: 'three renewals', failed: [], renewals: 3 },
    { phase: 'a renewal of 4 s', failed: [], renewals: 1 },
    { phase: 'a throttle of 2 s', failed: [], renewals: 1 },
    { phase: 'a restart of the broker', failed: [], renewals: 1 },
    { phase: 'a rejected token', failed: [], renewals: 1 },
  ]);
  const [start, renewals, , throttle, restart, rejection] = rows.map(({ questions }) => questions);
  // One for each process and token, however many workers.
  expect(start).toEqual(Array(3).fill(['GET 200']));
  expect(renewals).toEqual(Array(3).fill(Array(3).fill('GET 200')));
  expect(rejection).toEqual(Array(3).fill(['POST 200']));
  for (const questions of throttle ?? []) expect(questions).toContain('GET 429');
  for (const questions of restart ?? []) expect(questions).toContain('GET lost');
});
