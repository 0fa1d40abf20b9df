import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cases } from './cases.ts';
import { type Report, reports } from './reports.ts';

const root = join(import.meta.dirname, '../..');
const sources = Object.values(cases).flatMap((entries) => entries.map(({ source }) => source));

test.each(reports.map((report): [string, Report] => [`${report.source}: ${report.input}`, report]))(
  '%s',
  (_, { source, held }) => {
    if (held.length === 0) expect(sources.filter((named) => named.includes(source))).not.toEqual([]);
    for (const [file, name] of held) {
      expect(existsSync(join(root, file)), file).toBe(true);
      expect(readFileSync(join(root, file), 'utf8')).toContain(name);
    }
  },
);

test('no case of the corpus is without a source', () => {
  expect(sources.filter((source) => source.trim() === '')).toEqual([]);
});
