/** What the folders promise: which may import which, what is pure, and that handlers stay short. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type FunctionName, routes } from '../lambdas/routes.ts';

const root = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const sources = (pattern: string): string[] => globSync(pattern, { cwd: root });
const importsOf = (path: string): string[] =>
  [...read(path).matchAll(/^(?:import|export)[^;]*? from '([^']+)'/gm)].map(([, from = '']) => from);

/** Imports of these files that are not allowed to them. */
const forbidden = (pattern: string, allowed: (from: string) => boolean): string[] =>
  sources(pattern).flatMap((path) =>
    importsOf(path).flatMap((from) => (allowed(from) ? [] : [`${path} imports ${from}`])),
  );

describe('imports', () => {
  test('the domain imports nothing outside its folder', () => {
    expect(sources('shared/domain/*.ts').length).toBeGreaterThan(10);
    expect(forbidden('shared/domain/*.ts', (from) => /^\.\/[\w-]+\.ts$/.test(from))).toEqual([]);
  });

  test('ports import the domain only', () => {
    expect(forbidden('shared/ports/*.ts', (from) => from.startsWith('../domain/') || from.startsWith('./'))).toEqual(
      [],
    );
  });

  test('use cases know no adapter, no provider and no package', () => {
    expect(forbidden('shared/application/*.ts', (from) => /^(?:\.\.\/(?:domain|ports)|\.)\//.test(from))).toEqual([]);
  });

  test('nothing that deploys imports tests or the local broker', () => {
    expect(forbidden('{client,lambdas,shared}/**/*.ts', (from) => !/\/(?:test|local)\//.test(from))).toEqual([]);
  });
});

test.each(['shared/domain', 'shared/application', 'shared/providers', 'test/sim'])(
  '%s asks neither the clock nor chance',
  (folder) => {
    const asking = sources(`${folder}/**/*.ts`).filter((path) =>
      /Date\.now\(|new Date\(\)|Math\.random\(|randomUUID\(/.test(read(path)),
    );
    expect(asking).toEqual([]);
  },
);

test.each([...new Set<FunctionName>([...routes.map((route) => route.function), 'refresh', 'plan'])])(
  'the handler of %s has less than 80 lines',
  (name) => {
    expect(read(`lambdas/${name}.ts`).split('\n').length).toBeLessThan(80);
  },
);

/** What Node.js has not in all versions that `engines` allows, and what that comes to there. */
const tooNew = [
  [
    'import.meta.main',
    /\bif \(import\.meta\.main\b/,
    'undefined in 23 and in 24.0 and 24.1: the program does nothing, and does not say so',
  ],
  ['numbered parameters of SQL', /(?:[=<>(] ?|limit )\?\d/, 'refused by node:sqlite of 22.18 and 24.1'],
] as const;

test.each(tooNew)('%s: not used', (_, pattern) => {
  expect(
    sources('{client,infra,lambdas,local,shared,test}/**/*.ts').filter(
      (path) => path !== 'test/architecture.test.ts' && pattern.test(read(path)),
    ),
  ).toEqual([]);
});
