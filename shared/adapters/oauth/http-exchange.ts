/**
 * One request and its reply, by node:http(s): the only way to know whether a request that failed had left, and to whom
 * it went.
 */
import dns from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import { RequestFilteringHttpAgent, RequestFilteringHttpsAgent } from 'request-filtering-agent';
import type { Exchange } from '../../domain/exchange.ts';
import type { OwnFailureCode } from '../../domain/failure.ts';
import { limits } from '../../domain/limits.ts';
import { isWholeObject } from '../../domain/objects.ts';
import { type EndpointPolicy, isReservedAddress } from '../../providers/endpoint-url.ts';
import { textOfBody } from './reply-body.ts';

export interface HttpRequest {
  /** `POST` if absent. */
  readonly method?: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type HttpExchange = (request: HttpRequest, timeoutMs: number) => Promise<Exchange>;

/**
 * Returns a function that sends one request: no retry, no redirect followed, no connection used twice. Addresses that
 * are not public are refused after the name was resolved, on the very connection, so that no second look-up can differ.
 */
export function httpExchange({ allowLoopback }: EndpointPolicy, lookup: LookupFunction = dns.lookup): HttpExchange {
  const allowed = allowLoopback ? ['127.0.0.1', '::1'] : [];
  const options = {
    keepAlive: false,
    lookup: publicOnly(lookup, allowed),
    // Of a host with two kinds of addresses, each gets time for a handshake with the other side of the world (RFC 8305
    // §5).
    autoSelectFamilyAttemptTimeout: limits.connectAttemptMs,
    allowIPAddressList: allowed,
  };
  const agents = { http: new RequestFilteringHttpAgent(options), https: new RequestFilteringHttpsAgent(options) };
  return async (request, timeoutMs) => {
    // An address in the place of a name is not looked up.
    const host = request.url.hostname.replace(/^\[|\]$/g, '');
    if (!allowed.includes(host) && isReservedAddress(host)) return { kind: 'not_sent', code: 'address_not_allowed' };
    return new Promise((resolve) => exchange(request, timeoutMs, agents, resolve));
  };
}

/**
 * The agent's own rules know ranges that are named. They let pass what of IPv6 is not of 2000::/3, which is all that is
 * in use (RFC 4291 §2.4), and with it IPv4 addresses in other clothes.
 */
const publicOnly =
  (lookup: LookupFunction, allowed: readonly string[]): LookupFunction =>
  (hostname, options, done) =>
    lookup(hostname, options, (error, found, family) => {
      const addresses = typeof found === 'string' ? [found] : (found ?? []).map(({ address }) => address);
      const reserved = addresses.find((address) => !allowed.includes(address) && isReservedAddress(address));
      if (reserved === undefined) done(error, found, family);
      else done(new Error(`${reserved} is not allowed. It is not for the public.`), []);
    });

interface Agents {
  readonly http: http.Agent;
  readonly https: https.Agent;
}

function exchange(
  { method = 'POST', url, headers, body }: HttpRequest,
  timeoutMs: number,
  agents: Agents,
  settled: (reply: Exchange) => void,
): void {
  const secure = url.protocol === 'https:';
  let established = false;

  const outgoing = (secure ? https : http).request(url, {
    method,
    agent: secure ? agents.https : agents.http,
    headers: { ...headers, 'accept-encoding': 'identity' },
    // What a reply says is judged by its reader. To drop one for the form of a header would lose the tokens in it, and
    // no other request comes over this connection.
    insecureHTTPParser: true,
    maxHeaderSize: limits.replyBytes,
  });
  // One event-loop turn after the time-out: if this process was frozen meanwhile, an answer may be waiting to be read.
  const timer = setTimeout(() => setImmediate(() => fail('time_out')), timeoutMs);
  // The first to settle wins: later calls resolve a promise that is resolved.
  const settle = (reply: Exchange) => {
    clearTimeout(timer);
    outgoing.destroy();
    settled(reply);
  };
  // A reply that breaks off, or does not end, may have come whole: there can be a refresh token in it.
  let arrived: () => Exchange | undefined = () => undefined;
  const fail = (code: OwnFailureCode) => settle(arrived() ?? { kind: established ? 'lost' : 'not_sent', code });

  outgoing.once('socket', (socket) => {
    // Nothing is written before the handshake is done and the certificate is believed.
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      established = true;
    });
  });
  outgoing.on('error', (error) => fail(codeOf(error)));
  outgoing.once('response', (incoming) => {
    arrived = read(incoming, settle, fail);
  });
  outgoing.end(body);
}

/**
 * Collects the reply up to its bound, which holds on the wire and unwrapped. Returns a function that tells what has
 * come so far, if that is a whole object of JSON.
 */
function read(
  incoming: http.IncomingMessage,
  settle: (reply: Exchange) => void,
  fail: (code: OwnFailureCode) => void,
): () => Exchange | undefined {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const reply = (): (Exchange & { readonly kind: 'reply' }) | undefined => {
    const headers = headersOf(incoming);
    const body = textOfBody(Buffer.concat(chunks), headers, limits.replyBytes);
    return body === undefined ? undefined : { kind: 'reply', status: incoming.statusCode ?? 0, headers, body };
  };
  incoming.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > limits.replyBytes) fail('reply_too_large');
    else chunks.push(chunk);
  });
  incoming.once('end', () => {
    const whole = reply();
    if (whole === undefined) fail('reply_too_large');
    else settle(whole);
  });
  incoming.on('error', (error) => fail(codeOf(error)));
  return () => {
    const soFar = chunks.length === 0 ? undefined : reply();
    return soFar !== undefined && isWholeObject(soFar.body) ? soFar : undefined;
  };
}

/** Returns headers by their names in lower case, without cookies, the only header that comes as a list. */
function headersOf({ headers }: http.IncomingMessage): Record<string, string> {
  const texts = Object.entries(headers).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return Object.fromEntries(texts);
}

const codes: readonly (readonly [pattern: RegExp, code: OwnFailureCode])[] = [
  [/^ECONNREFUSED$/, 'connection_refused'],
  [/^(?:ENOTFOUND|EAI_)/, 'name_not_resolved'],
  [/^(?:EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL)$/, 'unreachable'],
  [/^ETIMEDOUT$/, 'connect_time_out'],
  [/^(?:ECONNRESET|EPIPE|ECONNABORTED)$/, 'connection_reset'],
  [/^HPE_/, 'malformed_reply'],
  [/^EPROTO$|CERT|TLS|SSL|SIGNATURE/, 'tls_failed'],
];

/** A short, stable word for what went wrong. */
function codeOf(error: NodeJS.ErrnoException): OwnFailureCode {
  // The filtering agent's refusal has no code.
  if (error.code === undefined)
    return / is not allowed\. /.test(error.message) ? 'address_not_allowed' : 'connection_failed';
  const code = error.code;
  return codes.find(([pattern]) => pattern.test(code))?.[1] ?? 'connection_failed';
}
