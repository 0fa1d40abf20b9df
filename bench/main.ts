/**
 * `npm run bench`: measures the bundles that deploy, through the Runtime API, beside what they are compared with, and
 * writes what came of it into docs/performance.md. `npm run bench -- cold warm` measures these parts only.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { arch, cpus, loadavg, platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cold, warm } from './gets.ts';
import { memory } from './memory.ts';
import { operations } from './operations.ts';
import type { Part } from './parts.ts';
import { rivals } from './rivals.ts';
import { size } from './size.ts';
import { startStage } from './stage.ts';
import { waiting } from './waiting.ts';

const parts: Readonly<Record<string, Part>> = { size, cold, warm, operations, memory, waiting, rivals };
const document = join(import.meta.dirname, '../docs/performance.md');
const charts = join(import.meta.dirname, '../docs/performance');

const usage = `usage: npm run bench -- [--rounds 1 to 30] [${Object.keys(parts).join(' | ')}] …`;
/** What is to be measured, and how often; undefined where the bench does not know an argument. */
function wishes(): { readonly chosen: readonly string[]; readonly rounds: number } | undefined {
  try {
    const { positionals, values } = parseArgs({
      allowPositionals: true,
      options: { rounds: { type: 'string', default: '7' } },
    });
    const chosen = positionals.length === 0 ? Object.keys(parts) : positionals;
    const rounds = Number(values.rounds);
    const known = chosen.every((name) => Object.hasOwn(parts, name));
    return known && Number.isInteger(rounds) && rounds >= 1 && rounds <= 30 ? { chosen, rounds } : undefined;
  } catch {
    return undefined;
  }
}
const wished = wishes();
if (wished === undefined) {
  console.error(usage);
  process.exit(2);
}
const { chosen, rounds } = wished;

const directory = mkdtempSync(join(tmpdir(), 'token-broker-bench-'));
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

/** Puts a text between the marks of its part. */
const placed = (whole: string, part: string, text: string): string => {
  const [begin, end] = [`<!-- ${part}: written by the bench -->`, `<!-- end of ${part} -->`];
  const [from, to] = [whole.indexOf(begin), whole.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/performance.md has no place for ${part}`);
  return `${whole.slice(0, from + begin.length)}\n\n${text}\n\n${whole.slice(to)}`;
};

const stage = await startStage(directory);
mkdirSync(charts, { recursive: true });
for (const part of chosen) {
  const beganAt = performance.now();
  const { text, charts: drawn = {} } = (await parts[part]?.({ stage, directory, rounds })) ?? { text: '' };
  const load = loadavg()[0]?.toFixed(1);
  const where = `Node ${process.version}, ${platform()} ${arch()}, ${cpus().length} cores, load ${load}`;
  const how = `*${new Date().toISOString().slice(0, 10)}, ${where}: \`npm run bench -- --rounds ${rounds} ${part}\`*`;
  const images = Object.keys(drawn).map((file) => `![${part}](performance/${file})`);
  for (const [file, svg] of Object.entries(drawn)) writeFileSync(join(charts, file), svg);
  writeFileSync(document, placed(readFileSync(document, 'utf8'), part, [text, '', ...images, '', how].join('\n')));
  console.log(`${part} (${((performance.now() - beganAt) / 1_000).toFixed(0)} s)\n\n${text}\n`);
}
await stage.close();
process.exit();
