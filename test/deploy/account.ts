/** An AWS account on this machine that `cdk` deploys to, without AWS: moto behind `emulator.py`. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { announcedBy } from '../local/aws/worlds.ts';
import type { Report } from './report.ts';

export interface Account {
  /** Every service's endpoint. */
  readonly url: string;
  /** Runs the pinned CDK CLI in the account, and resolves with what it printed. Rejects with it if the CLI fails. */
  cdk(...args: readonly string[]): Promise<string>;
  /** Asks the services what is deployed, and downloads the functions' code. */
  report(): Promise<Report>;
  /** Has the next creation or change of a resource of this type fail, once, for a reason that an account may have. */
  fail(resourceType: string, reason: string): Promise<void>;
  close(): Promise<void>;
}

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');

export const accountId = '123456789012';

/** Starts an empty account. Rejects with what Python said if moto cannot be started. */
export async function startAccount(): Promise<Account> {
  const directory = mkdtempSync(join(tmpdir(), 'token-broker-account-'));
  const child = spawn('python3', [join(import.meta.dirname, 'emulator.py')], { stdio: ['pipe', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said = `${said}${chunk}`.slice(-4_000);
  });
  const url = await announcedBy(child);
  const env = {
    PATH: process.env.PATH,
    HOME: directory,
    CDK_HOME: directory,
    CI: 'true',
    NO_COLOR: '1',
    AWS_ENDPOINT_URL: url,
    // The templates' own address, which CloudFormation only takes in this form; they are sent to the endpoint above.
    AWS_ENDPOINT_URL_S3_FOR_CLOUDFORMATION: 'https://s3.us-east-1.amazonaws.com',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    CDK_DISABLE_CLI_TELEMETRY: 'true',
  };
  return {
    url,
    async cdk(...args) {
      const cli = join(root, 'node_modules/aws-cdk/bin/cdk');
      const options = { cwd: directory, env, maxBuffer: 64 * 1024 * 1024 };
      const { stdout, stderr } = await run(process.execPath, [cli, ...args, '--no-notices'], options).catch((error) => {
        throw new Error(`cdk ${args.join(' ')}:\n${error.stdout}\n${error.stderr}\nmoto:\n${said}`);
      });
      return `${stdout}${stderr}`;
    },
    async report() {
      const bundles = mkdtempSync(join(directory, 'bundles-'));
      const script = join(import.meta.dirname, 'report.py');
      const { stdout } = await run('python3', [script, url, bundles], { env, maxBuffer: 64 * 1024 * 1024 });
      return JSON.parse(stdout);
    },
    async fail(type, reason) {
      await fetch(`${url}/-/faults`, { method: 'POST', body: JSON.stringify({ type, reason }) });
    },
    async close() {
      child.kill('SIGKILL');
      await once(child, 'exit');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
