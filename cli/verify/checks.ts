/** What a deployment has to show after `cdk deploy`, and whether it does. Pure. */
import { functionNames } from '../../lambdas/routes.ts';
import type { ApiAnswer, DeploymentEvidence, Readable, Releases } from '../doctor/evidence.ts';
import { type CanaryEvidence, canaryChecks } from './canary-checks.ts';
import type { Check } from './check.ts';

/** What was found of a deployment, beside what the doctor looks at. */
export interface VerifyEvidence extends Pick<DeploymentEvidence, 'alarms' | 'deadLetters' | 'plans'> {
  /** How the API answered a signed request. */
  readonly api: ApiAnswer;
  /** The statuses of requests without a signature, by what was called. */
  readonly unsigned: Readable<Readonly<Record<string, number>>>;
  /** How many values of `OverdueConnections` the planner has counted within five minutes. */
  readonly counted: Readable<number>;
  readonly functions: Readable<readonly DeployedFunction[]>;
  readonly releases: Releases;
  readonly logs: Readable<readonly { readonly group: string; readonly retentionDays: number | undefined }[]>;
  /** Undefined where the deployment has no canary. */
  readonly canary: Readable<CanaryEvidence | undefined>;
}

export interface DeployedFunction {
  readonly name: string;
  readonly runtime: string;
  readonly architecture: string;
  readonly state: string;
  readonly lastUpdate: string;
}

/** Returns one check for each promise, in the order in which a person would look. */
export function checksOf(evidence: VerifyEvidence): readonly Check[] {
  const { api, unsigned, plans, counted, alarms, deadLetters, functions, releases, logs, canary } = evidence;
  const withoutCanary = 'value' in canary && canary.value === undefined;
  return [
    {
      what: 'the API answers a signed request',
      passed: api.kind === 'answered',
      seen: api.kind === 'answered' ? '200' : api.message,
    },
    check('requests without a signature are refused', unsigned, (statuses) => {
      const open = Object.entries(statuses).filter(([, status]) => status !== 401 && status !== 403);
      return [open.length === 0, listed(open.length === 0 ? Object.entries(statuses) : open)];
    }),
    check('the planner runs every minute', plans, (number) => [number > 0, `${number} in one of the last minutes`]),
    check('the planner counts what is overdue', counted, (number) => [number > 0, `${number} values in five minutes`]),
    check('there are alarms, and none rings', alarms, (all) => {
      const ringing = all.filter(({ state }) => state === 'ALARM').map(({ name }) => name);
      return [all.length > 0 && ringing.length === 0, ringing.join(', ') || `${all.length} alarms`];
    }),
    check('the dead letter queues are empty', deadLetters, (queues) => {
      const full = queues.filter(({ messages }) => messages > 0);
      const seen = full.map(({ queue, messages }) => `${messages} in ${queue}`).join(', ');
      return [queues.length > 0 && full.length === 0, seen || `${queues.length} queues`];
    }),
    check('the functions are what was deployed', functions, (all) => {
      const odd = all.filter((fn) => !isReady(fn));
      return [
        all.length === functionNames.length + (withoutCanary ? 0 : 1) && odd.length === 0,
        odd.map(inWords).join('; ') || `${all.length} functions`,
      ];
    }),
    {
      what: 'the release is the one of this command line',
      passed: releases.broker === releases.own,
      seen: `${releases.broker ?? 'none is told'}, here ${releases.own}`,
    },
    check('each log is kept for a time that was chosen', logs, (groups) => {
      const endless = groups.filter(({ retentionDays }) => retentionDays === undefined).map(({ group }) => group);
      return [groups.length > 0 && endless.length === 0, endless.join(', ') || `${groups.length} log groups`];
    }),
    ...checksOfCanary(canary),
  ];
}

function checksOfCanary(canary: VerifyEvidence['canary']): readonly Check[] {
  if ('unreadable' in canary) return [{ what: 'canary: it tells', passed: false, seen: canary.unreadable }];
  return canary.value === undefined ? [] : canaryChecks(canary.value);
}

/** What could not be looked at has not been shown. */
function check<T>(what: string, found: Readable<T>, judge: (value: T) => readonly [boolean, string]): Check {
  if ('unreadable' in found) return { what, passed: false, seen: found.unreadable };
  const [passed, seen] = judge(found.value);
  return { what, passed, seen };
}

const listed = (entries: readonly (readonly [string, number])[]): string =>
  entries.map(([call, status]) => `${call}: ${status}`).join(', ');

const isReady = ({ runtime, architecture, state, lastUpdate }: DeployedFunction): boolean =>
  runtime === 'nodejs24.x' && architecture === 'arm64' && state === 'Active' && lastUpdate === 'Successful';

const inWords = ({ name, runtime, architecture, state, lastUpdate }: DeployedFunction): string =>
  `${name}: ${[runtime, architecture, state, lastUpdate].join(', ')}`;
