/** The rules of the house, each a function from sources to the faults that it finds. */
import { type Room, rooms } from './rooms.ts';
import type { Source } from './source.ts';
import { bannedWords } from './words.ts';

const longestLine = 120;
const longestFunction = 70;
const longestClass = 200;

const unfoldable = /\S{60}|^\s*(?:test|describe)(?:\.\w+)*\(['"`]|^\s*\]\)\(['"`]/;

export const isIn = ({ files }: Room, path: string): boolean => path.startsWith(files);

/** Imports that a room does not allow. */
export const forbiddenImports = (sources: readonly Source[]): string[] =>
  sources.flatMap(({ path, imports }) => {
    const room = rooms.find((each) => isIn(each, path));
    if (room === undefined) return [`${path} is in no room`];
    const allowed = (from: string): boolean => [room.files, ...room.imports].some((start) => from.startsWith(start));
    return imports.flatMap(({ from }) => (allowed(from) ? [] : [`${path} imports ${from}`]));
  });

/** Circles of imports, those of types alone included: each as the way round it. */
export function circles(sources: readonly Source[]): string[] {
  const importsOf = new Map(sources.map(({ path, imports }) => [path, imports.map(({ from }) => from)]));
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, way: readonly string[]): void => {
    const before = way.indexOf(path);
    if (before >= 0) found.push([...way.slice(before), path].join(' → '));
    if (before >= 0 || done.has(path)) return;
    for (const from of importsOf.get(path) ?? []) visit(from, [...way, path]);
    done.add(path);
  };
  for (const path of importsOf.keys()) visit(path, []);
  return found;
}

/** Lines that are too long. A text without a blank cannot be folded, and a test's title is one line. */
export const longLines = (sources: readonly Source[]): string[] =>
  sources.flatMap(({ path, lines }) =>
    lines.flatMap((line, i) =>
      line.length > longestLine && !unfoldable.test(line) ? [`${path}:${i + 1} has ${line.length} columns`] : [],
    ),
  );

/** Banned words in comments, each with what to write instead. */
export const bannedInComments = (sources: readonly Source[]): string[] =>
  sources.flatMap(({ path, comments }) =>
    comments.flatMap(({ text, line }) =>
      bannedWords.flatMap(([word, instead]) => {
        const [found] = word.exec(text) ?? [];
        return found === undefined ? [] : [`${path}:${line} says "${found}"; say ${instead}`];
      }),
    ),
  );

/**
 * Functions and classes that are too long, by file and name. A class is read a method at a time, and each method is a
 * function; what bounds the class is how much can share its state. In a test file the unnamed functions are tables and
 * suites.
 */
export const longFunctionsIn = (sources: readonly Source[]): ReadonlyMap<string, number> =>
  new Map(
    sources.flatMap(({ path, functions }) =>
      functions.flatMap(({ name, lines, isClass }) =>
        lines <= (isClass ? longestClass : longestFunction) || (name === '' && path.endsWith('.test.ts'))
          ? []
          : [[`${path} ${name}`, lines]],
      ),
    ),
  );

const duration = /\bconst \w+(?:Ms|Seconds|Days)\b[^=]*= [\d_.]+(?=[ ;,])|\bplus\([^()]+(?:\(\))?, -?[\d_]{3,}\)/;

/** Durations that are written as numbers where they are used. */
export const loneDurations = (sources: readonly Source[]): string[] =>
  sources.flatMap(({ path, lines }) =>
    lines.flatMap((line, i) => (duration.test(line) ? [`${path}:${i + 1} ${line.trim()}`] : [])),
  );

/** Exports, of types too, that no other file imports. */
export function unusedExports(sources: readonly Source[]): string[] {
  const used = new Set(
    sources.flatMap(({ imports }) => imports.flatMap(({ from, names }) => names.map((name) => `${from} ${name}`))),
  );
  return sources.flatMap(({ path, exports }) =>
    exports.flatMap((name) => (used.has(`${path} ${name}`) || used.has(`${path} *`) ? [] : [`${path} ${name}`])),
  );
}
