import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseNumbers } from './arguments.ts';

const numbers = { seeds: { default: 10, least: 1, most: 100 }, seed: { default: 1, least: 0, most: 9 } };
const parse = (...args: string[]) => parseNumbers(args, numbers, ['log']);

describe('the command line of the simulation', () => {
  test('has defaults', () => {
    expect(parse()).toEqual({ numbers: { seeds: 10, seed: 1 }, flags: [] });
  });

  test('takes numbers at both ends of their bounds, and flags', () => {
    expect(parse('--seeds', '100', '--seed=0', '--log')).toEqual({ numbers: { seeds: 100, seed: 0 }, flags: ['log'] });
  });

  test.each([
    ['--seeds', '0'],
    ['--seeds', '101'],
    ['--seeds', '1.5'],
    ['--seeds', '-1'],
    ['--seeds', ''],
    ['--seeds'],
  ])('refuses %s %s', (...args) => {
    expect(() => parse(...args)).toThrow('--seeds must be a whole number from 1 to 100');
  });

  test('names every fault at once', () => {
    let message = '';
    try {
      parse('--seeds', 'x', '--nonsense', '--log=yes', 'stray');
    } catch (error) {
      message = String(error);
    }
    for (const fault of [
      '"stray" belongs to no option',
      '--nonsense is unknown',
      '--log takes no value',
      '--seeds must be',
    ])
      expect(message).toContain(fault);
  });
});

test('npm run sim ends with a verdict', () => {
  const main = join(import.meta.dirname, 'main.ts');
  const { status, stdout } = spawnSync(process.execPath, [main, '--seeds', '2', '--workers', '1'], {
    encoding: 'utf8',
  });
  expect(stdout.trim().split('\n').at(-1)).toBe('No promise was broken.');
  expect(status).toBe(0);
});
