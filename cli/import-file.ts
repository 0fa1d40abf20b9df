/** Files with connections: CSV with a header line, or JSON as `export` writes it. */
import { parse as parseCsv } from 'csv-parse/sync';
import { parseConnectionName } from '../shared/domain/connection-name.ts';
import { secretsMissing } from '../shared/providers/credentials.ts';
import type { EndpointPolicy } from '../shared/providers/endpoint-url.ts';
import { parseConnectionRequest } from '../shared/providers/parse-request.ts';
import { knownPresets } from '../shared/providers/presets/index.ts';
import { wrongInput } from './failure.ts';
import { readText, reasonOf } from './text-file.ts';

export interface ImportEntry {
  /** Where in the file it is, for messages: `line 3`, `entry 2`. */
  readonly place: string;
  readonly connection: string;
  /** What is put: the body of `PUT /connections/{connection}`. */
  readonly body: Readonly<Record<string, unknown>>;
  /** Why it is no entry at all. */
  readonly broken?: string;
}

/** Some ten thousand connections. */
const mostKib = 16_384;
const numbers = ['margin_seconds'];
const ofClient = ['client_id', 'client_secret', 'client_secret_expires_at'];

/**
 * Returns the entries of a file, whose text may be given. Throws a failure with the line where the file cannot be read.
 */
export function entriesOf(file: string, text = textOf(file)): readonly ImportEntry[] {
  return /\.csv$/i.test(file) ? csvEntries(text, file) : jsonEntries(text, file);
}

/**
 * Returns every fault of every entry, each with its place; none repeats a value, which may be a secret. A connection
 * that is there already may have secrets stored, which the entry then need not bring.
 */
export function faultsOf(
  entries: readonly ImportEntry[],
  policy: EndpointPolicy,
  there: ReadonlySet<string> = new Set(),
): string[] {
  const seen = new Map<string, string>();
  return entries.flatMap(({ place, connection, body, broken }) => {
    if (broken !== undefined) return [`${place}: ${broken}`];
    const named = parseConnectionName(connection);
    const twice = seen.get(connection);
    seen.set(connection, place);
    const parsed = parseConnectionRequest(body, policy);
    return [
      ...(named === undefined ? ['connection must be 1 to 63 of a–z, 0–9 and inner hyphens'] : []),
      ...(twice === undefined ? [] : [`connection is the one of ${twice} once more`]),
      ...[...(parsed.ok ? [] : parsed.faults), ...(there.has(connection) ? [] : secretsMissing(parsed))].map(
        ({ path, message }) => `${path === '' ? 'entry' : path} ${message}`,
      ),
    ].map((fault) => `${place}: ${fault}`);
  });
}

/** Returns the text of a file; `-` is standard input. Throws a failure that names the file. */
export function textOf(file: string): string {
  try {
    return readText(file, mostKib);
  } catch (error) {
    throw wrongInput(`${file === '-' ? 'Standard input' : file} cannot be read: ${reasonOf(error)}.`);
  }
}

interface CsvRecord {
  readonly info: { readonly lines: number };
  readonly record: readonly string[];
}

function csvEntries(text: string, file: string): ImportEntry[] {
  const [head, ...rows] = recordsOf(text, file);
  const titles = head?.record ?? [];
  const faults = faultsOfTitles(titles);
  if (faults.length > 0) throw wrongInput(...faults.map((fault) => `${file}: the line of titles ${fault}`));
  return rows.map(({ info, record }): ImportEntry => {
    const place = `line ${info.lines}`;
    if (record.length !== titles.length)
      return { place, connection: '', body: {}, broken: `has ${record.length} cells for ${titles.length} titles` };
    const cells = Object.fromEntries(titles.map((title, column) => [title, record[column] ?? '']));
    return { place, connection: cells.connection ?? '', body: bodyOf(cells) };
  });
}

function recordsOf(text: string, file: string): readonly CsvRecord[] {
  try {
    return parseCsv(text, {
      delimiter: separatorOf(text),
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
    }) as never;
  } catch (error) {
    const { lines } = error as { readonly lines?: number };
    // The parser's own message quotes the text, which may hold a secret.
    throw wrongInput(
      `${file}${lines === undefined ? '' : `, line ${lines}`}: it is no CSV; is a quotation mark not closed, or alone?`,
    );
  }
}

/** No title has one of them in it. Spreadsheets separate by what the country does not use for decimals. */
const separatorOf = (text: string): string => /^[^\r\n]*?([,;\t])/.exec(text.trimStart())?.[1] ?? ',';

/** A title is repeated only where it is one: a file without titles has secrets in its first line. */
function faultsOfTitles(titles: readonly string[]): string[] {
  if (!titles.includes('connection')) return ['is missing, or has no "connection" in it.'];
  const twice = titles.filter((title, column) => titles.indexOf(title) !== column);
  return twice.map((title) => `has ${title === '' ? 'no title for a column' : `${title} twice`}.`);
}

/** A column is a member of the body, `settings.NAME` a setting; an empty cell is a member that is left out. */
function bodyOf(record: Readonly<Record<string, string>>): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  const settings: Record<string, unknown> = {};
  const client: Record<string, unknown> = {};
  const known = knownPresets[record.provider ?? '']?.settings ?? {};
  for (const [column, value] of Object.entries(record)) {
    if (value === '' || column === 'connection') continue;
    const [, setting] = /^settings\.(.+)$/.exec(column) ?? [];
    if (setting !== undefined) settings[setting] = known[setting]?.kind === 'duration' ? Number(value) : value;
    else if (ofClient.includes(column))
      client[column] = column === 'client_secret_expires_at' && /^\d+$/.test(value) ? Number(value) : value;
    else
      body[column] = numbers.includes(column)
        ? Number(value)
        : column === 'allow_grant_conflict'
          ? value === 'true'
          : value;
  }
  return {
    ...body,
    ...(Object.keys(settings).length > 0 && { settings }),
    ...(Object.keys(client).length > 0 && { client }),
  };
}

function jsonEntries(text: string, file: string): ImportEntry[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which may hold a secret.
    throw wrongInput(`${file}: it is no JSON; a file with CSV has a name that ends with .csv.`);
  }
  if (!Array.isArray(value)) throw wrongInput(`${file}: it must be a list, as token-broker export writes it.`);
  return value.map((entry: unknown, index) => {
    const { connection, ...body } = (typeof entry === 'object' && entry !== null ? entry : {}) as Record<
      string,
      unknown
    >;
    return { place: `entry ${index + 1}`, connection: String(connection ?? ''), body };
  });
}
