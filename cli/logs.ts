/** The functions' log records: from the data directory of a broker on this machine, or from CloudWatch Logs. */
import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { logFile } from '../local/log-file.ts';
import { CommandFailure } from './failure.ts';
import type { Target } from './target.ts';

export interface LogRecord {
  readonly at: string;
  readonly function: string;
  readonly level: string;
  readonly message: string;
  readonly connection: string | undefined;
  /** What else the record tells. */
  readonly facts: Readonly<Record<string, unknown>>;
}

type Deployed = Extract<Target, { kind: 'deployed' }>;
/** Where the records are. */
type Logging = Deployed | Pick<Extract<Target, { kind: 'local' }>, 'kind' | 'directory'>;

interface Wanted {
  /** Epoch milliseconds. */
  readonly from: number;
  readonly connection: string | undefined;
}

/**
 * Yields the records from an instant on, oldest first. Lines that are no records, such as metrics, are left out, and
 * those of the audit log, which has a query of its own.
 */
export async function* logsOf(target: Logging, wanted: Wanted): AsyncGenerator<LogRecord> {
  const lines = target.kind === 'local' ? localLines(target.directory) : deployedLines(target, wanted);
  for await (const { at, function: name, line } of lines) {
    const record = recordOf(at, name, line);
    if (record === undefined || record.message === 'answered' || Date.parse(record.at) < wanted.from) continue;
    if (wanted.connection === undefined || record.connection === wanted.connection) yield record;
  }
}

interface Line {
  readonly at: string;
  readonly function: string;
  readonly line: string;
}

async function* localLines(directory: string): AsyncGenerator<Line> {
  const current = join(directory, logFile);
  for (const path of [`${current}.1`, current]) {
    if (!existsSync(path)) continue;
    for await (const text of createInterface({ input: createReadStream(path) })) {
      const line = lineIn(text);
      if (line !== undefined) yield line;
    }
  }
}

/** The last line may be half written, and stays so where the broker was killed. */
function lineIn(text: string): Line | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function* deployedLines({ stack, aws }: Deployed, { from, connection }: Wanted): AsyncGenerator<Line> {
  if (stack === undefined)
    throw new CommandFailure('--stack: is needed for logs; an address does not tell where they are.');
  const { CloudFormationClient, paginateListStackResources } = await import('@aws-sdk/client-cloudformation');
  const { CloudWatchLogsClient, paginateFilterLogEvents } = await import('@aws-sdk/client-cloudwatch-logs');
  const client = new CloudWatchLogsClient(aws);
  const groups: string[] = [];
  const resources = paginateListStackResources({ client: new CloudFormationClient(aws) }, { StackName: stack });
  for await (const { StackResourceSummaries: page = [] } of resources)
    for (const { ResourceType: type, PhysicalResourceId: id = '' } of page)
      if (type === 'AWS::Logs::LogGroup') groups.push(id);
  const found: Line[] = [];
  const about = connection === undefined ? '$.level = *' : `$.connection = "${connection}"`;
  // Of who was answered what there may be millions of lines: those have a route, and are no errors.
  const filterPattern = `{ (${about}) && (($.route NOT EXISTS) || ($.level = "ERROR")) }`;
  for (const logGroupName of groups)
    for await (const { events = [] } of paginateFilterLogEvents(
      { client },
      { logGroupName, startTime: from, filterPattern },
    ))
      for (const { timestamp = 0, message = '' } of events)
        found.push({ at: new Date(timestamp).toISOString(), function: logGroupName, line: message });
  yield* found.toSorted((a, b) => (a.at < b.at ? -1 : 1));
}

/** Powertools' own members, which say nothing of what happened. */
const about = ['level', 'message', 'connection', 'timestamp', 'service', 'sampling_rate', 'xray_trace_id'];

function recordOf(at: string, name: string, line: string): LogRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // A crash of the runtime: the line is all there is.
    return { at, function: name, level: 'ERROR', message: line, connection: undefined, facts: {} };
  }
  const record = (typeof value === 'object' && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
  if (typeof record.level !== 'string' || typeof record.message !== 'string') return undefined;
  return {
    at: typeof record.timestamp === 'string' ? record.timestamp : at,
    function: name,
    level: record.level,
    message: record.message,
    connection: typeof record.connection === 'string' ? record.connection : undefined,
    facts: Object.fromEntries(
      Object.entries(record).filter(([fact]) => !about.includes(fact) && !/^(?:cold_start|function_)/.test(fact)),
    ),
  };
}
