/**
 * The settings of a deployment, which an operator gives as CDK context: in `cdk.json`, or as `cdk deploy -c
 * NAME=VALUE`, which hands on text. The local broker takes some of them as arguments.
 */
import * as v from 'valibot';
import { faultOfEndpoint } from '../shared/providers/endpoint-url.ts';
import { perhaps } from '../shared/providers/perhaps.ts';
import type { CustomDomain, JwtAuthorization, SecretStore, Throttle } from './choices.ts';
import { Faults } from './faults.ts';

export interface Settings {
  /** What tells this deployment from another of its account and Region; undefined for the only one. */
  readonly name: string | undefined;
  readonly secretStore: SecretStore;
  readonly jwt: JwtAuthorization | undefined;
  readonly domain: CustomDomain | undefined;
  readonly throttle: Throttle;
  readonly refreshConcurrency: number | undefined;
  readonly reservedRefreshConcurrency: number | undefined;
  readonly reservedTokenConcurrency: number | undefined;
  /** The Elastic IP address from which providers are called, by its allocation id. */
  readonly egressAddress: string | undefined;
  /** How long the audit log is kept, and that it outlives the stack. */
  readonly auditDays: number | undefined;
  /** Where alarms say that their articles are. */
  readonly runbookUrl: string;
  /** Whether the deployment has an authorization server of its own to prove itself on. */
  readonly canary: boolean;
}

/**
 * How many renewals run at once: as many as are reserved for them, since more would be throttled; by default at most
 * 100, a tenth of the usual quota of an account.
 */
export const refreshConcurrencyOf = ({
  refreshConcurrency,
  reservedRefreshConcurrency: reserved,
}: Partial<Pick<Settings, 'refreshConcurrency' | 'reservedRefreshConcurrency'>>): number =>
  Math.min(refreshConcurrency ?? reserved ?? 100, reserved ?? Number.POSITIVE_INFINITY);

/** A tenth of what all HTTP APIs of an account share, so that a runaway client cannot starve its neighbours. */
export const defaultThrottle: Throttle = { requestsPerSecond: 1_000, burst: 500 };
export const defaultRunbookUrl = 'docs/operations.md';

/** What CloudWatch Logs can keep a line for, in days. */
export const retentions: readonly number[] = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

/** API Gateway's limit for an authorizer. */
const mostAudiences = 50;

/**
 * API Gateway looks for the metadata below it. The URL parser would forgive white space and missing slashes, but `iss`
 * is compared to the letter.
 */
const isIssuer = (text: string, allowLoopback: boolean): boolean =>
  /^https?:\/\/[^\s\\?]+$/.test(text) && faultOfEndpoint(text, { allowLoopback }) === undefined;

const matching = (pattern: RegExp) => v.pipe(v.string(), v.regex(pattern));
const wholeNumber = (from: number, to: number) =>
  v.pipe(
    v.union([v.number(), v.pipe(matching(/^\d+$/), v.transform(Number))]),
    v.integer(),
    v.minValue(from),
    v.maxValue(to),
  );
const labels = '(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z0-9-]+';

const egressAddress = {
  schema: matching(/^eipalloc-[0-9a-f]{8,17}$/),
  takes: 'the allocation id of an Elastic IP address, such as eipalloc-0123456789abcdef0',
};
const auditDays = {
  schema: v.pipe(
    wholeNumber(1, Number.MAX_SAFE_INTEGER),
    v.check((days) => retentions.includes(days)),
  ),
  takes: `a number of days that CloudWatch Logs can keep a line for: ${retentions.join(', ')}`,
};

const canary = {
  schema: v.union([
    v.boolean(),
    v.pipe(
      v.picklist(['true', 'false']),
      v.transform((text) => text === 'true'),
    ),
  ]),
  takes: 'true or false',
};

/**
 * What each setting takes, as the end of a sentence. A URL may have a password in it, so it is `unsaid`: not repeated
 * when it is refused.
 */
const schemas = (allowLoopback: boolean) => ({
  name: {
    // The state stack of one deployment would be called like the broker stack of another.
    schema: v.pipe(
      matching(/^[a-z][a-z0-9-]{0,29}$/),
      v.check((name) => !/(?:^|-)(?:state)?$/.test(name)),
    ),
    takes: 'up to 30 of a-z, 0-9 and inner hyphens, a letter first, but neither state nor a name that ends in -state',
  },
  secretStore: { schema: v.picklist(['secrets-manager', 'dynamodb']), takes: 'secrets-manager or dynamodb' },
  jwtIssuer: {
    schema: v.pipe(
      v.string(),
      v.check((text) => isIssuer(text, allowLoopback)),
    ),
    takes: 'an https URL without credentials, query and fragment, which API Gateway can reach',
    needs: 'jwtAudience',
    unsaid: true,
  },
  jwtAudience: {
    schema: v.pipe(
      v.string(),
      v.transform((text) => text.split(',').map((audience) => audience.trim())),
      v.array(matching(/^\S+$/)),
      v.maxLength(mostAudiences),
    ),
    takes: `up to ${mostAudiences} names without spaces, with single commas between them`,
    needs: 'jwtIssuer',
  },
  jwtClaim: { schema: matching(/^[!-~]{1,256}$/), takes: 'the name of a claim of the JWTs', needs: 'jwtIssuer' },
  // The characters of a scope (RFC 6749 §A.4), without those by which API Gateway marks lists and objects.
  jwtScopePrefix: {
    schema: matching(/^[!#-Z^-~]{1,256}$/),
    takes: 'what stands before the name of a connection in a scope, without spaces, quotes, brackets and backslashes',
    needs: 'jwtIssuer',
  },
  domainName: {
    schema: v.pipe(matching(new RegExp(`^${labels}$`)), v.maxLength(253)),
    takes: 'a host name in small letters, such as broker.example.com',
    needs: 'domainCertificate',
  },
  domainCertificate: {
    schema: matching(/^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[\w-]+$/),
    takes: 'the ARN of a certificate of AWS Certificate Manager',
    needs: 'domainName',
  },
  domainPath: {
    schema: v.pipe(matching(/^[\w.-]+(?:\/[\w.-]+)*$/), v.maxLength(300)),
    takes: 'path segments without a slash at either end, such as broker or apis/broker',
    needs: 'domainName',
  },
  requestsPerSecond: { schema: wholeNumber(1, 100_000), takes: 'a whole number from 1 to 100000' },
  requestBurst: { schema: wholeNumber(1, 100_000), takes: 'a whole number from 1 to 100000' },
  // Two is the least that the event source of a function can be limited to.
  refreshConcurrency: { schema: wholeNumber(2, 1_000), takes: 'a whole number from 2 to 1000' },
  reservedRefreshConcurrency: { schema: wholeNumber(2, 1_000), takes: 'a whole number from 2 to 1000' },
  reservedTokenConcurrency: { schema: wholeNumber(1, 100_000), takes: 'a whole number from 1 to 100000' },
  egressAddress,
  auditDays,
  canary,
  runbookUrl: {
    schema: v.pipe(
      matching(/^https:\/\/[^\s#]+$/),
      v.check((text) => URL.canParse(text)),
    ),
    takes: 'an https URL without a fragment',
    unsaid: true,
  },
});

type Schemas = ReturnType<typeof schemas>;
type SettingName = keyof Schemas;
type Values = { readonly [N in SettingName]?: v.InferOutput<Schemas[N]['schema']> };

/** What CDK itself keeps in the context: feature flags, looked-up facts, and what `cdk` remembers between its runs. */
const ofCdk = (name: string): boolean =>
  /[:@]/.test(name) || ['cli-telemetry', 'acknowledged-issue-numbers'].includes(name);

interface ParseOptions {
  /** Whether an issuer may be on this machine: the local gateway can ask it for its keys, API Gateway cannot. */
  readonly allowLoopback?: boolean;
  /** What a setting was called where it was given. */
  readonly called?: (name: string) => string;
}

/** Returns the settings with their defaults, or every fault of what was given, each as a sentence. */
export function parseSettings(
  given: Readonly<Record<string, unknown>>,
  { allowLoopback = false, called = (name) => name }: ParseOptions = {},
): { readonly settings: Settings } | { readonly faults: readonly string[] } {
  const known = Object.entries(schemas(allowLoopback)) as [
    SettingName,
    { schema: v.GenericSchema; takes: string; needs?: SettingName; unsaid?: boolean },
  ][];
  const names: readonly string[] = known.map(([name]) => name);
  const faults = Object.keys(given)
    .filter((name) => !names.includes(name) && !ofCdk(name))
    .map((name) => `${name}: there is no such setting; ${perhaps(name, names)}`);
  const values: Record<string, unknown> = {};
  for (const [name, { schema, takes, unsaid }] of known) {
    const value = given[name];
    if (value === undefined) {
      const asking = known.find(([other, setting]) => setting.needs === name && given[other] !== undefined);
      if (asking) faults.push(`${called(name)}: is missing, and ${called(asking[0])} needs it; it takes ${takes}.`);
      continue;
    }
    const parsed = v.safeParse(schema, value);
    if (parsed.success) values[name] = parsed.output;
    else faults.push(`${called(name)}: takes ${takes}${unsaid ? '' : `, not ${said(value)}`}.`);
  }
  return faults.length > 0 ? { faults } : { settings: settingsOf(values) };
}

/** Returns the settings that the context holds. Throws `Faults` that name every one. */
export function settingsIn(context: Readonly<Record<string, unknown>>, options: ParseOptions = {}): Settings {
  const parsed = parseSettings(context, options);
  if ('faults' in parsed) throw new Faults(`CDK context: ${parsed.faults.join(' ')}`);
  return parsed.settings;
}

function settingsOf(values: Values): Settings {
  const { jwtIssuer: issuer, jwtAudience: audience, domainName, domainCertificate: certificateArn } = values;
  return {
    name: values.name,
    secretStore: values.secretStore ?? 'secrets-manager',
    jwt:
      issuer && audience ? { issuer, audience, claim: values.jwtClaim, scopePrefix: values.jwtScopePrefix } : undefined,
    domain: domainName && certificateArn ? { name: domainName, certificateArn, path: values.domainPath } : undefined,
    throttle: {
      requestsPerSecond: values.requestsPerSecond ?? defaultThrottle.requestsPerSecond,
      burst: values.requestBurst ?? defaultThrottle.burst,
    },
    refreshConcurrency: values.refreshConcurrency,
    reservedRefreshConcurrency: values.reservedRefreshConcurrency,
    reservedTokenConcurrency: values.reservedTokenConcurrency,
    egressAddress: values.egressAddress,
    auditDays: values.auditDays,
    runbookUrl: values.runbookUrl ?? defaultRunbookUrl,
    canary: values.canary ?? false,
  };
}

const said = (value: unknown): string => (value === '' || value === true ? 'nothing' : String(value));

/** Where clients and browsers reach an API with a host name of the operator's own. */
export const urlOf = ({ name, path }: CustomDomain): string =>
  `https://${path === undefined ? name : `${name}/${path}`}`;

/** The names of both stacks of a deployment. All names in it begin with that of its broker stack. */
export const stackNamesOf = (name: string | undefined): { readonly broker: string; readonly state: string } => {
  const broker = name === undefined ? 'token-broker' : `token-broker-${name}`;
  return { broker, state: `${broker}-state` };
};

/** What a deployment will be, in a few lines for its operator. */
export function summaryOf({ name, secretStore, jwt, domain, throttle, ...settings }: Settings): string {
  const { requestsPerSecond: rate, burst } = throttle;
  const scope = jwt && `${jwt.scopePrefix ?? 'token:'}CONNECTION in ${jwt.claim ?? 'scope or scp'}`;
  const { broker, state } = stackNamesOf(name);
  const renewals = refreshConcurrencyOf(settings);
  const reserved = { refresh: settings.reservedRefreshConcurrency, token: settings.reservedTokenConcurrency };
  const reservations = Object.entries(reserved).flatMap(([fn, number]) => (number ? [`${number} for ${fn}`] : []));
  return [
    `Stacks ${state} and ${broker}; secrets in ${secretStore === 'dynamodb' ? 'DynamoDB' : 'Secrets Manager'}.`,
    jwt
      ? `Token routes: JWTs of ${jwt.issuer} for ${jwt.audience.join(' or ')}, by ${scope}.`
      : 'Token routes: IAM signatures.',
    `Address: ${domain ? urlOf(domain) : "API Gateway's own"}. At most ${rate} requests/s, ${burst} at once.`,
    `At most ${renewals} renewals at once. Concurrency reserved: ${reservations.join(', ') || 'none'}.`,
    ...(settings.egressAddress === undefined
      ? []
      : [`Providers are called from the address ${settings.egressAddress}, through a NAT gateway of its own.`]),
    settings.auditDays === undefined
      ? 'Audit: the access log, kept for 30 days, and gone with the stack.'
      : `Audit: each answer with its generation, kept for ${settings.auditDays} days, also when the stack is gone.`,
    `Alarms refer to ${settings.runbookUrl}.`,
    ...(settings.canary ? ['With a canary: a public token endpoint of its own, which a schedule disturbs.'] : []),
  ].join('\n');
}
