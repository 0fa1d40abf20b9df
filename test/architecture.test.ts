/** The rules of the house: which room may import which, what is pure, and how code and comments are written. */
import { describe, expect, test } from 'vitest';
import { type DeployedName, routes } from '../lambdas/routes.ts';
import { freeExports, longFunctions } from './house/exceptions.ts';
import { rooms } from './house/rooms.ts';
import {
  bannedInComments,
  circles,
  forbiddenImports,
  isIn,
  loneDurations,
  longFunctionsIn,
  longLines,
  unusedExports,
} from './house/rules.ts';
import { type Source, sourceOf, sourcesIn } from './house/source.ts';

const product = sourcesIn('{bench,cli,client,infra,lambdas,local,shared}/**/*.{ts,mjs,cjs}');
const tests = sourcesIn('test/**/*.{ts,mjs,cjs}');
const all = [...product, ...tests];
const scripts = product.filter(({ path }) => /\.[mc]js$/.test(path));

const from = (start: string): Source[] => all.filter(({ path }) => path.startsWith(start));
const containing = (pattern: RegExp, sources: readonly Source[]): string[] =>
  sources.flatMap(({ path, lines }) => (lines.some((line) => pattern.test(line)) ? [path] : []));

describe('rooms', () => {
  test.each(rooms)('$files is there', ({ files, moreThan }) => {
    expect(from(files).length).toBeGreaterThan(moreThan);
  });

  test('each file imports what its room allows', () => {
    expect(forbiddenImports(product.filter((source) => !scripts.includes(source)))).toEqual([]);
  });

  test('each room stands on rooms before it', () => {
    const above = rooms.flatMap(({ files, imports }, i) =>
      imports.flatMap((start) => (rooms.slice(i).some((room) => isIn(room, start)) ? [`${files} on ${start}`] : [])),
    );
    expect(above).toEqual([]);
  });

  test('no file imports itself by way of other files', () => {
    expect(circles(all)).toEqual([]);
  });
});

test.each([
  ['shared/canary/', 2],
  ['shared/domain/', 10],
  ['shared/application/', 10],
  ['shared/providers/', 10],
  ['test/sim/', 10],
])('%s asks neither the clock nor chance', (folder, moreThan) => {
  expect(from(folder).length).toBeGreaterThan(moreThan);
  expect(containing(/Date\.now\(|new Date\(\)|Math\.random\(|randomUUID\(/, from(folder))).toEqual([]);
});

test.each([...new Set<DeployedName>([...routes.map((route) => route.function), 'refresh', 'plan', 'canary'])])(
  'the handler of %s has less than 80 lines',
  (name) => {
    const [handler] = from(`lambdas/${name}.ts`);
    expect(handler?.lines.length).toBeLessThan(80);
  },
);

describe('code and comments', () => {
  test('no line has more than 120 columns', () => {
    expect(longLines(all)).toEqual([]);
  });

  test('comments name who does what', () => {
    expect(bannedInComments(all)).toEqual([]);
  });

  test('no function has more than 70 lines and no class more than 200, but for those that are known', () => {
    expect([...longFunctionsIn(all).keys()].toSorted()).toEqual(longFunctions.toSorted());
  });

  test('durations stand in limits.ts', () => {
    const elsewhere = ({ path }: Source): boolean =>
      /^(?:shared|lambdas|infra)\//.test(path) && !/^shared\/domain\/(?:limits|time)\.ts$/.test(path);
    expect(loneDurations(all.filter(elsewhere))).toEqual([]);
  });

  test('each export is imported by another file', () => {
    expect(unusedExports(all).filter((name) => !freeExports.some((start) => name.startsWith(start)))).toEqual([]);
  });
});

describe('each rule finds what breaks it', () => {
  const source = (path: string, text: string): Source => sourceOf(path, text);

  test.each([
    ["import { a } from '../ports/clock.ts';", 'shared/ports/clock.ts'],
    ["import type { a } from '../ports/clock.ts';", 'shared/ports/clock.ts'],
    ["export { a } from 'valibot';", 'valibot'],
    ["const a = await import('node:fs');", 'node:fs'],
    ["type A = import('../compose.ts').A;", 'shared/compose.ts'],
  ])('a forbidden import: %s', (text, imported) => {
    expect(forbiddenImports([source('shared/domain/a.ts', text)])).toEqual([`shared/domain/a.ts imports ${imported}`]);
  });

  test('a circle, of types too', () => {
    const a = source('x/a.ts', "import type { B } from './b.ts';");
    const b = source('x/b.ts', "import { c } from './c.ts';");
    const c = source('x/c.ts', "import { a } from './a.ts';");
    expect(circles([a, b, c])).toEqual(['x/a.ts → x/b.ts → x/c.ts → x/a.ts']);
    expect(circles([a, b])).toEqual([]);
  });

  test('a long line, unless it cannot be folded', () => {
    const line = (columns: number): string => `// ${'x '.repeat((columns - 3) / 2)}x`;
    const text = `${line(120)}\n${line(122)}\n// https://example.com/${'x'.repeat(121)}\ntest('${line(120)}', () => {});`;
    expect(longLines([source('a.ts', text)])).toEqual(['a.ts:2 has 122 columns']);
  });

  test('a banned word in a comment, and not in a string', () => {
    const text = "const a = '// nobody';\n/** Whoever reads it. */\nconst b = `/* somebody */`; // for others";
    expect(bannedInComments([source('a.ts', text)])).toEqual([
      expect.stringContaining('a.ts:2 says "Whoever"'),
      expect.stringContaining('a.ts:3 says "others"'),
    ]);
  });

  test('a long function, by the name that it was given', () => {
    const body = (lines: number): string => `{${'\n'.repeat(lines - 1)}}`;
    const classes = `class C { d() ${body(72)} }\nclass E ${body(201)}`;
    const text = `const a = () => ${body(71)};\nfunction b() ${body(70)}\n${classes}`;
    expect(Object.fromEntries(longFunctionsIn([source('x.ts', text)]))).toEqual({
      'x.ts a': 71,
      'x.ts d': 72,
      'x.ts E': 201,
    });
  });

  test('a duration that is written where it is used', () => {
    const text = 'const waitMs = 5_000;\nconst at = plus(now, 1_000);\nconst least = 2_000, next = plus(now, 1);';
    expect(loneDurations([source('a.ts', text)])).toEqual([
      'a.ts:1 const waitMs = 5_000;',
      'a.ts:2 const at = plus(now, 1_000);',
    ]);
  });

  test('an export that is not used', () => {
    const exporting = source(
      'a.ts',
      'export const a = 1, b = 2; export type C = 1; export { a as d }; export default a;',
    );
    const importing = source('b.ts', "import d, { b } from './a.ts';");
    expect(unusedExports([exporting, importing])).toEqual(['a.ts a', 'a.ts C', 'a.ts d']);
    expect(unusedExports([exporting, source('b.ts', "import * as a from './a.ts';")])).toEqual([]);
  });
});

/** What Node.js has not in all versions from 22.18 on, and what that comes to: npm brings no other along to macOS. */
const tooNew = [
  [
    'import.meta.main',
    /\bif \(import\.meta\.main\b/,
    'undefined in 23 and in 24.0 and 24.1: the program does nothing, and does not say so',
  ],
  ['numbered parameters of SQL', /(?:[=<>(] ?|limit )\?\d/, 'refused by node:sqlite of 22.18 and 24.1'],
] as const;

test.each(tooNew)('%s: not used', (_, pattern) => {
  expect(containing(pattern, all).filter((path) => path !== 'test/architecture.test.ts')).toEqual([]);
});
