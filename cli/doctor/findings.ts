/** What the evidence means, and what to do about it. Pure. */
import { limits } from '../../shared/domain/limits.ts';
import { type Deadline, deadlines } from '../../shared/providers/deadlines.ts';
import type { Description } from '../broker.ts';
import type { ApiAnswer, DeploymentEvidence, Evidence, Readable, Releases } from './evidence.ts';

interface Finding {
  /** `fault`: something does not work. `warning`: something will not, or could not be looked at. */
  readonly level: 'fault' | 'warning';
  /** Short, for programs: `clock`, `alarm`, `connection_misconfigured`. */
  readonly code: string;
  readonly what: string;
  /** What to do next. */
  readonly fix: string;
}

const dayMs = 86_400_000;
/** API Gateway refuses signatures that are five minutes off. */
const clockFaultMs = 300_000;
const clockWarningMs = 60_000;
/** A due connection that no refresher has looked at for so long: the planner sends a message each minute. */
const overdueMs = 180_000;
const deadlineSoonMs = 180 * dayMs;
/** A message waits for a refresher no longer than this, where there is room for refreshers. */
const oldMessageSeconds = 120;
/** What the broker takes at its busiest beside other functions of the account; new accounts have ten. */
const littleConcurrency = 50;

/** Returns everything that is wrong or will be, faults first. */
export function findingsOf({ now, api, connections = [], releases, deployment }: Evidence): readonly Finding[] {
  const found = [
    ...apiFindings(api, now),
    ...connections.flatMap((item) => connectionFindings(item, now)),
    ...secretFindings(connections, now),
    ...deadlines.flatMap((deadline) => deadlineFindings(deadline, connections, now)),
    ...(releases === undefined ? [] : releaseFindings(releases)),
    ...(deployment === undefined ? [] : deploymentFindings(deployment)),
  ];
  return found.toSorted((a, b) => Number(a.level === 'warning') - Number(b.level === 'warning'));
}

function apiFindings(api: ApiAnswer, now: number): Finding[] {
  if (api.kind === 'unreachable')
    return [fault('api_unreachable', api.message, 'Check the address, the network and whether the broker runs.')];
  if (api.kind === 'refused')
    return [
      fault('api_refused', api.message, 'Check whose credentials these are, their Region, and what IAM grants them.'),
    ];
  const offMs = api.serverDate === undefined ? 0 : Math.abs(now - api.serverDate);
  if (offMs < clockWarningMs) return [];
  const what = `The clock of this machine is ${Math.round(offMs / 1_000)} s off.`;
  const fix = 'Set it by NTP: signatures that are five minutes off are refused, and expiries are misjudged.';
  return [offMs >= clockFaultMs ? fault('clock', what, fix) : warning('clock', what, fix)];
}

function releaseFindings({ own, broker }: Releases): Finding[] {
  if (broker === own) return [];
  const its = broker === undefined ? 'the broker tells no release, so it is older' : `the broker of ${broker}`;
  return [
    warning(
      'release',
      `This command line is of release ${own}, ${its}.`,
      'Deploy or start the release that this is, or operate the broker with the command line of its own.',
    ),
  ];
}

const connectionFindings = (item: Description, now: number): Finding[] => [
  ...stateFindings(item, now),
  ...secondRefresherFindings(item),
];

function secondRefresherFindings({ connection: name, second_refresher: found }: Description): Finding[] {
  if (found?.suspected !== true) return [];
  const signs = found.signs.map(({ sign }) => sign).join(', ');
  return [
    fault(
      'second_refresher',
      `${name}: another party seems to renew its grant (${signs}).`,
      'Find it and end it first: docs/operations.md#a-second-refresher.',
    ),
  ];
}

function stateFindings(item: Description, now: number): Finding[] {
  const { connection: name, state, cause, last_failure: failure } = item;
  const why = cause === undefined ? '' : ` (${cause})`;
  if (item.settings_outdated === true)
    return [fault('settings_outdated', `${name}: its settings do not fit its preset any more.`, `Put ${name} again.`)];
  if (state === 'reauthorization_required')
    return [
      fault(
        'connection_unauthorized',
        `${name}: a person has to log in${why}.`,
        `token-broker reauthorize ${name}, or token-broker link ${name} --for 3d`,
      ),
    ];
  if (state === 'misconfigured')
    return [
      fault(
        'connection_misconfigured',
        `${name}: the provider refuses its client or settings${why}.`,
        failure?.fix ?? `Correct them and put ${name} again.`,
      ),
    ];
  if (state !== 'active') return [];
  return [...failingFindings(item), ...overdueFindings(item, now), ...endFindings(item, now), ...budgetFindings(item)];
}

function failingFindings({ connection: name, last_failure: failure, verdict_withheld: withheld }: Description) {
  if (withheld === true)
    return [
      fault(
        'refusals_withheld',
        `${name}: the provider refuses many grants of its application at once; the verdict is withheld.`,
        'Ask the provider what has happened; docs/operations.md#refusals-withheld.',
      ),
    ];
  if (failure === undefined || failure.class === 'too_early') return [];
  return [
    fault(
      'connection_failing',
      `${name}: ${failure.count} renewals in a row failed (${failure.error}, rule ${failure.rule}).`,
      `token-broker status ${name}; docs/operations.md#refresh-failing.`,
    ),
  ];
}

function overdueFindings({ connection: name, next_renewal_at: next, not_before: notBefore }: Description, now: number) {
  const due = Math.max(Date.parse(next ?? ''), Date.parse(notBefore ?? next ?? ''));
  if (Number.isNaN(due) || now - due < overdueMs) return [];
  return [
    fault(
      'connection_overdue',
      `${name}: was due ${Math.round((now - due) / 1_000)} s ago and is not renewed.`,
      'The planner is silent, or no refresher is free: docs/operations.md#overdue-connections.',
    ),
  ];
}

function endFindings({ connection: name, grant_ends_at: end }: Description, now: number): Finding[] {
  if (end === undefined || Date.parse(end) - now > limits.grantEndsAheadMs) return [];
  const days = Math.max(0, Math.floor((Date.parse(end) - now) / dayMs));
  return [
    warning('grant_ends', `${name}: its grant ends in ${days} days (${end}).`, `token-broker link ${name} --for 7d`),
  ];
}

function budgetFindings({ connection: name, budget }: Description): Finding[] {
  const { errors_left_this_hour: errors, calls_left_today: calls } = budget ?? {};
  if (errors !== 0 && calls !== 0) return [];
  return [
    fault(
      'budget_spent',
      `${name}: has no ${errors === 0 ? 'errors left this hour' : 'calls left today'}; it makes no call until then.`,
      'docs/operations.md#budget-spent.',
    ),
  ];
}

function deadlineFindings(deadline: Deadline, connections: readonly Description[], now: number): Finding[] {
  const { presets, from, change, fix } = deadline;
  const concerned = connections
    .filter(({ provider }) => presets.includes(provider))
    .map(({ connection }) => connection);
  if (concerned.length === 0 || Date.parse(from) - now > deadlineSoonMs) return [];
  return [warning('deadline', `From ${from}: ${change} It concerns ${some(concerned)}.`, fix)];
}

const some = (names: readonly string[]): string =>
  names.length > 5 ? `${names.slice(0, 5).join(', ')} and ${names.length - 5} more` : names.join(', ');

/** Connections of one application most often share its secret, and are put anew together. */
function secretFindings(connections: readonly Description[], now: number): Finding[] {
  const ending = connections.flatMap(({ connection, application, client, state }) => {
    const end = client?.client_secret_expires_at;
    return end === undefined || state === 'deleting' || Date.parse(end) - now > limits.secretEndsAheadMs
      ? []
      : [{ connection, application, end }];
  });
  return Object.values(Object.groupBy(ending, ({ application, end }) => `${application} ${end}`)).flatMap((of = []) => {
    const [first] = of;
    if (first === undefined) return [];
    const { application, end } = first;
    const whose = `of ${application} (${some(of.map(({ connection }) => connection))})`;
    const fix = 'Put each with the new secret and its end: docs/operations.md#rotate-a-clients-secret.';
    const days = Math.floor((Date.parse(end) - now) / dayMs);
    return Date.parse(end) <= now
      ? [fault('client_secret_ended', `The client secret ${whose} ended at ${end}.`, fix)]
      : [warning('client_secret_ends', `The client secret ${whose} ends in ${days} days (${end}).`, fix)];
  });
}

function deploymentFindings(deployment: DeploymentEvidence): Finding[] {
  const { alarms, deadLetters, oldestMessageSeconds, plans, concurrency } = deployment;
  return [
    ...looked('alarms', alarms, (found) =>
      found
        .filter(({ state }) => state === 'ALARM')
        .map(({ name, description }) => fault('alarm', `Alarm ${name} rings.`, description)),
    ),
    ...looked('dead letters', deadLetters, (found) =>
      found
        .filter(({ messages }) => messages > 0)
        .map(({ queue, messages }) =>
          fault('dead_letters', `${queue} holds ${messages} messages.`, 'docs/operations.md#dead-letters.'),
        ),
    ),
    ...looked('the age of the queue', oldestMessageSeconds, (seconds) =>
      seconds < oldMessageSeconds
        ? []
        : [
            fault(
              'queue_age',
              `The oldest request for a renewal has waited ${seconds} s.`,
              'No refresher is free: raise reservedRefreshConcurrency or the quota of the account.',
            ),
          ],
    ),
    ...looked('the planner', plans, (count) =>
      count > 0
        ? []
        : [
            fault(
              'planner_silent',
              'The planner has not run for five minutes.',
              'docs/operations.md#overdue-connections.',
            ),
          ],
    ),
    ...looked('the quota of concurrency', concurrency, (count) =>
      count >= littleConcurrency
        ? []
        : [
            warning(
              'concurrency',
              `The account runs ${count} invocations at a time, of all its functions together.`,
              'Ask AWS for more ("Concurrent executions" of Lambda); 1,000 is the usual quota.',
            ),
          ],
    ),
  ];
}

/** What could not be looked at is no proof of health. */
function looked<T>(what: string, evidence: Readable<T>, judge: (value: T) => Finding[]): Finding[] {
  if ('value' in evidence) return judge(evidence.value);
  return [
    warning('unreadable', `Could not look at ${what}: ${evidence.unreadable}`, 'Use credentials that may read it.'),
  ];
}

const fault = (code: string, what: string, fix: string): Finding => ({ level: 'fault', code, what, fix });
const warning = (code: string, what: string, fix: string): Finding => ({ level: 'warning', code, what, fix });
