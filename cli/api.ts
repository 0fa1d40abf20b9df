/** One call of the broker's HTTP API: what came back, or in which words it refused. */
import { CommandFailure, type ExitCode, exitCodes } from './failure.ts';

/** A problem as the broker tells it (RFC 9457). */
interface Problem {
  readonly code?: string;
  readonly title?: string;
  readonly detail?: string;
  readonly retryable?: boolean;
  readonly downstream_errors?: readonly { readonly error?: string; readonly error_description?: string }[];
}

export interface Request {
  readonly method?: string;
  readonly body?: unknown;
  /** Milliseconds until the command gives up. */
  readonly timeoutMs?: number;
}

/** `url`: where the broker is, for messages. */
type Call = Request & { readonly url: string; readonly path: string };

/** Sends one signed request to a path of the broker. */
export type Send = (
  path: string,
  request: { readonly method: string; readonly body?: string; readonly signal: AbortSignal },
) => Promise<Response>;

/** The broker answered that it will not, or cannot now. */
export class Refused extends CommandFailure {
  readonly status: number;
  readonly code: string | undefined;

  constructor(status: number, problem: Problem) {
    super(sentencesOf(status, problem), exitCodeOf(status, problem));
    this.status = status;
    this.code = problem.code;
  }
}

const attention: readonly (string | undefined)[] = ['reauthorization_required', 'misconfigured'];

function exitCodeOf(status: number, { code, retryable }: Problem): ExitCode {
  if (attention.includes(code)) return exitCodes.needsAttention;
  return retryable === true || status === 429 || status >= 500 ? exitCodes.tryAgain : exitCodes.failed;
}

function sentencesOf(status: number, { code, title, detail, downstream_errors: told = [] }: Problem): string {
  if (code === undefined && status === 403)
    return (
      'The broker refused the signature (403): the credentials are not those of a principal that may make this call. ' +
      'The grants are listed in docs/operations.md, under "Let callers in".'
    );
  if (code === undefined && (status === 429 || status === 503))
    return `API Gateway had no room for the request (${status}). Ask again in a second or two.`;
  const provider = told.map(({ error, error_description: words }) =>
    [error, words].filter((part) => part !== undefined).join(': '),
  );
  return [
    `${title ?? 'The broker refused'} (${[code, status].filter((part) => part !== undefined).join(', ')}).`,
    ...(detail === undefined ? [] : [detail]),
    ...(provider.length === 0 ? [] : [`The provider said: ${provider.join('; ')}.`]),
  ].join(' ');
}

/**
 * Returns the JSON of a reply, or undefined where it has none. Throws `Refused`, or a failure to reach the broker at
 * `url`.
 */
export async function callApi<T>(send: Send, call: Call): Promise<{ readonly value: T; readonly headers: Headers }> {
  const { url, path, method = 'GET', body, timeoutMs = 30_000 } = call;
  const response = await send(path, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(timeoutMs),
  }).catch((error) => {
    throw error instanceof CommandFailure ? error : unreachable(url, error);
  });
  const text = await response.text();
  const value = text === '' ? undefined : parsed(text);
  if (response.ok) return { value: value as T, headers: response.headers };
  throw new Refused(response.status, isProblem(value) ? value : {});
}

function unreachable(url: string, { message, cause }: Error): CommandFailure {
  const why = cause instanceof Error ? cause.message : message;
  return new CommandFailure(
    `The broker at ${url} cannot be reached: ${why}. Is it running, and is the address right?`,
    exitCodes.tryAgain,
  );
}

const isProblem = (value: unknown): value is Problem => typeof value === 'object' && value !== null;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
