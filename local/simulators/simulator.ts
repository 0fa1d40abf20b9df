/**
 * What every provider simulator is made of: a clock that may run fast, mishaps on order, a ledger of every call, and a
 * server on the loopback interface.
 */
import { createHash } from 'node:crypto';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { listen } from '../platform/loopback.ts';
import type { SimulatorClock } from './clock.ts';
import { type Weather, weathered } from './weather.ts';

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, unless it is a text. */
  readonly body?: string | { readonly error?: string; readonly [member: string]: unknown };
  /** What the ledger is told, where the body says it in another way than by a member `error`. */
  readonly error?: string;
}

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** The body as it came. */
  readonly body: string;
  /** The body, read as a form. */
  readonly form: URLSearchParams;
  /** When it came, by the simulator's clock. */
  readonly at: number;
}

/** How the next call goes wrong on its way. */
export interface Mishap {
  /** Answered in the provider's place. */
  readonly answer?: Reply;
  /** Whether the provider deals with the call before that. Always, where there is no `answer`. */
  readonly handled?: boolean;
  /** How much longer the reply takes, by the simulator's clock. The call is dealt with when it comes. */
  readonly lateMs?: number;
  /** The connection ends without a reply. */
  readonly cutOff?: boolean;
}

/** One call, as the ledger keeps it. */
export interface Entry {
  /** When it came, by the simulator's clock. */
  readonly at: number;
  readonly method: string;
  readonly path: string;
  /** Recognises a refresh token without telling it: the first 8 digits of its SHA-256. */
  readonly refreshToken?: string;
  /** 0 if the connection was cut off. */
  readonly status: number;
  /** What the reply says is wrong: its `error` member, or what stands for it. */
  readonly error?: string;
}

export interface SimulatorOptions {
  readonly clock: SimulatorClock;
  /** 0, or none, for any free one. */
  readonly port?: number;
  readonly onCall?: (entry: Entry) => void;
  /** How long a reply takes, by path and by the simulator's clock. */
  readonly lateMsAt?: Readonly<Record<string, number>>;
  readonly weather?: Weather | undefined;
}

export interface Simulator {
  readonly url: string;
  /** Every call that was answered, in the order of the answers. */
  readonly ledger: readonly Entry[];
  /** Queues mishaps for the coming calls to this path, one each. */
  next(path: string, ...mishaps: readonly Mishap[]): void;
  /** Cuts off what is in flight. */
  close(): Promise<void>;
}

/** Longer than any token request. */
const bodyCharacters = 65_536;

/** Starts a provider that answers calls as `handle` does. */
export async function startSimulator(
  { clock, port = 0, onCall, lateMsAt = {}, weather }: SimulatorOptions,
  handle: (call: Call) => Reply,
): Promise<Simulator> {
  const ledger: Entry[] = [];
  const mishaps = new Map<string, Mishap[]>();
  const closing = new AbortController();

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname: path, searchParams: query } = new URL(request.url ?? '/', 'http://simulator');
    const body = await textOf(request);
    const { method = '', headers } = request;
    const call: Call = { method, path, query, headers, body, form: new URLSearchParams(body), at: clock.now() };
    const mishap = mishaps.get(path)?.shift() ?? {};
    const handled = mishap.answer === undefined || mishap.handled === true ? handle(call) : undefined;
    const reply = mishap.answer ?? handled ?? { status: 500 };
    const waitMs = (lateMsAt[path] ?? 0) + (mishap.lateMs ?? 0);
    if (waitMs > 0) await clock.sleep(waitMs, closing.signal);
    note(call, mishap.cutOff ? { status: 0 } : reply);
    if (mishap.cutOff) response.destroy();
    else send(response, reply);
  }

  function note(
    { at, method, path, form }: Call,
    { status, body, error = typeof body === 'object' ? body.error : undefined }: Reply,
  ): void {
    const refreshToken = form.get('refresh_token');
    const entry = {
      at,
      method,
      path,
      ...(refreshToken !== null && { refreshToken: fingerprint(refreshToken) }),
      status,
      ...(error !== undefined && { error }),
    };
    ledger.push(entry);
    onCall?.(entry);
  }

  const listener: RequestListener = (request, response) => {
    // Who closes the simulator, or hangs up, gets no answer.
    answer(request, response).catch(() => response.destroy());
  };
  const server = createServer(weathered(weather, listener));
  const endpoint = await listen(server, port);
  return {
    url: endpoint.url,
    ledger,
    next: (path, ...more) => void mishaps.set(path, [...(mishaps.get(path) ?? []), ...more]),
    async close() {
      closing.abort();
      await endpoint.close();
    },
  };
}

/** The first 8 digits of the token's SHA-256. */
export const fingerprint = (token: string): string => createHash('sha256').update(token).digest('hex').slice(0, 8);

/** The client's id and secret, from the body or from HTTP Basic (RFC 6749 §2.3.1). */
export function clientOf({ headers, form }: Call): { readonly id: string; readonly secret: string } {
  const [, basic] = /^Basic (\S+)$/i.exec(headers.authorization ?? '') ?? [];
  if (basic === undefined) return { id: form.get('client_id') ?? '', secret: form.get('client_secret') ?? '' };
  const [id = '', secret = ''] = Buffer.from(basic, 'base64').toString().split(/:(.*)/s);
  return { id: formDecoded(id), secret: formDecoded(secret) };
}

/** The token after `Bearer` (RFC 6750 §2.1), if there is one. */
export const bearerOf = ({ headers }: Call): string | undefined =>
  /^Bearer (\S+)$/i.exec(headers.authorization ?? '')?.[1];

const formDecoded = (text: string): string => new URLSearchParams(`x=${text.replaceAll('&', '%26')}`).get('x') ?? '';

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk;
    if (text.length > bodyCharacters) throw new Error('the body is too long');
  }
  return text;
}

function send(response: ServerResponse, { status, headers = {}, body = '' }: Reply): void {
  const json = typeof body === 'object';
  response.writeHead(status, {
    ...(json && { 'content-type': 'application/json' }),
    'cache-control': 'no-store',
    ...headers,
  });
  response.end(json ? JSON.stringify(body) : body);
}
