/** `tokenBroker`: what a program holds of its broker. */
import { type ApiInit, callApi } from './api-call.ts';
import type { Door } from './asking.ts';
import {
  atHand,
  type Connection,
  connectionNamed,
  newerThan,
  type Patience,
  type Rejection,
  withLife,
} from './connection.ts';
import type { Credentials } from './credentials.ts';
import { TokenBrokerError } from './errors.ts';
import type { BrokerEvent } from './events.ts';
import { timing } from './timing.ts';
import type { BrokerToken } from './token.ts';
import { machine, type World } from './world.ts';

export interface TokenBrokerOptions {
  /** The output `ApiUrl` of the deployment, or what `npm start` prints. */
  readonly url: string | URL;
  /** @default the key pair in the environment, read at each use */
  readonly credentials?: Credentials;
  /**
   * The Region of the deployment, that requests are signed for.
   * @default what the host name tells, else `AWS_REGION`
   */
  readonly region?: string;
  /**
   * How long a call may take, in milliseconds, all of its repetitions included.
   * @default 30 s
   */
  readonly timeoutMs?: number;
  /** Hears what happens. What it throws is dropped. */
  readonly onEvent?: (event: BrokerEvent) => void;
  /** @default the platform's, for the broker and for APIs */
  readonly fetch?: typeof fetch;
}

export interface CallOptions {
  /** Ends the wait of this caller, and of no other one. */
  readonly signal?: AbortSignal;
  /** @default that of the broker */
  readonly timeoutMs?: number;
}

export interface TokenOptions extends CallOptions {
  /**
   * The life that the token must have, in whole seconds, 5 to 3,600.
   * @default 10 s, or half of the life of a token that is shorter
   */
  readonly minTtl?: number;
}

export interface ApiCallInit extends ApiInit {
  /** As for `token`. */
  readonly minTtl?: number;
}

export interface TokenBroker {
  /**
   * Resolves to an access token: the one that is kept, which takes no request, or one that the broker gives. Rejects
   * with `TokenBrokerError`, or with the signal's reason.
   */
  token(connection: string, options?: TokenOptions): Promise<BrokerToken>;
  /**
   * `fetch` with the token's headers. `input` may be relative to the endpoint that came with the token, and name its
   * values as `{realmId}`. Where the API refuses the token, it is reported once, and the request repeated once with the
   * newer one; a body that can be read only once is not sent again, unless a function makes it. The reply is the API's, whatever its status, and
   * `adviceOf` tells what it asks for. Redirects are not followed unless `init` says so. Rejects as `token` and as
   * `fetch` do.
   */
  fetch(connection: string, input: string | URL | Request, init?: ApiCallInit): Promise<Response>;
  /** Reports a token that the provider refused, and resolves to a newer one. Rejects as `token` does. */
  reject(connection: string, rejection: Rejection, options?: CallOptions): Promise<BrokerToken>;
}

/** Returns a client. It keeps tokens, so make one and share it. Throws `TokenBrokerError` for an unusable URL. */
export const tokenBroker = (options: TokenBrokerOptions): TokenBroker => brokerOf(options, machine(options.fetch));

/** For tests, which bring a clock of their own. */
export function brokerOf(options: TokenBrokerOptions, world: World): TokenBroker {
  const { credentials, region, timeoutMs: usualTimeoutMs = timing.callTimeoutMs, onEvent } = options;
  const door: Door = { url: baseOf(options.url), credentials, region, world, aheadMs: 0 };
  const connections = new Map<string, Connection>();

  function tell(event: BrokerEvent): void {
    try {
      onEvent?.(event);
    } catch {
      // The hook's own affair: no caller waits for what it does.
    }
  }

  function connectionOf(name: string): Connection {
    const known = connections.get(name);
    if (known) return known;
    if (!/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(name))
      throw invalid(`connection "${name}": a connection is named by 1 to 63 of a–z, 0–9 and inner hyphens`);
    const connection = connectionNamed(name, door, tell);
    connections.set(name, connection);
    return connection;
  }

  const patienceOf = ({ timeoutMs = usualTimeoutMs, signal }: CallOptions): Patience => ({ timeoutMs, signal });

  const asked = async (name: string, minTtlMs: number | undefined, options: CallOptions): Promise<BrokerToken> =>
    withLife(connectionOf(name), minTtlMs, patienceOf(options));

  function token(name: string, options: TokenOptions = {}): Promise<BrokerToken> {
    const minTtlMs = options.minTtl === undefined ? undefined : options.minTtl * 1_000;
    const known = options.signal?.aborted ? undefined : connections.get(name);
    const kept = known && atHand(known, minTtlMs);
    return kept ? Promise.resolve(kept) : asked(name, minTtlMs, options);
  }

  const reject = async (name: string, rejection: Rejection, options: CallOptions = {}): Promise<BrokerToken> =>
    newerThan(connectionOf(name), rejection, patienceOf(options));

  return {
    token,
    reject,
    async fetch(name, input, { minTtl, ...init } = {}) {
      const signal = init.signal ?? (input instanceof Request ? input.signal : undefined);
      const options = { ...(signal && { signal }), ...(minTtl !== undefined && { minTtl }) };
      const caller = {
        world,
        tell,
        token: () => token(name, options),
        // Where there is no newer token, the API's own reply tells the caller more.
        newer: (rejection: Rejection) => reject(name, rejection, options).catch(undefinedIfOfBroker),
      };
      return callApi(caller, input, init);
    },
  };
}

function undefinedIfOfBroker(error: unknown): undefined {
  if (!(error instanceof TokenBrokerError)) throw error;
}

const invalid = (message: string): TokenBrokerError =>
  new TokenBrokerError({ code: 'invalid_request', message: `${message}.`, retryable: false });

/** Tokens come back in plain text, so plain http goes no further than this machine. */
function baseOf(given: string | URL): string {
  const url = URL.canParse(String(given)) ? new URL(given) : undefined;
  const loopback = /^(?:localhost|127\.0\.0\.1|\[::1\])$/.test(url?.hostname ?? '');
  // What it was is not repeated: it may hold a password.
  if (!url || !(loopback ? /^https?:$/ : /^https:$/).test(url.protocol) || url.username || url.search || url.hash)
    throw invalid('url must be the output ApiUrl of the deployment: https (http on this machine), and no query');
  return url.origin + url.pathname.replace(/\/+$/, '');
}
