/** Which broker a command speaks to: one on this machine, found by itself, or a deployed one. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import type { Credentials } from '../local/platform/signature.ts';
import { signedFetch } from '../local/platform/signed-fetch.ts';
import { credentialsFile, type RunningBroker, runningBrokerFile } from '../local/running-broker.ts';
import type { Send } from './api.ts';
import { Broker } from './broker.ts';
import { CommandFailure, exitCodes, wrongInput } from './failure.ts';

export interface TargetOptions {
  /** The name of a deployed broker's stack. */
  readonly stack?: string | undefined;
  /** Where a broker's API is. */
  readonly url?: string | undefined;
  readonly region?: string | undefined;
  readonly profile?: string | undefined;
  /** The data directory of a broker on this machine. */
  readonly data?: string | undefined;
}

export type Target =
  | { readonly kind: 'local'; readonly broker: Broker; readonly directory: string; readonly running: RunningBroker }
  | {
      readonly kind: 'deployed';
      readonly broker: Broker;
      readonly aws: AwsAccess;
      readonly stack: string | undefined;
      /** As the stack tells it. */
      readonly release?: string;
    };

/** How clients of AWS are made: the Region, and the profile if one is named. */
interface AwsAccess {
  readonly region: string;
  readonly profile?: string;
}

/** Where a broker of this machine keeps everything, unless it is told another place. */
const usualDirectory = '.broker';

/** Returns the broker that the options name, else the one that runs on this machine. Throws a `CommandFailure`. */
export async function targetOf(options: TargetOptions, workingDirectory = process.cwd()): Promise<Target> {
  const { stack, url, data } = options;
  const given = Object.entries({ '--stack': stack, '--url': url, '--data': data }).filter(([, value]) => value);
  if (given.length > 1)
    throw wrongInput(`${given.map(([name]) => name).join(' and ')}: give one of them, since each names a broker.`);
  if (stack !== undefined) {
    const { ApiUrl, Release: release } = await outputsOf(stack, options);
    return { ...(await deployed(options, ApiUrl, stack)), ...(release !== undefined && { release }) };
  }
  if (url !== undefined) return deployed(options, url, undefined);
  return local(data === undefined ? nearestDirectory(workingDirectory) : resolve(data));
}

function local(directory: string | undefined): Target {
  const path = directory && join(directory, runningBrokerFile);
  if (directory === undefined || path === undefined || !existsSync(path))
    throw new CommandFailure(
      `No broker runs on this machine with data in ${directory ?? usualDirectory}. Start one with npm start, name ` +
        'its data directory with --data, or a deployed broker with --stack or --url.',
      exitCodes.tryAgain,
    );
  const running: RunningBroker = JSON.parse(readFileSync(path, 'utf8'));
  const credentials: Credentials = JSON.parse(readFileSync(join(directory, credentialsFile), 'utf8'));
  const send = signedFetch(running.url, credentials);
  return { kind: 'local', broker: new Broker(running.url, send), directory, running };
}

/** The data directory here, or in the nearest folder above that has one. */
function nearestDirectory(from: string): string | undefined {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    const directory = join(folder, usualDirectory);
    if (existsSync(join(directory, runningBrokerFile))) return directory;
    if (dirname(folder) === folder) return undefined;
  }
}

async function deployed(
  options: TargetOptions,
  url: string | undefined,
  stack: string | undefined,
): Promise<Extract<Target, { kind: 'deployed' }>> {
  if (url === undefined) throw new CommandFailure(`Stack ${stack} has no output ApiUrl: it is no token broker's.`);
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw wrongInput('--url: takes the address of a broker, such as https://….execute-api.eu-west-1.amazonaws.com.');
  const client = await awsClient(options);
  const region = options.region ?? regionIn(url) ?? (await configuredRegion(client));
  const send: Send = async (path, request) => signedFetch(url, await credentialsOf(client), region)(path, request);
  const { profile } = options;
  return {
    kind: 'deployed',
    broker: new Broker(url, send),
    aws: { region, ...(profile !== undefined && { profile }) },
    stack,
  };
}

/**
 * The usual AWS credentials and Region: of the environment, of a profile, of a role. Loaded only here, since a command
 * for a broker on this machine should not wait for the SDK.
 */
async function awsClient({ region, profile }: TargetOptions): Promise<CloudFormationClient> {
  const { CloudFormationClient } = await import('@aws-sdk/client-cloudformation');
  return new CloudFormationClient({
    ...(region !== undefined && { region }),
    ...(profile !== undefined && { profile }),
  });
}

const regionIn = (url: string): string | undefined =>
  /\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/.exec(new URL(url).hostname)?.[1];

async function configuredRegion(client: CloudFormationClient): Promise<string> {
  try {
    return await client.config.region();
  } catch {
    throw wrongInput('--region: give it, or set AWS_REGION; the address does not tell.');
  }
}

async function credentialsOf(client: CloudFormationClient) {
  try {
    return await client.config.credentials();
  } catch (error) {
    throw new CommandFailure(
      `There are no AWS credentials: ${(error as Error).message}. Log in (aws sso login), or set AWS_PROFILE.`,
    );
  }
}

/** Returns a stack's outputs by name. */
async function outputsOf(stack: string, options: TargetOptions): Promise<Readonly<Record<string, string>>> {
  const client = await awsClient(options);
  await credentialsOf(client);
  const region = await configuredRegion(client);
  const { DescribeStacksCommand } = await import('@aws-sdk/client-cloudformation');
  try {
    const { Stacks: stacks = [] } = await client.send(new DescribeStacksCommand({ StackName: stack }));
    return Object.fromEntries(
      (stacks[0]?.Outputs ?? []).map(({ OutputKey: key = '', OutputValue: value = '' }) => [key, value]),
    );
  } catch (error) {
    throw new CommandFailure(`Stack ${stack} in ${region} cannot be read: ${(error as Error).message}`);
  }
}
