/** Each promise of a deployment, kept and broken. */
import { expect, test } from 'vitest';
import { type Check, checksOf, type VerifyEvidence } from '../../cli/verify/checks.ts';

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
  logs: { value: [{ group: 'access', retentionDays: 30 }] },
};
const failedIn = (more: Partial<VerifyEvidence>): Check[] =>
  checksOf({ ...well, ...more }).filter(({ passed }) => !passed);

test('all pass where all is well', () => {
  expect(failedIn({})).toEqual([]);
  expect(checksOf(well)).toHaveLength(8);
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
  ['log', { logs: { value: [{ group: 'forever', retentionDays: undefined }] } }, /^forever$/],
  ['log', { logs: { unreadable: 'AccessDenied' } }, /^AccessDenied$/],
])('of "%s" one fails, and says what was seen (%#)', (what, evidence, seen) => {
  expect(failedIn(evidence)).toEqual([
    { what: expect.stringContaining(what), passed: false, seen: expect.stringMatching(seen) },
  ]);
});
