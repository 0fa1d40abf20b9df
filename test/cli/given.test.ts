/** Command lines that are wrong in themselves: each is told at once, and nothing is sent. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import yargs, { type CommandModule } from 'yargs';
import * as importFile from '../../cli/commands/import.ts';
import { run } from '../../cli/run.ts';

let said = '';
beforeEach(() => {
  said = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += text;
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());

const oddNames = ['..', '.', 'Books', 'a/b', 'b?x#y', 'boeken-é'];
const takeNames = ['status', 'pause', 'logs', 'move-in --from file'];

test.each<[argv: string[], ...faults: string[]]>([
  [['status', 'books', '--stack', ''], '--stack: has no value.'],
  [['status', ''], '--name: has no value.'],
  [['status', 'books', '--url', 'https://a.example', '--url', 'https://b.example'], '--url: is given twice.'],
  [['connect', 'books', '--timeout', 'long'], '--timeout: takes a whole number, 0 or more.'],
  [['reject', 'books', '--generation', '-1', '--region', ''], '--generation: takes', '--region: has no value.'],
  [['token', 'books', '--wait', '1.5'], '--wait: takes a whole number, 0 or more.'],
  ...takeNames.flatMap((command) =>
    oddNames.map((name): [string[], string] => [[...command.split(' '), name], `"${name}" names no connection`]),
  ),
])('%j is wrong', async (argv, ...faults) => {
  expect(await run(argv)).toBe(2);
  for (const fault of faults) expect(said).toContain(fault);
});

test('an option before the name does not take the name', async () => {
  const argv = ['connect', '--provider', 'exact-online', '--set', 'country=nl', 'books', '--data', '/nonexistent'];
  expect([await run(argv), said]).toEqual([3, expect.stringContaining('No broker runs')]);
});

test('a hyphen is the name of standard input, for a file that is imported too', async () => {
  const files: unknown[] = [];
  const command = { ...importFile, handler: ({ file }: { readonly file: unknown }) => void files.push(file) };
  await yargs(['import', '-', '--yes'])
    .command(command as unknown as CommandModule)
    .parseAsync();
  expect(files).toEqual(['-']);
});
