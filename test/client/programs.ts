/** Programs of this repository in other languages, run with what is on this machine. */
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const root = join(import.meta.dirname, '../..');

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program in the folder of the project and in an environment of its own. */
export async function run(
  command: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const { HOME = '', PATH = '' } = process.env;
  const env = { HOME, PATH, PYTHONDONTWRITEBYTECODE: '1', AWS_EC2_METADATA_DISABLED: 'true', ...environment };
  try {
    const { stdout, stderr } = await promisify(execFile)(command, [...words], { cwd: root, env, timeout: 100_000 });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code = -1, stdout = '', stderr = '' } = error as Partial<Ended>;
    return { code, stdout, stderr };
  }
}

const needed = 'import sys, botocore; assert sys.version_info >= (3, 9)';
const [, major = 0, minor = 0] =
  /^curl (\d+)\.(\d+)/.exec(spawnSync('curl', ['--version'], { encoding: 'utf8' }).stdout ?? '') ?? [];

export const curlMajor = Number(major);

/** What is not on this machine: the tests that need it are skipped. */
export const without = {
  python: spawnSync('python3', ['-c', needed]).status !== 0,
  curl: curlMajor < 7 || (curlMajor === 7 && Number(minor) < 76) || spawnSync('jq', ['--version']).status !== 0,
};
if (without.python) console.warn('Skipped: python3, 3.9 or newer with botocore, is not on this machine');
if (without.curl) console.warn('Skipped: curl 7.76 or newer, or jq, is not on this machine');
