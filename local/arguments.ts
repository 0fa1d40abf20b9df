import { statSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { JwtAuthorization, SecretStore, Throttle } from '../infra/choices.ts';
import { defaultThrottle, parseSettings } from '../infra/context.ts';
import { type DemoProviderName, demoProviders } from './demo/index.ts';
import { optionsIn } from './options.ts';

interface Arguments {
  readonly port: number;
  readonly directory: string;
  readonly provider: ProviderName;
  readonly jwt?: JwtAuthorization;
  readonly secretStore: SecretStore;
  readonly concurrency?: number;
  readonly throttle?: Throttle;
}

/** What to start besides the broker. */
export type ProviderName = DemoProviderName | 'none';
const providers: readonly string[] = [...Object.keys(demoProviders), 'none'];
const isProvider = (name: unknown): name is ProviderName => typeof name === 'string' && providers.includes(name);
const listed = `${providers.slice(0, -1).join(', ')} or ${providers.at(-1)}`;
const widest = Math.max(...providers.map((name) => name.length));
const kinds = Object.entries(demoProviders).map(
  ([name, { about }], i) => `    ${name.padEnd(widest)}  ${about}${i === 0 ? ' (default)' : ''}`,
);

export const usage = `Runs the token broker on this machine: the same bundles and the same template as on AWS.

  npm start -- [--port PORT] [--data DIRECTORY] [--provider NAME] [--secret-store NAME]
               [--jwt-issuer URL --jwt-audience NAME [--jwt-claim NAME] [--jwt-scope-prefix TEXT]]

  --port          where it listens, on 127.0.0.1 only; 0 takes any free port (default: 8790)
  --data          where it keeps everything, and goes on from at the next start (default: .broker)
  --provider      what to start besides, and to connect a connection named demo to:
${kinds.join('\n')}
    ${'none'.padEnd(widest)}  nothing; connect your own, with PUT /connections/NAME
  --secret-store
                  where refresh tokens and client secrets are kept: secrets-manager (default), or dynamodb;
                  once there, they stay there
  --jwt-issuer    whose JWTs open the token routes, instead of signatures: where its metadata is found
  --jwt-audience  whom they must be for; several with commas between them
  --jwt-claim     the claim that names what a caller may use (default: scope, and scp)
  --jwt-scope-prefix
                  what stands before a connection's name in it (default: token:)
  --concurrency   how many invocations Lambda runs at a time, from 1 to 100; what comes beyond is throttled at once,
                  as on AWS (new accounts have 10). Without it, 8 of a function run at a time, and the others wait
  --requests-per-second, --request-burst
                  what the gateway lets through of all clients together, as on AWS; the rest gets a bare 429
                  (default: ${defaultThrottle.requestsPerSecond} and ${defaultThrottle.burst})
  --help          this text
`;

const known = {
  port: { type: 'string' },
  data: { type: 'string' },
  provider: { type: 'string' },
  'jwt-issuer': { type: 'string' },
  'jwt-audience': { type: 'string' },
  'jwt-claim': { type: 'string' },
  'jwt-scope-prefix': { type: 'string' },
  'secret-store': { type: 'string' },
  concurrency: { type: 'string' },
  'requests-per-second': { type: 'string' },
  'request-burst': { type: 'string' },
  help: { type: 'boolean' },
} as const;

/** Returns the arguments, `help`, or every fault there is, each as a sentence. */
export function parseArguments(argv: readonly string[]): Arguments | 'help' | { readonly faults: readonly string[] } {
  const { values, faults } = optionsIn(argv, known, '--port');
  if (values.help) return 'help';
  const { port = '8790', data = '.broker', provider = 'oidc-provider' } = values;
  if (typeof port !== 'string' || !/^\d{1,5}$/.test(port) || Number(port) > 65_535)
    faults.push(`--port: takes a number from 0 to 65535, not ${said(port)}.`);
  if (typeof data !== 'string' || data === '') faults.push(`--data: takes the path of a directory, not ${said(data)}.`);
  else if (statSync(data, { throwIfNoEntry: false })?.isDirectory() === false)
    faults.push(`--data: ${data} is not a directory.`);
  if (!isProvider(provider)) faults.push(`--provider: takes ${listed}, not ${said(provider)}.`);
  const { concurrency } = values;
  if (concurrency !== undefined && !isConcurrency(concurrency))
    faults.push(`--concurrency: takes a number from 1 to 100, not ${said(concurrency)}.`);
  const parsed = parseSettings(
    {
      secretStore: values['secret-store'],
      jwtIssuer: values['jwt-issuer'],
      jwtAudience: values['jwt-audience'],
      jwtClaim: values['jwt-claim'],
      jwtScopePrefix: values['jwt-scope-prefix'],
      requestsPerSecond: values['requests-per-second'],
      requestBurst: values['request-burst'],
    },
    {
      allowLoopback: true,
      called: (name) => `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    },
  );
  if ('faults' in parsed) faults.push(...parsed.faults);
  if (faults.length > 0 || !isProvider(provider) || 'faults' in parsed) return { faults };
  const { secretStore, jwt, throttle } = parsed.settings;
  return {
    port: Number(port),
    directory: String(data),
    provider,
    secretStore,
    ...(concurrency !== undefined && { concurrency: Number(concurrency) }),
    ...(isDeepStrictEqual(throttle, defaultThrottle) ? {} : { throttle }),
    ...(jwt && { jwt }),
  };
}

const isConcurrency = (text: string | boolean): boolean => /^(?:[1-9]\d?|100)$/.test(String(text));

const said = (value: string | boolean | undefined): string =>
  typeof value === 'string' && value !== '' ? value : 'nothing';
