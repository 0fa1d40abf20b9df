/** The workers of the experiment: what is fair about them, and what befalls them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseArguments } from '../../../local/experiment/arguments.ts';
import { fileStore, independentSender, ownStore } from '../../../local/experiment/independent.ts';
import type { ExactOnlineFacts } from '../../../local/simulators/exact-online.ts';
import { exactOnline } from './exact.ts';

/** Two workers with one token, in stores of their own or in one file. */
async function two(kind: 'own' | 'shared', facts: Partial<ExactOnlineFacts>, backOffMs = 0) {
  const { exact, clock } = await exactOnline(facts);
  const directory = mkdtempSync(join(tmpdir(), 'experiment-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'tokens');
  const first = { ...exact.authorize(), expiresAt: Date.now() + 600_000 };
  await fileStore(path).write(first);
  const newSender = () =>
    independentSender(exact, kind === 'own' ? ownStore(first) : fileStore(path), first, { backOffMs });
  const statuses = () =>
    exact.ledger.map(({ path, status }) => `${path.includes('token') ? 'token' : 'api'} ${status}`);
  return { exact, clock, path, a: newSender(), b: newSender(), statuses };
}

describe('workers that refresh after a 401', () => {
  test('with tokens of their own make an error and a token call each', async () => {
    const { a, b, clock, statuses } = await two('own', { refreshTokens: 'reusable', minTokenAgeSeconds: 0 });
    expect([await a(), await b()]).toEqual([true, true]);
    clock.advance(600_000);
    expect([await a(), await b()]).toEqual([true, true]);
    const one = ['api 401', 'token 200', 'api 200'];
    expect(statuses()).toEqual(['api 200', 'api 200', ...one, ...one]);
  });

  test('with a file in common make an error each, and one token call', async () => {
    const { a, b, clock, statuses } = await two('shared', {});
    clock.advance(600_000);
    expect([await a(), await b()]).toEqual([true, true]);
    expect(statuses()).toEqual(['api 401', 'token 200', 'api 200', 'api 401', 'api 200']);
  });

  test.each([false, true])(
    'at the same time collide, and a record is lost; with it the grant, if reuse revokes: %s',
    async (reuseRevokes) => {
      const { a, b, clock, exact, statuses } = await two('shared', { reuseRevokes, answerMs: 500 });
      clock.advance(600_000);
      const both = Promise.all([a(), b()]);
      await expect.poll(() => clock.sleeping).toBe(2);
      clock.advance(500);
      expect((await both).sort()).toEqual([false, true]);
      const tokenCalls = statuses().filter((status) => status.startsWith('token'));
      expect(tokenCalls.sort()).toEqual(['token 200', 'token 401']);

      // From now on the token endpoint answers at once, as far as the clock can tell.
      const passing = setInterval(() => clock.advance(500), 5);
      onTestFinished(() => clearInterval(passing));
      clock.advance(600_000);
      expect([await a(), await b()]).toEqual(reuseRevokes ? [false, false] : [true, true]);
      if (!reuseRevokes) return;
      await Promise.all([a(), b()]);
      // Both have been told by now that the grant is dead: they make no more errors.
      const calls = exact.ledger.length;
      expect([await a(), await b()]).toEqual([false, false]);
      expect(exact.ledger.length).toBe(calls);
    },
  );

  test('leave the token endpoint alone for a while when it fails', async () => {
    const { a, clock, exact, statuses } = await two('own', {}, 60_000);
    clock.advance(600_000);
    exact.next({ answer: { status: 500 } });
    expect([await a(), await a()]).toEqual([false, false]);
    expect(statuses()).toEqual(['api 401', 'token 500', 'api 401']);
  });

  test('do not deliver while the file is half written', async () => {
    const { a, clock, path } = await two('shared', {});
    clock.advance(600_000);
    writeFileSync(path, '{"accessTok');
    await expect(a()).rejects.toThrow();
  });
});

describe('the command line', () => {
  test('has a default for everything, and is understood', () => {
    expect(parseArguments([])).toEqual({ workers: [1, 10, 50], lifetimes: 6 });
    expect(parseArguments(['--workers', '100', '--lifetimes=60'])).toEqual({ workers: [100], lifetimes: 60 });
    expect(parseArguments(['--help'])).toBe('help');
  });

  test('is told every fault at once', () => {
    expect(parseArguments(['--workers', '0,101', '--lifetimes', '61', '--fast', 'now'])).toEqual({
      faults: [
        '--fast: there is no such option.',
        'now: what is it? Every argument has a name, such as --workers.',
        '--workers: takes up to 5 numbers from 1 to 100, such as 1,10,50.',
        '--lifetimes: takes a number from 1 to 60.',
      ],
    });
  });
});
