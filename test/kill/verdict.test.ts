import { describe, expect, test } from 'vitest';
import { killBefore } from './blows.ts';
import type { Answer } from './clients.ts';
import type { Observed } from './experiment.ts';
import type { Promised } from './rows.ts';
import { broken, measure } from './verdict.ts';

const served = (at: number, generation: number, expiresIn: number): Answer => ({
  at,
  status: 200,
  token: { generation, expiresIn, expiresAt: at + expiresIn * 1_000 },
});
const ok = (at: number) => ({ at, status: 200 });

/** Struck at 30 s; the old token expires at 60 s, the new one came at 50 s. */
function seen(promised: Promised, { answers = [], ...changed }: Partial<Omit<Observed, 'trial'>> = {}): Observed {
  return {
    trial: { provider: 'strict', at: 'commit', blow: killBefore, promised, unused: 0 },
    struckAt: 30_000,
    oldExpiresAt: 60_000,
    answers: [served(31_000, 1, 29), ...answers, served(50_000, 2, 40), served(80_000, 3, 60)],
    calls: [ok(0), ok(30_000), ok(79_000)],
    end: { state: 'active', generation: 3 },
    ...changed,
  };
}

const faults = (observed: Observed): string[] => broken(observed, measure(observed));
const revoked = { state: 'reauthorization_required', generation: 1 };

describe('what a row has to keep', () => {
  test('nothing is wrong with one that kept its promise', () => {
    expect(faults(seen('in_time'))).toEqual([]);
    expect(measure(seen('in_time'))).toMatchObject({
      grant: 'kept',
      newTokenMs: 20_000,
      longestGapMs: 30_000,
      calls: { ok: 3, errors: 0 },
    });
  });

  test.each<[string, Answer]>([
    ['expired token', served(40_000, 1, 0)],
    ['token with less life than asked for', served(40_000, 1, 4)],
    ['503 without Retry-After', { at: 40_000, status: 503 }],
    ['500', { at: 40_000, status: 500 }],
    ['409 refresh_in_doubt', { at: 40_000, status: 409, cause: 'refresh_in_doubt' }],
    ['no answer', { at: 40_000, status: 0 }],
  ])('a client error: %s', (error, answer) => {
    expect(faults(seen('after_holder', { answers: [answer] }))).toEqual([
      `not kept: no client sees an error (${error})`,
    ]);
  });

  test('a 503 with Retry-After breaks a promise only where a token has to be served all the time', () => {
    const answers = [{ at: 45_000, status: 503, retryAfter: '1' }];
    expect(faults(seen('in_time', { answers }))).toEqual(['not kept: no client is turned away']);
    expect(faults(seen('after_holder', { answers }))).toEqual([]);
  });

  test('a new token that comes with the expiry of the old one is in time, a moment later is not', () => {
    expect(faults(seen('in_time', { oldExpiresAt: 50_000 }))).toEqual([]);
    expect(faults(seen('in_time', { oldExpiresAt: 49_999 }))).toEqual([
      'not kept: the new token is served before the old one expires',
    ]);
  });

  test('one call more than there are generations is one too many', () => {
    const calls = [ok(0), ok(30_000), ok(50_000), ok(79_000)];
    expect(faults(seen('in_time', { calls }))).toEqual([
      'not kept: the provider sees 3 good calls and 0 errors (it saw 4 and 0)',
    ]);
  });

  test('a loss must be called ours, and clients may hear of it only after the provider has refused', () => {
    const lost = seen('lost_in_doubt', { calls: [ok(0), { at: 115_000, status: 400 }] });
    const answers = [served(31_000, 1, 29), { at: 121_000, status: 409, cause: 'refresh_in_doubt' }];
    expect(faults({ ...lost, answers, end: { ...revoked, cause: 'refresh_in_doubt' } })).toEqual([]);
    expect(faults({ ...lost, answers, end: { ...revoked, cause: 'invalid_grant' } })).toEqual([
      'not kept: the loss is called ours',
    ]);
    const early = [...answers, { at: 60_000, status: 409, cause: 'refresh_in_doubt' }];
    expect(faults({ ...lost, answers: early, end: { ...revoked, cause: 'refresh_in_doubt' } })).toEqual([
      'not kept: no client sees an error (409 refresh_in_doubt)',
    ]);
  });
});
