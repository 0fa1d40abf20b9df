/** Each fault that the doctor knows, made, and found; and nothing where nothing is wrong. */
import { expect, test } from 'vitest';
import type { Description } from '../../cli/broker.ts';
import type { DeploymentEvidence, Evidence } from '../../cli/doctor/evidence.ts';
import { findingsOf } from '../../cli/doctor/findings.ts';
import { deadlines } from '../../shared/providers/deadlines.ts';
import { knownPresets } from '../../shared/providers/presets/index.ts';

const now = Date.parse('2026-12-01T12:00:00Z');
const at = (seconds: number): string => new Date(now + seconds * 1_000).toISOString();
const day = 86_400;

const healthy = {
  connection: 'books',
  provider: 'exact-online',
  state: 'active',
  generation: 7,
  next_renewal_at: at(300),
  expires_at: at(330),
} as Description;

const deployed: DeploymentEvidence = {
  alarms: { value: [{ name: 'token-broker-RefreshFailing', state: 'OK', description: 'What to do: …' }] },
  deadLetters: { value: [{ queue: 'dead-letters', messages: 0 }] },
  oldestMessageSeconds: { value: 3 },
  plans: { value: 5 },
  concurrency: { value: 1_000 },
};

const well: Evidence = {
  now,
  api: { kind: 'answered', serverDate: now },
  connections: [healthy],
  releases: { own: '0.2.0', broker: '0.2.0' },
  deployment: deployed,
};

const connection = (about: object): Partial<Evidence> => ({ connections: [{ ...healthy, ...about } as Description] });
const deployment = (about: Partial<DeploymentEvidence>): Partial<Evidence> => ({
  deployment: { ...deployed, ...about },
});
const secretEnding = (end: string): Partial<Evidence> =>
  connection({ application: 'exact-online x 6f1c', client: { client_id: '6f1c', client_secret_expires_at: end } });
const failure = { class: 'transient', error: 'time_out', count: 3, rule: 'no_answer', at: at(-60) };

test('finds nothing where nothing is wrong', () => {
  expect(findingsOf(well)).toEqual([]);
  // A hint is no fault.
  const hint = { suspected: false, signs: [{ sign: 'refused_soon' }] };
  expect(findingsOf({ ...well, ...connection({ second_refresher: hint }) })).toEqual([]);
});

test.each<[code: string, level: 'fault' | 'warning', evidence: Partial<Evidence>, fix: RegExp]>([
  ['api_unreachable', 'fault', { api: { kind: 'unreachable', message: 'It cannot be reached.' } }, /address/],
  ['api_refused', 'fault', { api: { kind: 'refused', message: 'It refused.' } }, /IAM/],
  ['clock', 'fault', { api: { kind: 'answered', serverDate: now - 300_000 } }, /NTP/],
  ['clock', 'warning', { api: { kind: 'answered', serverDate: now + 60_000 } }, /NTP/],
  ['settings_outdated', 'fault', connection({ settings_outdated: true }), /Put books again/],
  ['connection_unauthorized', 'fault', connection({ state: 'reauthorization_required' }), /reauthorize books/],
  ['connection_misconfigured', 'fault', connection({ state: 'misconfigured' }), /Correct them/],
  ['connection_failing', 'fault', connection({ last_failure: failure }), /status books/],
  ['refusals_withheld', 'fault', connection({ verdict_withheld: true }), /Ask the provider/],
  [
    'second_refresher',
    'fault',
    connection({ second_refresher: { suspected: true, signs: [{ sign: 'renewed_elsewhere' }] } }),
    /a-second-refresher/,
  ],
  ['connection_overdue', 'fault', connection({ next_renewal_at: at(-180) }), /overdue-connections/],
  ['grant_ends', 'warning', connection({ grant_ends_at: at(14 * day) }), /link books --for/],
  ['client_secret_ends', 'warning', secretEnding(at(30 * day)), /rotate-a-clients-secret/],
  ['client_secret_ended', 'fault', secretEnding(at(0)), /rotate-a-clients-secret/],
  ['budget_spent', 'fault', connection({ budget: { errors_left_this_hour: 0 } }), /budget-spent/],
  ['deadline', 'warning', connection({ provider: 'hubspot' }), /token_endpoint/],
  ['release', 'warning', { releases: { own: '0.2.0', broker: '0.1.0' } }, /of its own/],
  ['release', 'warning', { releases: { own: '0.2.0', broker: undefined } }, /of its own/],
  [
    'alarm',
    'fault',
    deployment({ alarms: { value: [{ name: 'A', state: 'ALARM', description: 'Do it.' }] } }),
    /Do it/,
  ],
  ['dead_letters', 'fault', deployment({ deadLetters: { value: [{ queue: 'q', messages: 1 }] } }), /dead-letters/],
  ['queue_age', 'fault', deployment({ oldestMessageSeconds: { value: 120 } }), /reservedRefreshConcurrency/],
  ['planner_silent', 'fault', deployment({ plans: { value: 0 } }), /overdue-connections/],
  ['concurrency', 'warning', deployment({ concurrency: { value: 10 } }), /Ask AWS/],
  ['unreadable', 'warning', deployment({ alarms: { unreadable: 'AccessDenied' } }), /may read it/],
])('finds %s (%s)', (code, level, evidence, fix) => {
  expect(findingsOf({ ...well, ...evidence })).toEqual([
    { level, code, what: expect.any(String), fix: expect.stringMatching(fix) },
  ]);
});

test.each<[what: string, evidence: Partial<Evidence>]>([
  ['a clock that is 59 s off', { api: { kind: 'answered', serverDate: now - 59_000 } }],
  ['a renewal that was due a moment ago', connection({ next_renewal_at: at(-179) })],
  ['a renewal that rests after a failure', connection({ next_renewal_at: at(-600), not_before: at(60) })],
  ['a token that is too young to be renewed', connection({ last_failure: { ...failure, class: 'too_early' } })],
  ['a grant that ends in fifteen days', connection({ grant_ends_at: at(15 * day) })],
  ['a client secret that ends in thirty days and a second', secretEnding(at(30 * day + 1))],
  ['a change that is more than half a year away', connection({ provider: 'xero' })],
  ['a message that has waited for 119 s', deployment({ oldestMessageSeconds: { value: 119 } })],
  ['a broker whose release an address does not tell', { releases: undefined } as never],
  ['an account with room for fifty', deployment({ concurrency: { value: 50 } })],
])('does not cry over %s', (_, evidence) => {
  expect(findingsOf({ ...well, ...evidence })).toEqual([]);
});

test('tells the end of a client secret once for each application and day, with its connections', () => {
  const of = (name: string, application: string, end: number) =>
    ({
      ...healthy,
      connection: name,
      application,
      client: { client_id: 'id', client_secret_expires_at: at(end) },
    }) as Description;
  const connections = [of('a', 'shop', day), of('b', 'books', day), of('c', 'shop', day), of('d', 'shop', -1)];
  expect(findingsOf({ ...well, connections }).map(({ what }) => what)).toEqual([
    `The client secret of shop (d) ended at ${at(-1)}.`,
    `The client secret of shop (a, c) ends in 1 days (${at(day)}).`,
    `The client secret of books (b) ends in 1 days (${at(day)}).`,
  ]);
});

test('tells faults before warnings', () => {
  const levels = findingsOf({
    ...well,
    ...connection({ grant_ends_at: at(day), last_failure: failure }),
    ...deployment({ plans: { value: 0 } }),
  }).map(({ level }) => level);
  expect(levels).toEqual(['fault', 'fault', 'warning']);
});

test('every dated change names presets that there are, and a day', () => {
  expect(deadlines.flatMap(({ presets }) => presets).filter((name) => !Object.hasOwn(knownPresets, name))).toEqual([]);
  for (const { from } of deadlines) expect(new Date(`${from}T00:00:00Z`).toISOString()).toMatch(`${from}T`);
});
