/** What names the connections behind an alarm: queries of CloudWatch Logs Insights, saved in the account, as data. */
import { Stack } from 'aws-cdk-lib';
import type { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { CfnQueryDefinition, type ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { FunctionName } from '../../lambdas/routes.ts';

/** Where lines come from: a function, or API Gateway's access log. */
type LogName = FunctionName | 'access';

interface SavedQuery {
  readonly logs: readonly LogName[];
  readonly query: readonly string[];
}

const everywhere: readonly LogName[] = ['token', 'refresh', 'plan', 'connections', 'authorizations'];

const savedQueries = {
  /** Which connections fail, the latest first, and why. */
  'failing-connections': {
    logs: ['refresh', 'authorizations'],
    query: [
      'filter message in ["refresh_failed", "reauthorization_required", "misconfigured", "budget_spent", ' +
        '"provider_down", "refusals_withheld", "renewal_held_up", "second_refresher_suspected"]',
      'fields coalesce(until, notBefore) as held_until',
      'stats count(*) as times, latest(@timestamp) as last, latest(message) as event, latest(count) as in_a_row, ' +
        'latest(cause) as why, latest(code) as error, latest(class) as kind, latest(reason) as held_up_by, ' +
        'latest(held_until) as no_call_before ' +
        'by connection, provider',
      'sort last desc',
    ],
  },
  /** What the planner found overdue in the latest minutes, those that wait longest by name. */
  'overdue-connections': {
    logs: ['plan'],
    query: [
      'filter message in ["planned"] and overdue > 0',
      'fields @timestamp, overdue, longestOverdue',
      'sort @timestamp desc',
      'limit 20',
    ],
  },
  /** What connections have become. */
  'changed-connections': {
    logs: ['refresh', 'authorizations', 'connections'],
    query: [
      'filter message in ["authorized", "reauthorization_required", "misconfigured", "refusals_withheld", ' +
        '"second_refresher_suspected", "connection_put", "connection_paused", "connection_resumed", ' +
        '"connection_deleted"]',
      'stats latest(@timestamp) as last, latest(message) as event, latest(cause) as cause by connection',
      'sort last desc',
    ],
  },
  /** Exceptions, and what Lambda itself says of a function that was killed. */
  crashes: {
    logs: everywhere,
    query: [
      'filter message in ["refresh_crashed", "request_failed", "token_unavailable"] or level = "ERROR" ' +
        'or (type = "platform.report" and record.status != "success")',
      'fields @timestamp, service, message, connection, route, error.message, error.cause.message, errorMessage, ' +
        'record.status, record.errorType',
      'sort @timestamp desc',
      'limit 100',
    ],
  },
  /** Whose requests were answered 429 or 5xx; the path names the connection. */
  'refused-requests': {
    logs: ['access'],
    query: [
      'filter status like /^(429|5)/',
      'stats count(*) as times, latest(@timestamp) as last by status, route, path, caller, subject, error',
      'sort times desc',
    ],
  },
  /** Which principal read or changed what, and how that ended; the path names the connection. */
  'who-did-what': {
    logs: ['access'],
    query: [
      'filter route not like /^GET .(connect|oauth)/',
      'stats count(*) as times, latest(@timestamp) as last by caller, subject, route, path, status, sourceIp',
      'sort last desc',
    ],
  },
  /** All that happened to one connection; its name is to be put in. */
  'story-of-a-connection': {
    logs: everywhere,
    query: [
      // Each answer is no happening of a connection.
      'filter connection = "NAME" and message != "answered"',
      'fields @timestamp, message, fence, generation, class, code, status, description, cause, notBefore',
      'sort @timestamp desc',
    ],
  },
} as const satisfies Readonly<Record<string, SavedQuery>>;

export type SavedQueryName = keyof typeof savedQueries;

/** Returns what a query is called in the account. */
export const queryNameOf = (stackName: string, query: SavedQueryName): string => `${stackName}/${query}`;

/** `who-did-what` where the functions log each answer: with the generation, and with logins. */
const whoDidWhatAudited: SavedQuery = {
  logs: ['token', 'connections', 'authorizations', 'access'],
  query: [
    // What API Gateway refuses by itself reaches no function: it has an error, where an answer of theirs has a hyphen.
    'filter message in ["answered", "authorized", "authorization_failed"] or (ispresent(latencyMs) and error != "-")',
    'fields coalesce(principal, askedBy, subject, caller) as who, coalesce(route, message) as what, ' +
      'coalesce(connection, path) as which, coalesce(code, reason, error) as why',
    'stats count(*) as times, latest(@timestamp) as last ' +
      'by who, which, what, generationBefore, generation, status, why',
    'sort last desc',
  ],
};

interface SavedQueriesProps {
  readonly functions: Readonly<Record<FunctionName, NodejsFunction>>;
  readonly accessLogs: ILogGroup;
  /** Whether the functions log each answer. */
  readonly audited: boolean;
}

/** The queries, each over the log groups of its lines, in a folder that is called like the stack. */
export class SavedQueries extends Construct {
  constructor(scope: Construct, id: string, { functions, accessLogs, audited }: SavedQueriesProps) {
    super(scope, id);
    const groupOf = (log: LogName): ILogGroup => (log === 'access' ? accessLogs : functions[log].logGroup);
    const all = { ...savedQueries, ...(audited && { 'who-did-what': whoDidWhatAudited }) };
    for (const [name, saved] of Object.entries(all) as [SavedQueryName, SavedQuery][]) {
      new CfnQueryDefinition(this, name, {
        name: queryNameOf(Stack.of(this).stackName, name),
        queryString: saved.query.join('\n| '),
        logGroupNames: saved.logs.map((log) => groupOf(log).logGroupName),
      });
    }
  }
}
