/** What the canary has to show, and whether it does. Pure. */
import type { CanaryReport } from '../../shared/canary/authorization-server.ts';
import type { Description } from '../broker.ts';
import type { Check } from './check.ts';

/** What was found of the canary, and when. */
export interface CanaryEvidence {
  readonly now: number;
  /** The state of its connection; undefined if there is no connection. */
  readonly state: Description['state'] | undefined;
  /** Undefined if it has not handed out a grant. */
  readonly report: CanaryReport | undefined;
}

/** Returns what the canary's connection has to show. */
export function canaryChecks({ now, state, report }: CanaryEvidence): readonly Check[] {
  if (report === undefined)
    return [{ what: 'canary: it is connected', passed: false, seen: 'not yet; run this once with --canary' }];
  const { counts, survived, lifetimeMs, since, renewedAt, endedAt } = report;
  const { on_time: lifetimes, early, repeated, refused, reused, ended, down, lost } = counts;
  const age = renewedAt === undefined ? undefined : Math.round((now - renewedAt) / 1_000);
  const calls = lifetimes + early + repeated + refused + reused + ended;
  const passedFaults = Object.entries(survived).map(([kind, times]) => `${times} ${kind}`);
  return [
    {
      what: 'canary: its connection is active, and renewed in time',
      passed: state === 'active' && age !== undefined && age * 1_000 <= lifetimeMs,
      seen: `${state ?? 'no connection'}, ${age === undefined ? 'never renewed' : `renewed ${age} s ago`}`,
    },
    {
      what: 'canary: one call for each token lifetime',
      passed: lifetimes > 0 && calls === lifetimes,
      seen: `${calls} for ${lifetimes} since ${timeOf(since)}, beside ${down + lost} that met a fault`,
    },
    {
      what: 'canary: no refresh token is used twice',
      passed: reused + repeated === 0,
      seen: `${reused + repeated} were`,
    },
    {
      what: 'canary: no call is refused or too early',
      passed: early + refused + ended === 0,
      seen: `${refused + ended} refused, ${early} too early`,
    },
    {
      what: 'canary: no grant is lost',
      passed: endedAt === undefined,
      seen: `${endedAt === undefined ? '0' : `at ${timeOf(endedAt)}`}; faults survived: ${passedFaults.join(', ')}`,
    },
  ];
}

const timeOf = (instant: number): string => new Date(instant).toISOString();
