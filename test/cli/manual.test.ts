/** docs/command-line.md, beside what there is. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exitCodes } from '../../cli/failure.ts';
import { commands } from '../../cli/run.ts';

const manual = readFileSync(join(import.meta.dirname, '../../docs/command-line.md'), 'utf8');
const rows = (expression: RegExp): string[] => [...manual.matchAll(expression)].map(([, cell = '']) => cell);

test('names every command', () => {
  const names = commands.map(({ command }) => command.split(' ')[0]);
  expect(rows(/^\| `([a-z-]+)[^`]*` \|/gm).sort()).toEqual([...names, 'completion'].sort());
});

test('names every exit code', () => {
  expect(rows(/^\| (\d+) \|/gm).map(Number)).toEqual([0, ...Object.values(exitCodes)]);
});
