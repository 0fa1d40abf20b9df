import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GenericSchema } from 'valibot';
import { describe, expect, test } from 'vitest';
import { apiPresetEntries, apiRuleEntries, retryEntries } from '../../client/api-preset.ts';
import { factsSchema } from '../../shared/providers/facts.ts';
import { errorRuleSchema, presetEntries, replySchema, requestSchema } from '../../shared/providers/preset.ts';
import { knownPresets } from '../../shared/providers/presets/index.ts';
import { settingSchema } from '../../shared/providers/setting.ts';
import { marksOf, presetTable } from './marks.ts';

const text = readFileSync(join(import.meta.dirname, '../../docs/providers.md'), 'utf8');

/** The code names in the first column of the tables under a heading. */
function namesUnder(heading: string): string[] {
  const [, section = ''] = text.split(new RegExp(`^#+ ${heading}$`, 'm'));
  const [own = ''] = section.split(/^#+ /m);
  return [...own.matchAll(/^\| `([\w.-]+)`/gm)].map(([, name = '']) => name).sort();
}

const keys = (entries: Readonly<Record<string, GenericSchema>>): string[] => Object.keys(entries).sort();
const rule = errorRuleSchema.pipe[0].entries;

describe('docs/providers.md', () => {
  test.each<[string, string[]]>([
    ['The file', keys(presetEntries)],
    ['Facts', keys(factsSchema.entries)],
    ['Settings', [...new Set(settingSchema.options.flatMap(({ entries }) => Object.keys(entries)))].sort()],
    ['A request of its own', keys(requestSchema.entries)],
    ['Replies', keys(replySchema.entries)],
    [
      'API rules',
      [
        ...new Set([...keys(apiPresetEntries), ...keys(apiRuleEntries), ...keys(retryEntries)]),
        // What it has beside the conditions of error rules.
        ...Object.keys(apiRuleEntries.when.pipe[0].entries)
          .filter((name) => !(name in rule.when.pipe[0].entries))
          .map((name) => `when.${name}`),
      ].sort(),
    ],
    [
      'Error rules',
      [...Object.keys(rule), ...Object.keys(rule.when.pipe[0].entries).map((name) => `when.${name}`)].sort(),
    ],
  ])('%s: names every field, and no other', (heading, fields) => {
    expect(namesUnder(heading)).toEqual(fields);
  });

  test('has a row for every preset, which says what the preset says', () => {
    for (const row of presetTable()) expect(text).toContain(`${row}\n`);
    expect(namesUnder('All presets')).toEqual(Object.keys(knownPresets).sort());
  });
});

test('README.md says of every preset what was tested', () => {
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
  const [, section = ''] = readme.split(/^## Providers$/m);
  const rows = section.split(/^## /m)[0]?.match(/^\| `.*?(?= \| )/gm) ?? [];
  const named = rows.flatMap((row) => [...row.matchAll(/`([\w-]+)`/g)].map(([, name = '']) => name));
  expect(named.sort()).toEqual(Object.keys(knownPresets).sort());
});

test.each(Object.entries(knownPresets))('%s: every fact has a mark that says how sure it is', (name, { facts }) => {
  const marks = marksOf(name);
  expect(Object.keys(marks).sort()).toEqual(Object.keys(facts).sort());
  expect(Object.entries(marks).filter(([, mark]) => mark === undefined)).toEqual([]);
});
