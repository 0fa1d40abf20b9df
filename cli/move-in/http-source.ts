/** JSON of a source's HTTP API. What it answers may hold secrets, so no message quotes it. */
import { CommandFailure, exitCodes, wrongInput } from '../failure.ts';

export interface HttpSource {
  /** For messages: `Nango`. */
  readonly name: string;
  /** Without a slash at its end; it may have a path, where a proxy stands before the source. */
  readonly url: string;
  /** The header that authenticates. */
  readonly headers: Readonly<Record<string, string>>;
}

const timeoutMs = 30_000;

/**
 * Returns the JSON of a reply, or undefined where the source has no such thing (404). Throws a failure that names the
 * source and the status.
 */
export async function ask(source: HttpSource, path: string, method = 'GET'): Promise<unknown> {
  const { name, url, headers } = source;
  let response: Response;
  try {
    response = await fetch(url + path, {
      method,
      headers,
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch (error) {
    const { cause, message } = error as Error;
    const why = cause instanceof Error ? cause.message : message;
    throw new CommandFailure(`${name} at ${url} cannot be reached: ${why}. Nothing was changed.`, exitCodes.tryAgain);
  }
  if (response.status === 404) return undefined;
  if (response.status === 401 || response.status === 403)
    throw new CommandFailure(
      `${name} refuses the key (${response.status}): it may not read this, or is another one's.`,
    );
  if (!response.ok) throw new CommandFailure(`${name} answered ${response.status} to ${method} ${withoutQuery(path)}.`);
  return response.json().catch(() => ({}));
}

const withoutQuery = (path: string): string => path.replace(/\?.*/, '');

/** The address of a source, as an `HttpSource` has it; secrets go there, so it is https, or on this machine. */
export function addressOf(text: string, option: string): string {
  const url = URL.parse(text);
  const here = url !== null && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && here);
  if (url === null || !isSafe || url.username + url.password + url.search + url.hash !== '')
    throw wrongInput(`${option}: takes an https address, or one of this machine, without credentials or a query.`);
  return url.href.replace(/\/+$/, '');
}
