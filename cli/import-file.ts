/** Files with connections: CSV with a header line, or JSON as `export` writes it. */
import { readFileSync } from 'node:fs';
import { parse as parseCsv } from 'csv-parse/sync';
import { parseConnectionName } from '../shared/domain/connection-name.ts';
import { secretsMissing } from '../shared/providers/credentials.ts';
import type { EndpointPolicy } from '../shared/providers/endpoint-url.ts';
import { parseConnectionRequest } from '../shared/providers/parse-request.ts';
import { knownPresets } from '../shared/providers/presets/index.ts';
import { wrongInput } from './failure.ts';

export interface ImportEntry {
  /** Where in the file it is, for messages: `line 3`, `entry 2`. */
  readonly place: string;
  readonly connection: string;
  /** What is put: the body of `PUT /connections/{connection}`. */
  readonly body: Readonly<Record<string, unknown>>;
}

const numbers = ['margin_seconds'];
const ofClient = ['client_id', 'client_secret', 'client_secret_expires_at'];

/**
 * Returns the entries of a file, whose text may be given. Throws a failure with the line where the file cannot be read.
 */
export function entriesOf(file: string, text = textOf(file)): readonly ImportEntry[] {
  return file.endsWith('.csv') ? csvEntries(text, file) : jsonEntries(text, file);
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
  return entries.flatMap(({ place, connection, body }) => {
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
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw wrongInput(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code}.`);
  }
}

interface CsvRecord {
  readonly info: { readonly lines: number };
  readonly record: Readonly<Record<string, string>>;
}

function csvEntries(text: string, file: string): ImportEntry[] {
  let records: CsvRecord[];
  try {
    records = parseCsv(text, { bom: true, columns: true, info: true, skip_empty_lines: true, trim: true }) as never;
  } catch (error) {
    const { lines } = error as { readonly lines?: number };
    throw wrongInput(`${file}${lines === undefined ? '' : `, line ${lines}`}: it is no CSV with a header line.`);
  }
  return records.map(({ info, record }) => ({
    place: `line ${info.lines}`,
    connection: record.connection ?? '',
    body: bodyOf(record),
  }));
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
    throw wrongInput(`${file}: it is no JSON.`);
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
