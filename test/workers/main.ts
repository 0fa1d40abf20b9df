/** `npm run workers`: 600 workers in ten processes on one connection, through what goes wrong with a broker. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Run } from './run.ts';

const size = { processes: 10, workers: 60, slowSeconds: 40, throttledSeconds: 6, downSeconds: 4 };

/** `3 × GET 200`, for each kind. */
function counted(questions: readonly string[]): string {
  const kinds = Map.groupBy(questions, (question) => question);
  return [...kinds].map(([kind, { length }]) => `${length} × ${kind}`).join(', ') || 'none';
}

const directory = mkdtempSync(join(tmpdir(), 'token-broker-workers-'));
const run = new Run(directory, size);
let failures = 0;
try {
  console.log(`${size.processes} processes with ${size.workers} workers each, on one connection\n`);
  console.log(
    '| what happens | API calls | failed | token sets of the provider | questions to the broker | of a process |',
  );
  console.log('|---|---|---|---|---|---|');
  for await (const { phase, calls, failed, questions, renewals } of run.rows()) {
    const each = questions.map(({ length }) => length);
    const range = [...new Set([Math.min(...each), Math.max(...each)])].join('–');
    const cells = [phase, calls, failed.length, renewals, counted(questions.flat()), range];
    console.log(`| ${cells.join(' | ')} |`);
    if (failed.length > 0) console.log(`failed: ${counted(failed)}`);
    failures += failed.length;
  }
} finally {
  await run.close();
  rmSync(directory, { recursive: true, force: true });
}
process.exitCode = failures === 0 ? 0 : 1;
