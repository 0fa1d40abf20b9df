/** Who the client is: what it signs its requests with, or the JWT that it sends. */
import { AwsV4Signer } from 'aws4fetch';
import { TokenBrokerError } from './errors.ts';

/** A key pair of AWS, as the credential providers of the AWS SDK resolve to it. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/**
 * A key pair, a function that is asked for one at each use (such as `fromNodeProviderChain()` of
 * `@aws-sdk/credential-providers`), or the JWT of an issuer that the deployment trusts, as a text or a function that is
 * asked for it at each use.
 */
export type Credentials =
  | AwsCredentials
  | (() => AwsCredentials | Promise<AwsCredentials>)
  | { readonly bearer: string | (() => string | Promise<string>) };

export interface UnsignedRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly body?: string;
}

/**
 * A variable of the environment. Not every platform has one, and one that asks for a permission may throw. Read at each
 * use, since what runs a program may put new keys there.
 */
function variable(name: string): string | undefined {
  try {
    return (globalThis as { process?: { env?: Readonly<Record<string, string>> } }).process?.env?.[name];
  } catch {
    return undefined;
  }
}

const fromEnvironment = (): { readonly [M in keyof AwsCredentials]: string | undefined } => ({
  accessKeyId: variable('AWS_ACCESS_KEY_ID'),
  secretAccessKey: variable('AWS_SECRET_ACCESS_KEY'),
  sessionToken: variable('AWS_SESSION_TOKEN'),
});

const missing = (message: string, cause?: unknown): TokenBrokerError =>
  new TokenBrokerError({ code: 'no_credentials', message, retryable: false, ...(cause !== undefined && { cause }) });

/** The Region in the host name that API Gateway gives, else the environment's. */
function regionOf(url: URL): string {
  const [, region] = /\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/.exec(url.hostname) ?? [];
  const found = region || variable('AWS_REGION') || variable('AWS_DEFAULT_REGION');
  if (!found) {
    throw missing(
      `The Region to sign for is not known, since ${url.hostname} does not tell it: set AWS_REGION, or give ` +
        'tokenBroker() the region of the deployment.',
    );
  }
  return found;
}

/** Asks a program's own function. What it throws is the program's own, and is kept as the cause. */
async function given<T>(value: T | (() => T | Promise<T>)): Promise<T> {
  if (typeof value !== 'function') return value;
  try {
    return await (value as () => T | Promise<T>)();
  } catch (cause) {
    throw missing('The function that gives the credentials failed: see the cause.', cause);
  }
}

interface Signing {
  readonly credentials: Credentials | undefined;
  readonly region: string | undefined;
  /** The time of day by the broker's clock, in milliseconds since 1970. */
  readonly timeOfDay: number;
}

/** Returns the request's headers. Rejects with `no_credentials` where there is nothing to sign with. */
export async function authorize(
  request: UnsignedRequest,
  { credentials, region, timeOfDay }: Signing,
): Promise<Headers> {
  const headers = new Headers();
  if (request.body !== undefined) headers.set('content-type', 'application/json');
  if (credentials !== undefined && 'bearer' in credentials) {
    const jwt = await given(credentials.bearer);
    if (!jwt || /[^!-~]/.test(jwt)) throw missing('There is no JWT to send: credentials.bearer gives none.');
    headers.set('authorization', `Bearer ${jwt}`);
    return headers;
  }
  const { accessKeyId, secretAccessKey, sessionToken } = (await given(credentials)) ?? fromEnvironment();
  if (!accessKeyId || !secretAccessKey) {
    throw missing(
      'There is nothing to sign with: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give tokenBroker() ' +
        'credentials (a provider of the AWS SDK, or { bearer } where the deployment takes JWTs).',
    );
  }
  const signer = new AwsV4Signer({
    ...request,
    headers,
    accessKeyId,
    secretAccessKey,
    ...(sessionToken && { sessionToken }),
    service: 'execute-api',
    region: region ?? regionOf(new URL(request.url)),
    datetime: new Date(timeOfDay).toISOString().replace(/[:-]|\.\d{3}/g, ''),
  });
  return (await signer.sign()).headers;
}
