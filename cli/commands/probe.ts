import { writeFileSync } from 'node:fs';
import type { Argv } from 'yargs';
import { httpExchange } from '../../shared/adapters/oauth/http-exchange.ts';
import { httpDiscovery } from '../../shared/adapters/oauth/metadata.ts';
import { httpTokenEndpoint } from '../../shared/adapters/oauth/token-endpoint.ts';
import { systemClock } from '../../shared/adapters/system.ts';
import { limits } from '../../shared/domain/limits.ts';
import { type EndpointPolicy, faultOfEndpoint } from '../../shared/providers/endpoint-url.ts';
import { providersFrom } from '../../shared/providers/known-providers.ts';
import { parseConnectionRequest } from '../../shared/providers/parse-request.ts';
import { agreed } from '../command.ts';
import { CommandFailure, exitCodes, wrongInput } from '../failure.ts';
import { factsOfMetadata } from '../probe/metadata-facts.ts';
import { patchOf } from '../probe/patch.ts';
import { type Found, probe } from '../probe/probe.ts';
import { askForTheRest } from '../questions.ts';
import { screenOf, show } from '../screen.ts';
import { askSecret, readSecret } from '../secret-input.ts';
import { faultOfOutput } from '../text-file.ts';
import { bodyOf } from './connect.ts';

export const command = 'probe';
export const describe =
  'Learns how a provider renews, from a sandbox grant that may be lost by it; writes facts for a preset';
export const builder = (argv: Argv) =>
  argv
    .option('provider', { type: 'string', default: 'generic-oauth2', describe: "A preset's name" })
    .option('set', { type: 'string', array: true, default: [], describe: 'A setting, as name=value' })
    .option('client-id', { type: 'string', describe: "The application's id at the provider" })
    .option('client-secret-file', { type: 'string', nargs: 1, describe: 'The file with its secret' })
    .option('secret-file', { type: 'string', array: true, default: [], describe: 'A secret setting, as name=FILE' })
    .option('refresh-token-file', {
      type: 'string',
      nargs: 1,
      describe: "The file with the sandbox grant's refresh token; - is standard input",
    })
    .option('api-url', {
      type: 'string',
      describe: 'An address of its API that answers 200 to GET with an access token',
    })
    .option('issuer', { type: 'string', describe: 'Its issuer identifier, for what its metadata tells of logins' })
    .option('calls', { type: 'number', default: 40, describe: 'At most so many calls to the token endpoint' })
    .option('errors', { type: 'number', default: 7, describe: 'At most so many refusals within an hour' })
    .option('minutes', { type: 'number', default: 180, describe: 'At most so long' })
    .option('output', { type: 'string', describe: 'The file that the facts go to' })
    .option('loopback', { type: 'boolean', default: false, describe: 'The provider is on this machine' })
    .option('yes', { type: 'boolean', default: false, describe: 'Do not ask' })
    .option('json', { type: 'boolean', default: false, describe: 'Write JSON' });

type Options = Awaited<ReturnType<typeof builder>['argv']>;

export async function handler(options: Options): Promise<void> {
  const screen = screenOf(options.json);
  const unwritable = options.output === undefined ? [] : faultOfOutput('--output', options.output);
  if (unwritable.length > 0) throw wrongInput(...unwritable);
  const policy = { allowLoopback: options.loopback };
  const { config, credentials } = await connectionOf(options, policy);
  const { rules } = providersFrom().of(config);
  if (rules === undefined || rules.dialect.grant !== 'refresh_token')
    throw wrongInput(`provider: ${options.provider} has no refresh tokens to probe.`);
  const api = apiOf(options.apiUrl, policy);
  screen.note(warning(options));
  if (!(await agreed(screen, options.yes, 'Is it a sandbox grant that may be lost?')))
    return screen.note('Nothing was sent.');
  const refreshToken =
    options.refreshTokenFile === undefined
      ? await askSecret('Refresh token of the sandbox grant')
      : readSecret(options.refreshTokenFile, '--refresh-token-file');
  const world = {
    clock: systemClock,
    endpoint: httpTokenEndpoint(policy),
    rules,
    config,
    credentials,
    ...(api && { api }),
    tell: (line: string) => screen.note(line),
  };
  const budget = { calls: options.calls, errorsAnHour: options.errors, ms: options.minutes * 60_000 };
  // First, since what is wrong with it should not cost a grant.
  const ofMetadata = await ofLogins(options.issuer, policy);
  const report = await probe(world, refreshToken, budget);
  const found = [...report.found, ...ofMetadata];
  const { newest: _secret, ...told } = { ...report, found };
  const patch = patchOf({ ...report, found }, options.provider, new Date().toISOString().slice(0, 10));
  if (options.output !== undefined) writeFileSync(options.output, `${patch}\n`);
  show(screen, told, options.output === undefined ? [patch] : [`${options.output} has ${found.length} facts.`]);
  if (report.found.length === 0)
    throw new CommandFailure(`Nothing was found: ${report.open.join('; ')}.`, exitCodes.needsAttention);
}

const warning = ({ calls, errors, minutes, provider }: Options): string =>
  [
    `This makes up to ${calls} calls to ${provider} within ${minutes} minutes, of which up to ${errors} an hour`,
    'are refused on purpose. First: renewals, the earliest that is allowed, what a renewal ends, and how an unknown',
    'refresh token is refused. Last, since it may end this grant, and at some providers every grant of this user: used',
    'refresh tokens are sent again. No other program may use the grant meanwhile; afterwards it is used up.',
  ].join('\n');

async function connectionOf(options: Options, policy: EndpointPolicy) {
  const body = bodyOf(options.provider, { ...options, refreshTokenFile: undefined });
  await askForTheRest(body, screenOf(options.json), policy);
  const parsed = parseConnectionRequest(body, policy);
  if (!parsed.ok) throw wrongInput(...parsed.faults.map(({ path, message }) => `${path} ${message}`));
  return { config: parsed.value.config, credentials: parsed.value.credentials ?? {} };
}

function apiOf(text: string | undefined, policy: EndpointPolicy) {
  if (text === undefined) return undefined;
  const fault = faultOfEndpoint(text, policy);
  if (fault !== undefined) throw wrongInput(`--api-url: ${fault}.`);
  const url = new URL(text);
  const exchange = httpExchange(policy);
  return async (accessToken: string): Promise<number> => {
    const headers = { authorization: `Bearer ${accessToken}`, accept: 'application/json' };
    const reply = await exchange({ method: 'GET', url, headers, body: '' }, limits.discoveryTimeoutMs);
    return reply.kind === 'reply' ? reply.status : 599;
  };
}

async function ofLogins(issuer: string | undefined, policy: EndpointPolicy): Promise<readonly Found[]> {
  if (issuer === undefined) return [];
  const discovered = await httpDiscovery(policy).discover(issuer);
  if (discovered.kind === 'fault') throw new CommandFailure(`--issuer: ${discovered.message}.`);
  return factsOfMetadata(discovered.metadata);
}
