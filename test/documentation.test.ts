/** What documents say and code can be asked for: races, events and codes; and whether every picture can be shown. */
import { globSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ownFailureCodes } from '../shared/domain/failure.ts';
import { logEvents } from '../shared/ports/telemetry.ts';
import { sourcesIn } from './house/source.ts';
import { races } from './scenarios/races.ts';

const root = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const picturesIn = (text: string): string[][] =>
  [...text.matchAll(/^```mermaid\n(.*?)\n```$/gms)].map(([, lines = '']) => lines.split('\n'));

const sections = read('docs/races.md')
  .split(/^### /m)
  .slice(1)
  .map((section) => ({ title: section.split('\n')[0] ?? '', pictures: picturesIn(section) }));
const titles = sections.map(({ title }) => title);

const capitalized = (name: string): string => `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
const names = races.map(({ name }) => capitalized(name));
/** What the tests of scenarios describe. */
const scenarios = globSync('test/scenarios/*.test.ts', { cwd: root }).flatMap((path) =>
  [...read(path).matchAll(/^describe\((['"])(.+?)\1, /gm)].map(([, , title = '']) => capitalized(title)),
);

describe('docs/races.md', () => {
  test('draws every race that the simulation plays', () => {
    expect(names.filter((name) => !titles.includes(name))).toEqual([]);
  });

  test('draws nothing that no race or scenario plays, and nothing twice', () => {
    expect(titles.filter((title) => !names.includes(title) && !scenarios.includes(title))).toEqual([]);
    expect(new Set(titles).size).toBe(titles.length);
  });

  test.each(sections)('has one picture of: $title', ({ pictures }) => {
    expect(pictures).toHaveLength(1);
  });
});

/** The first cells of a table, without their backticks, of the section of the manual that has this title. */
function rowsOf(path: string, title: string): string[] {
  const [, section = ''] = read(path).split(new RegExp(`^## ${title}$`, 'm'));
  return [...(section.split(/^## /m)[0] ?? '').matchAll(/^\| `([^`]+)` \|/gm)].map(([, cell = '']) => cell);
}

describe('docs/operations.md', () => {
  test('explains every event that is logged, and no other', () => {
    expect(rowsOf('docs/operations.md', 'What is logged')).toEqual([...logEvents]);
  });

  test("explains every code of the broker's own, and no other", () => {
    const patterns = ['http_<status>', '<name>_missing'];
    expect(rowsOf('docs/operations.md', 'Codes of failures')).toEqual([...patterns, ...ownFailureCodes]);
  });
});

const code = sourcesIn('{client,infra,lambdas,local,shared,test}/**/*.ts');

/** Whether `Name` is exported somewhere, and `Name.member` is a word in a file that exports it. */
function isInCode(word: string): boolean {
  const [name = '', member] = word.split('.');
  const exporting = code.filter(({ exports }) => exports.includes(name));
  return exporting.some(({ lines }) => member === undefined || lines.some((line) => line.includes(`${member}`)));
}

test('each type of docs/glossary.md is in the code', () => {
  const rows = [...read('docs/glossary.md').matchAll(/^\| (?!word)[^|]+ \| [^|]+ \| ([^|]+) \|/gm)];
  const types = rows.flatMap(([, cell = '']) => [...cell.matchAll(/`([^`]+)`/g)].map(([, type = '']) => type));
  expect(types.length).toBeGreaterThan(50);
  expect(types.filter((type) => !isInCode(type))).toEqual([]);
});

test('each place of docs/glossary.md holds what its row names', () => {
  const rows = [
    ...read('docs/glossary.md').matchAll(/^\| [^|]+ \| [^|]+ \| `(\w+)`[^|]*\| `([\w.-]+\/[\w./-]+)`[^|]*\|/gm),
  ];
  expect(rows.length).toBeGreaterThan(15);
  const holds = (path: string, type: string): boolean =>
    code.some((source) => source.path.startsWith(path) && source.exports.includes(type));
  expect(rows.flatMap(([, type = '', path = '']) => (holds(path, type) ? [] : [`${path} ${type}`]))).toEqual([]);
});

test('what docs/glossary.md says sets and clears is in the code', () => {
  const rows = [...read('docs/glossary.md').matchAll(/^\| [^|]+ \| [^|]+ \| [^|]+ \| ([^|]*`[^|]*) \|/gm)];
  const names = rows.flatMap(([, cell = '']) => [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name));
  const text = code.flatMap(({ lines }) => lines).join('\n');
  expect(names.length).toBeGreaterThan(20);
  expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(text))).toEqual([]);
});

test('the map of rooms in README.md shows every folder that has code', () => {
  const [, map = ''] = read('README.md').split('## Find your way');
  const shown = [...map.matchAll(/^\| `(\w+)[^`]*` \|/gm)].map(([, folder]) => folder);
  const folders = globSync('*/**/*.{ts,mjs,py,sh}', {
    cwd: root,
    exclude: ['node_modules/**', 'cdk.out/**', 'dist/**'],
  }).map((path) => path.split('/')[0]);
  expect([...new Set(folders)].filter((folder) => !shown.includes(folder))).toEqual([]);
});

/** Paths that a document names: in backticks from the root of the project, in links from where it stands. */
function pathsIn(document: string): string[] {
  const text = read(document).replaceAll(/^```.*?^```$/gms, '');
  const named = [...text.matchAll(/`((?:[a-z]+\/|\.ci\/)[\w./*<>{},-]+)`/g)].map(([, path = '']) => path);
  const linked = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path = '']) =>
    posix.join(posix.dirname(document), path),
  );
  const rooms = ['.ci', 'cli', 'client', 'clients', 'docs', 'infra', 'lambdas', 'local', 'shared', 'test'];
  return [...named.filter((path) => rooms.includes(path.split('/')[0] ?? '')), ...linked];
}

const documents = globSync('{*.md,docs/*.md,local/*.md,test/sim/*.md}', { cwd: root });

test.each(documents)('each path that %s names is there', (document) => {
  // NAME and <function> stand for any.
  const glob = (path: string) => path.replaceAll(/NAME|<\w+>/g, '*');
  expect(pathsIn(document).filter((path) => globSync(glob(path), { cwd: root }).length === 0)).toEqual([]);
});

test('documents name paths', () => {
  expect(documents.flatMap(pathsIn).length).toBeGreaterThan(100);
});

test('each promise of docs/invariants.md is kept and checked by what is in the code', () => {
  const rows = [...read('docs/invariants.md').matchAll(/^\| [SL]\d+ \| [^|]+ \| ([^|]+) \| ([^|]+) \|/gm)];
  const names = rows.flatMap(([, kept = '', checked = '']) =>
    [...`${kept} ${checked}`.matchAll(/`(\w+)`/g)].map(([, name = '']) => name),
  );
  const text = code.flatMap(({ lines }) => lines).join('\n');
  expect(rows.length).toBe(14);
  expect(
    names.filter((name) => !new RegExp(`(?:function|const|class|interface|async) \\*?${name}\\b`).test(text)),
  ).toEqual([]);
});

/** Lines of a sequence diagram that Mermaid cannot show, by the part of its language that is used here. */
function faultsOf([first, ...lines]: readonly string[]): string[] {
  const participants = lines.flatMap((line) => /^ {2}participant (\w+) as \S/.exec(line)?.[1] ?? []);
  const open: string[] = [];
  const faulty = (line: string): boolean => {
    // A semicolon ends a statement, and a hash begins an entity.
    if (/[;#]/.test(line)) return true;
    const [, keyword] = /^ +(participant|loop|alt|else|end)\b/.exec(line) ?? [];
    if (keyword === 'loop' || keyword === 'alt') open.push(keyword);
    if (keyword === 'else') return open.at(-1) !== 'alt';
    if (keyword === 'end') return open.pop() === undefined;
    if (keyword !== undefined) return false;
    const [, noted, from, to] = /^ +(?:Note over (\w+)|(\w+)(?:->>|-->>|-x|--x)(\w+)): \S/.exec(line) ?? [];
    return (noted === undefined ? [from, to] : [noted]).some(
      (name) => name === undefined || !participants.includes(name),
    );
  };
  const faults = lines.filter(faulty);
  return [
    ...(first === 'sequenceDiagram' ? [] : [`not a sequence diagram: ${first}`]),
    ...faults,
    ...open.map((keyword) => `${keyword} without end`),
  ];
}

test.each(globSync('{README.md,docs/*.md}', { cwd: root }))('every picture in %s can be shown', (path) => {
  expect(picturesIn(read(path)).flatMap(faultsOf)).toEqual([]);
});
