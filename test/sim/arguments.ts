/** Command lines of the simulation: whole numbers, each with its bounds. */
import { parseArgs } from 'node:util';

interface NumberOption {
  readonly default: number;
  readonly least: number;
  readonly most: number;
}

type Numbers<N extends string> = { readonly [name in N]: number };

/** Returns the numbers, and which of the flags were given. Throws one error that lists every fault. */
export function parseNumbers<N extends string>(
  args: readonly string[],
  numbers: Readonly<Record<N, NumberOption>>,
  flags: readonly string[] = [],
) {
  const names = Object.keys(numbers) as N[];
  const { values, positionals } = parseArgs({
    args: [...args],
    strict: false,
    options: {
      ...Object.fromEntries(names.map((name) => [name, { type: 'string' as const }])),
      ...Object.fromEntries(flags.map((flag) => [flag, { type: 'boolean' as const }])),
    },
  });
  const faults = positionals.map((word) => `"${word}" belongs to no option`);
  for (const [name, value] of Object.entries(values)) {
    if (!(name in numbers) && !flags.includes(name)) faults.push(`--${name} is unknown`);
    if (flags.includes(name) && value !== true) faults.push(`--${name} takes no value`);
  }
  const parsed = names.map((name): [N, number] => {
    const { default: byDefault, least, most } = numbers[name];
    const value = values[name];
    const number =
      value === undefined ? byDefault : typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= least && number <= most))
      faults.push(`--${name} must be a whole number from ${least} to ${most}, not ${JSON.stringify(value)}`);
    return [name, number];
  });
  const known = [...names.map((name) => `--${name} N`), ...flags.map((flag) => `--${flag}`)];
  if (faults.length > 0) throw new Error(`${faults.join('\n')}\nKnown: ${known.join(', ')}`);
  return { numbers: Object.fromEntries(parsed) as Numbers<N>, flags: flags.filter((flag) => values[flag] === true) };
}
