/** The Python of this machine, if it is there and has what the client signs with. */
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const root = join(import.meta.dirname, '../..');

const [command = '', ...words] = ['python3', '-c', 'import sys, botocore; assert sys.version_info >= (3, 9)'];
const tried = spawnSync(command, words, { encoding: 'utf8' });

/** Why the tests of Python are skipped; undefined if they are not. */
export const withoutPython =
  tried.status === 0 ? undefined : `python3 (3.9 or newer) with botocore is not on this machine: ${tried.stderr ?? ''}`;
if (withoutPython !== undefined) console.warn(`Skipped: ${withoutPython}`);

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program of this repository in an environment of its own. */
export async function python(
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const { HOME = '', PATH = '' } = process.env;
  try {
    const { stdout, stderr } = await promisify(execFile)(command, [...words], {
      cwd: root,
      env: { HOME, PATH, PYTHONDONTWRITEBYTECODE: '1', AWS_EC2_METADATA_DISABLED: 'true', ...environment },
      timeout: 60_000,
    });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code = -1, stdout = '', stderr = '' } = error as Partial<Ended>;
    return { code, stdout, stderr };
  }
}
