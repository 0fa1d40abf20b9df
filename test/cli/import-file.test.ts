/** What a file of connections is understood as, and what is said of a faulty one. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { entriesOf, faultsOf } from '../../cli/import-file.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'import-file-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const policy = { allowLoopback: false };
const faultsIn = (name: string, text: string): string[] => faultsOf(entriesOf(file(name, text)), policy);
const titles = 'connection,provider,settings.country,client_id,client_secret,margin_seconds';

test('the sample of the manual is a good file', () => {
  const manual = readFileSync(join(import.meta.dirname, '../../docs/command-line.md'), 'utf8');
  const [, sample = ''] = /```csv\n(.*?)```/s.exec(manual) ?? [];
  const entries = entriesOf(file('sample.csv', sample.replaceAll('…', 'x')));
  expect(entries.map(({ connection, body }) => [connection, body.settings])).toEqual([
    ['exact-nl', { country: 'nl' }],
    ['exact-be', { country: 'be' }],
  ]);
  expect(faultsOf(entries, policy)).toEqual([]);
});

test('a spreadsheet’s file: a mark at its beginning, other line ends, quoted cells, empty lines and cells', () => {
  const [entry] = entriesOf(
    file('sheet.csv', `\uFEFF${titles},account\r\n\r\nbooks,exact-online,nl,id,"se,c""ret",,"Example, BV"\r\n`),
  );
  expect(entry).toEqual({
    place: 'line 3',
    connection: 'books',
    body: {
      provider: 'exact-online',
      settings: { country: 'nl' },
      client: { client_id: 'id', client_secret: 'se,c"ret' },
      account: 'Example, BV',
    },
  });
});

test.each([
  [';', 'as a spreadsheet writes them where the comma is for decimals'],
  ['\t', 'as they are copied out of one'],
])('cells are separated by %j, %s', (separator) => {
  const rows = [titles, 'books,exact-online,nl,id,"a secret, with a comma",30'];
  const text = rows.map((row) => row.replaceAll(/,(?! )/g, separator)).join('\r\n');
  expect(entriesOf(file('separated.CSV', text))).toEqual([
    {
      place: 'line 2',
      connection: 'books',
      body: {
        provider: 'exact-online',
        settings: { country: 'nl' },
        client: { client_id: 'id', client_secret: 'a secret, with a comma' },
        margin_seconds: 30,
      },
    },
  ]);
});

test('JSON with a mark at its beginning', () => {
  expect(entriesOf(file('mark.json', '\uFEFF[{"connection":"books"}]'))).toMatchObject([{ connection: 'books' }]);
});

test('every fault of every line, and no value', () => {
  const rows = [
    'books,exact-online,nl,id,the-secret,30',
    'Books!,exact-online,xx,id,the-secret,ten',
    'books,exact,nl,id,the-secret,30',
  ];
  const faults = faultsIn('faulty.csv', [titles, ...rows].join('\n'));
  expect(faults).toEqual([
    expect.stringMatching(/^line 3: connection must be/),
    expect.stringMatching(/^line 3: margin_seconds must be/),
    expect.stringMatching(/^line 3: settings\.country must be/),
    'line 4: connection is the one of line 2 once more',
    expect.stringMatching(/^line 4: provider is not known/),
  ]);
  expect(faults.join()).not.toMatch(/the-secret|ten|xx/);
});

test('a column that is not known', () => {
  expect(faultsIn('column.csv', `${titles},acount\nbooks,exact-online,nl,id,secret,,me`)).toEqual([
    expect.stringMatching(/^line 2: acount is not known; did you mean account/),
  ]);
});

test('lines with too few or too many cells are told with the other faults', () => {
  const rows = [
    'books,exact-online',
    'shop,exact-online,xx,id,the-secret,',
    'more,exact-online,nl,id,the-secret,30,me',
  ];
  expect(faultsIn('ragged.csv', [titles, ...rows].join('\n'))).toEqual([
    'line 2: has 2 cells for 6 titles',
    expect.stringMatching(/^line 3: settings\.country must be/),
    'line 4: has 7 cells for 6 titles',
  ]);
});

test('a file in the character set of an old spreadsheet is no text, instead of names with holes', () => {
  const path = join(folder, 'latin.csv');
  writeFileSync(path, Buffer.from('connection,account\nbooks,M\u00fcller\n', 'latin1'));
  expect(() => entriesOf(path)).toThrow(/UTF-8/);
});

test.each([
  ['untitled.csv', 'books,exact-online,nl,id,the-secret,30', /line of titles/],
  ['empty.csv', '', /line of titles/],
  ['twice.csv', 'connection,provider,provider\nbooks,a,b', /provider twice/],
  ['quotes.csv', `${titles}\nbooks,"exact`, /no CSV/],
  ['broken.json', '[{"connection":"books","client":{"client_secret":"the-secret"', /no JSON/],
  ['object.json', '{}', /must be a list/],
])('%s cannot be read', (name, text, message) => {
  const path = file(name, text);
  expect(() => entriesOf(path)).toThrow(message);
  expect(() => entriesOf(path)).not.toThrow('the-secret');
});

test('entries of JSON that are nothing', () => {
  expect(faultsIn('nothing.json', '[null, 1]')).toEqual([
    expect.stringMatching(/^entry 1: connection must be/),
    expect.stringMatching(/^entry 1: .*provider/),
    expect.stringMatching(/^entry 2: connection must be/),
    'entry 2: connection is the one of entry 1 once more',
    expect.stringMatching(/^entry 2: .*provider/),
  ]);
});

test('a secret that is neither in the file nor stored is told with the other faults', () => {
  const rows = ['books,exact-online,nl,id,,ten', 'shop,exact-online,nl,id,,'];
  const entries = entriesOf(file('secretless.csv', [titles, ...rows].join('\n')));
  const margin = expect.stringMatching(/^line 2: margin_seconds must be/);
  expect(faultsOf(entries, policy)).toEqual([
    margin,
    'line 2: client.client_secret is missing',
    'line 3: client.client_secret is missing',
  ]);
  expect(faultsOf(entries, policy, new Set(['books', 'shop']))).toEqual([margin]);
});

test('the end of a client secret is a text or a number, as it is written', () => {
  const titled = `${titles},client_secret_expires_at`;
  const rows = [
    'a,exact-online,nl,id,s,,2027-03-31',
    'b,exact-online,nl,id,s,,1806451200',
    'c,exact-online,nl,id,s,,0',
  ];
  const entries = entriesOf(file('ending.csv', [titled, ...rows].join('\n')));
  const ends = entries.map(({ body }) => (body.client as Record<string, unknown>).client_secret_expires_at);
  expect(ends).toEqual(['2027-03-31', 1_806_451_200, 0]);
  expect(faultsOf(entries, policy)).toEqual([]);
});
