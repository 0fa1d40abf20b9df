/** What a probe has found, as facts of a preset: lines to be put in the place of those that are there. */
import type { Found, ProbeReport } from './probe.ts';
import { wordsOf } from './probe.ts';

const commentOf = (text: string): string => text.replaceAll(/[\r\n\u2028\u2029]+/g, ' ');

/** Returns the lines, each with the mark [P], the day, and how it was found. */
export function patchOf({ found, open, refusals, calls }: ProbeReport, provider: string, day: string): string {
  const facts = found.filter(({ fact }) => fact !== 'reuse');
  const line = ({ fact, value, how }: Found): string =>
    `    ${fact}: ${literal(value)}, // [P ${day}] ${commentOf(how)}`;
  const note = ({ value, how }: Found): string => `  // A second use: ${String(value)}; ${commentOf(how)}`;
  const errors = [
    ...new Set(refusals.map((refusal) => `${refusal.class}: ${wordsOf(refusal)} (rule ${refusal.rule})`)),
  ];
  return [
    `  // ${provider}, probed on ${day} with a sandbox grant, ${calls} calls.`,
    '  facts: {',
    ...facts.map(line),
    '  },',
    ...found.filter(({ fact }) => fact === 'reuse').map(note),
    ...errors.map((error) => `  // Refusal: ${commentOf(error)}`),
    ...open.map((what) => `  // Not found out: ${commentOf(what)}`),
  ].join('\n');
}

/** As presets write it. */
const literal = (value: unknown): string =>
  typeof value === 'string' ? `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'` : String(value);
