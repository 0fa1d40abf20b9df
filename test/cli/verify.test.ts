/** Each promise of a deployment, kept and broken. */
import { expect, test } from 'vitest';
import type { CanaryEvidence } from '../../cli/verify/canary-checks.ts';
import type { Check } from '../../cli/verify/check.ts';
import { checksOf, type VerifyEvidence } from '../../cli/verify/checks.ts';

const fn = (name: string) => ({
  name,
  runtime: 'nodejs24.x',
  architecture: 'arm64',
  state: 'Active',
  lastUpdate: 'Successful',
});
const functions = ['token', 'refresh', 'plan', 'connections', 'authorizations'].map(fn);
const well: VerifyEvidence = {
  api: { kind: 'answered', serverDate: undefined },
  unsigned: { value: { 'GET /connections': 403, 'GET /token/verify': 401 } },
  plans: { value: 1 },
  counted: { value: 5 },
  alarms: { value: [{ name: 'RefreshFailing', state: 'OK', description: '' }] },
  deadLetters: { value: [{ queue: 'dead', messages: 0 }] },
  functions: { value: functions },
  releases: { own: '0.2.0', broker: '0.2.0' },
  logs: { value: [{ group: 'access', retentionDays: 30 }] },
  canary: { value: undefined },
};
const failedIn = (more: Partial<VerifyEvidence>): Check[] =>
  checksOf({ ...well, ...more }).filter(({ passed }) => !passed);

test('all pass where all is well', () => {
  expect(failedIn({})).toEqual([]);
  expect(checksOf(well)).toHaveLength(9);
});

test.each<[what: string, evidence: Partial<VerifyEvidence>, seen: RegExp]>([
  ['the API answers', { api: { kind: 'refused', message: 'It refused.' } }, /It refused/],
  [
    'refused',
    { unsigned: { value: { 'GET /connections': 200, 'GET /token/verify': 403 } } },
    /^GET \/connections: 200$/,
  ],
  ['every minute', { plans: { value: 0 } }, /^0 /],
  ['overdue', { counted: { value: 0 } }, /^0 /],
  ['alarms', { alarms: { value: [] } }, /^0 alarms$/],
  ['alarms', { alarms: { value: [{ name: 'PlanErrors', state: 'ALARM', description: '' }] } }, /^PlanErrors$/],
  ['dead letter', { deadLetters: { value: [{ queue: 'dead', messages: 2 }] } }, /^2 in dead$/],
  ['functions', { functions: { value: functions.slice(1) } }, /^4 functions$/],
  ['functions', { functions: { value: [...functions.slice(1), { ...fn('old'), state: 'Failed' }] } }, /^old: .*Failed/],
  ['release', { releases: { own: '0.2.0', broker: '0.1.0' } }, /^0\.1\.0, here 0\.2\.0$/],
  ['release', { releases: { own: '0.2.0', broker: undefined } }, /^none is told, here 0\.2\.0$/],
  ['log', { logs: { value: [{ group: 'forever', retentionDays: undefined }] } }, /^forever$/],
  ['log', { logs: { unreadable: 'AccessDenied' } }, /^AccessDenied$/],
])('of "%s" one fails, and says what was seen (%#)', (what, evidence, seen) => {
  expect(failedIn(evidence)).toEqual([
    { what: expect.stringContaining(what), passed: false, seen: expect.stringMatching(seen) },
  ]);
});

const report: NonNullable<CanaryEvidence['report']> = {
  since: 1_000_000 as never,
  lifetimeMs: 600_000,
  renewedAt: 5_000_000 as never,
  counts: { on_time: 8, early: 0, repeated: 0, refused: 0, reused: 0, ended: 0, down: 2, lost: 1 },
  survived: { lost: 1, down: 1, slow: 0 },
};
const canary = (more: Partial<CanaryEvidence>): Partial<VerifyEvidence> => ({
  functions: { value: [...functions, fn('canary')] },
  canary: { value: { now: 5_400_000, state: 'active', report, ...more } },
});
const counted = (counts: Partial<typeof report.counts>) =>
  canary({ report: { ...report, counts: { ...report.counts, ...counts } } });

test('a canary shows five promises, whatever the schedule did', () => {
  expect(failedIn(canary({}))).toEqual([]);
  expect(checksOf({ ...well, ...canary({}) }).slice(9)).toEqual(
    [
      /^active, renewed 400 s ago$/,
      /^8 for 8 since 1970-.*, beside 3 that met a fault$/,
      /^0 were$/,
      /^0 refused, 0 too early$/,
      /^0; faults survived: 1 lost, 1 down, 0 slow$/,
    ].map((seen) => ({ what: expect.stringMatching(/^canary: /), passed: true, seen: expect.stringMatching(seen) })),
  );
});

test.each<[what: string, evidence: Partial<VerifyEvidence>, failed: readonly RegExp[]]>([
  ['not connected yet', canary({ report: undefined }), [/it is connected \(not yet; run this once with --canary\)$/]],
  ['its connection is deleted', canary({ state: undefined }), [/active.*\(no connection, /]],
  ['its connection is paused', canary({ now: 5_601_000 }), [/renewed in time \(active, renewed 601 s ago\)$/]],
  [
    'never renewed',
    canary({
      report: { ...report, renewedAt: undefined as never, counts: { ...report.counts, on_time: 0, down: 0, lost: 0 } },
    }),
    [/\(active, never renewed\)$/, /one call.*\(0 for 0 since/],
  ],
  ['too early', counted({ early: 1 }), [/one call .*\(9 for 8 /, /\(0 refused, 1 too early\)$/]],
  ['refused', counted({ refused: 1 }), [/one call /, /\(1 refused, 0 too early\)$/]],
  ['used twice, unseen by the provider', counted({ repeated: 1 }), [/one call /, /used twice \(1 were\)$/]],
  [
    'ended by reuse',
    canary({
      state: 'reauthorization_required',
      report: { ...report, endedAt: 5_100_000 as never, counts: { ...report.counts, reused: 1, ended: 1 } },
    }),
    [/active/, /one call .*\(10 for 8 /, /twice \(1 were\)$/, /\(1 refused,/, /lost \(at 1970-.*; faults survived: 1 /],
  ],
])('a canary that is %s fails', (_, evidence, failed) => {
  const lines = failedIn(evidence).map(({ what, seen }) => `${what} (${seen})`);
  expect(lines).toEqual(failed.map((line) => expect.stringMatching(line)));
});

test('a canary that cannot be asked fails, and is counted among the functions', () => {
  const evidence = { ...canary({}), canary: { unreadable: 'AccessDenied' } };
  expect(failedIn(evidence)).toEqual([{ what: 'canary: it tells', passed: false, seen: 'AccessDenied' }]);
  expect(failedIn({ ...canary({}), functions: { value: functions } })).toMatchObject([{ seen: '5 functions' }]);
  expect(failedIn({ functions: { value: [...functions, fn('canary')] } })).toMatchObject([{ seen: '6 functions' }]);
});
