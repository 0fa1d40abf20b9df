/** What `status` shows, and what `--watch` takes for a change. */
import { expect, test } from 'vitest';
import type { Description } from '../../cli/broker.ts';
import { markOf, statusLines } from '../../cli/commands/status.ts';
import { screenOf } from '../../cli/screen.ts';
import { healthy } from '../local/page/samples.ts';

const item: Description = healthy('books', {
  expires_in: 200,
  renewed_at: '2026-11-29T10:00:00.000Z',
  expires_at: '2026-11-29T10:10:00.000Z',
  next_renewal_at: '2026-11-29T10:09:30.000Z',
  grant_ends_at: '2026-12-29T10:00:00.000Z',
});
const failure = {
  class: 'transient' as const,
  error: 'http_503',
  rule: 'server_error',
  at: '2026-11-29T10:01:00.000Z',
  count: 1,
};
const mark = markOf(item);

test.each<[string, Partial<Description>]>([
  ['a renewal', { generation: 145 }],
  ['a failure', { last_failure: failure }],
  ['a pause', { paused_since: '2026-11-29T10:01:00.000Z' }],
  ['a breaker', { breaker: { reason: 'silent', until: '2026-11-29T10:02:00.000Z', probes: 1 } as never }],
  ['a verdict that is withheld', { verdict_withheld: true }],
  ['settings', { margin_seconds: 60 }],
])('%s is a change', (_title, more) => expect(markOf({ ...item, ...more })).not.toBe(mark));

test.each<[string, Partial<Description>]>([
  ['a second', { expires_in: 199 }],
  ['a client that asks', { last_used_at: '2026-11-29T10:01:00.000Z' }],
  ['a call that falls out of the budget', { budget: { errors_left_this_hour: 10 } }],
])('%s is no change', (_title, more) => expect(markOf({ ...item, ...more })).toBe(mark));

test('it says since when and by whom a connection is paused', () => {
  const paused = { ...item, paused_since: '2026-11-29T10:01:00.000Z', paused_by: 'arn:aws:iam::1:role/on-call' };
  const lines = statusLines(screenOf(false), paused, Date.parse('2026-11-29T10:03:00.000Z'));
  expect(lines).toContain('  paused        2026-11-29T10:01:00.000Z (2 min ago) by arn:aws:iam::1:role/on-call');
});
