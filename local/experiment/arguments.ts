import { optionsIn } from '../options.ts';

export interface Arguments {
  /** How many workers share a grant, in each run of a scenario. */
  readonly workers: readonly number[];
  /** For how many lifetimes of an access token calls are counted. */
  readonly lifetimes: number;
}

export const usage = `Lets workers share one grant at a simulator of Exact Online: each on its own,
or all on the broker.

  npm run demo -- [--workers N,N,…] [--lifetimes K]

  --workers    how many workers share a grant: up to 5 numbers from 1 to 100 (default: 1,10,50)
  --lifetimes  for how many lifetimes of an access token to count, from 1 to 60; 6 are an hour at Exact,
               which takes two minutes here (default: 6)
  --help       this text
`;

const known = { workers: { type: 'string' }, lifetimes: { type: 'string' }, help: { type: 'boolean' } } as const;

/** Returns the arguments, `help`, or every fault there is, each as a sentence. */
export function parseArguments(argv: readonly string[]): Arguments | 'help' | { readonly faults: readonly string[] } {
  const { values, faults } = optionsIn(argv, known, '--workers');
  if (values.help) return 'help';
  const workers = String(values.workers ?? '1,10,50').split(',');
  const lifetimes = String(values.lifetimes ?? '6');
  if (workers.length > 5 || !workers.every((text) => isWithin(text, 100)))
    faults.push('--workers: takes up to 5 numbers from 1 to 100, such as 1,10,50.');
  if (!isWithin(lifetimes, 60)) faults.push('--lifetimes: takes a number from 1 to 60.');
  return faults.length > 0 ? { faults } : { workers: workers.map(Number), lifetimes: Number(lifetimes) };
}

const isWithin = (text: string, most: number): boolean => /^[1-9]\d*$/.test(text) && Number(text) <= most;
