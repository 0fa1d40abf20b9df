/** How sure each fact of a preset is: the mark in the comment behind it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { knownPresets } from '../../shared/providers/presets/index.ts';

const folder = join(import.meta.dirname, '../../shared/providers/presets');

/** The marks of a preset's facts, by fact; undefined for one without. */
export function marksOf(name: string): Readonly<Record<string, string | undefined>> {
  const source = readFileSync(join(folder, `${name}.ts`), 'utf8');
  const block = source.slice(source.indexOf('\n  facts: {\n'), source.indexOf('\n  settings: {'));
  const lines = [...block.matchAll(/^ {4}(\w+): .*?(?:, \/\/ \[(V|V2|R|NF|C|P|ours)(?: \d{4}-\d{2}-\d{2})?\].*)?$/gm)];
  return Object.fromEntries(lines.map(([, fact = '', mark]) => [fact, mark]));
}

/** The table of docs/providers.md, a row for each preset. */
export function presetTable(): string[] {
  return Object.values(knownPresets).map(({ name, title, facts }) => {
    const marks = Object.entries(marksOf(name));
    const marked = (...wanted: string[]): string =>
      marks
        .filter(([, mark = '']) => wanted.includes(mark))
        .map(([fact, mark]) => (mark === wanted[0] && wanted.length < 3 ? fact : `${fact} ${mark}`))
        .join(', ') || '–';
    const columns = [marked('V', 'P'), marked('V2'), marked('R', 'NF', 'C'), marked('ours')];
    return `| \`${name}\` | ${title} | ${facts.grant} | ${columns.join(' | ')} |`;
  });
}
