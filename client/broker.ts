/** What a program holds of its broker. */
import type { BrokerToken, CallOptions, Rejection, TokenBroker, TokenBrokerOptions, TokenOptions } from './api.ts';
import { callApi } from './api-call.ts';
import type { Door } from './asking.ts';
import { atHand, type Connection, connectionNamed, newerThan, type Patience, withLife } from './connection.ts';
import { TokenBrokerError } from './errors.ts';
import type { BrokerEvent } from './events.ts';
import { timing } from './timing.ts';
import type { World } from './world.ts';

/** Returns a client that runs in this world. Throws `TokenBrokerError` for an unusable URL. */
export function brokerOf(options: TokenBrokerOptions, world: World): TokenBroker {
  const { timeoutMs: usualTimeoutMs = timing.callTimeoutMs, onEvent } = options;
  const door: Door = { ...options, url: baseOf(options.url), world, aheadMs: 0 };
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
