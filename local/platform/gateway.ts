import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { RouteDefinition } from './deployment.ts';
import { jwtVerifier } from './jwt.ts';
import { isThrottled, type Lambda } from './lambda.ts';
import { listen } from './loopback.ts';
import { type Caller, eventOf, replyOf } from './payload.ts';
import { routeFinder } from './routes.ts';
import { type Credentials, type SignedRequest, signatureFault } from './signature.ts';
import { queryOf } from './signed-fetch.ts';
import { tokenBucket } from './throttle.ts';

interface GatewayOptions {
  readonly routes: readonly RouteDefinition[];
  readonly lambda: Pick<Lambda, 'invoke'>;
  readonly credentials: Credentials;
  /** Milliseconds; by default this machine's clock. */
  readonly now?: () => number;
  /** Hears of each request that was not answered by a function, and why. */
  readonly onRefusal?: (refusal: Refusal) => void;
}

/** A request that the gateway answered itself. It holds no secret. */
export interface Refusal {
  /** Method and path, or the route where the path may be secret. */
  readonly request: string;
  readonly status: number;
  /** The rest of a sentence that begins with the request: `it is not signed; …`. */
  readonly reason: string;
}

export interface Gateway {
  readonly url: string;
  /**
   * Starts to route requests; until then they are answered 503. Apart from the start, since functions are told the URL.
   */
  serve(options: GatewayOptions): void;
  /** Resolves when the requests in flight have been answered. */
  close(): Promise<void>;
}

/** API Gateway's limits. */
const requestLineAndHeadersBytes = 10_240;
const bodyBytes = 10 * 1024 * 1024;

/**
 * Starts a loopback HTTP server that answers as an API Gateway HTTP API would. Rejects with `EADDRINUSE` if the port is
 * taken.
 */
export async function startGateway(port: number): Promise<Gateway> {
  let answer = async (_request: IncomingMessage, response: ServerResponse): Promise<void> => fail(response, 503);
  const server = createServer(
    { maxHeaderSize: requestLineAndHeadersBytes, keepAliveTimeout: 60_000 },
    (request, response) => {
      answer(request, response).catch(() => fail(response, 500));
    },
  );
  const { url, drain } = await listen(server, port);
  return {
    url,
    serve(options) {
      answer = router(options);
    },
    close: drain,
  };
}

/** The answer to a request that may not pass. */
interface Refused {
  readonly statusCode: 401 | 403;
  /** What a token would have to be like. */
  readonly challenge?: string;
  readonly reason: string;
}

function router({
  routes,
  lambda,
  credentials,
  now = () => performance.now(),
  onRefusal,
}: GatewayOptions): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const routeOf = routeFinder(routes);
  // One for each authorizer, not for each route: it remembers keys.
  const verifiers = new Map(
    routes.flatMap(({ authorization: found }) =>
      typeof found === 'object' ? [[found, jwtVerifier(found)] as const] : [],
    ),
  );

  const buckets = new Map(routes.flatMap(({ throttle }) => (throttle ? [[throttle, tokenBucket(throttle)]] : [])));

  /** Who sent a request, or the answer to a request that may not pass. */
  async function callerOf(
    authorization: RouteDefinition['authorization'],
    request: SignedRequest,
  ): Promise<Caller | Refused | undefined> {
    if (authorization === 'NONE') return undefined;
    if (authorization === 'AWS_IAM') {
      const reason = await signatureFault(request, credentials);
      return reason === undefined ? { accessKeyId: credentials.accessKeyId } : { statusCode: 403, reason };
    }
    const verdict = await verifiers.get(authorization)?.(request.headers.authorization?.toString());
    if (verdict && 'claims' in verdict) return verdict;
    return { statusCode: 401, ...(verdict ?? { challenge: 'Bearer', reason: 'its authorizer is not here' }) };
  }

  return async (request, response) => {
    const [path = '', rawQuery = ''] = (request.url ?? '').split(/\?(.*)/s);
    const method = request.method ?? '';
    const found = routeOf(method, path);
    if (!found) return fail(response, 404);
    const { routeKey, authorization, throttle } = found.route;
    const refuse = (status: keyof typeof messages, reason: string): void => {
      // The path of a public route may itself be what lets a browser in.
      const line = authorization === 'NONE' ? routeKey : `${method} ${path}`;
      onRefusal?.({ request: line, status, reason });
      fail(response, status);
    };

    const body = await bodyOf(request);
    if (!body) return refuse(413, `its body is larger than ${bodyBytes} bytes`);
    if (throttle && !buckets.get(throttle)?.(now()))
      return refuse(
        429,
        `more requests came than ${throttle.requestsPerSecond} a second, and ${throttle.burst} at once`,
      );
    const caller = await callerOf(authorization, {
      method,
      path,
      query: queryOf(rawQuery),
      headers: request.headers,
      body,
    });
    if (caller && 'statusCode' in caller) {
      if (caller.challenge) response.setHeader('www-authenticate', caller.challenge);
      return refuse(caller.statusCode, caller.reason);
    }
    const event = eventOf(request, { routeKey, path, rawQuery, pathParameters: found.parameters, body, caller });
    const reply = await replyFrom(lambda, found.route, event);
    if ('reason' in reply) return refuse(reply.status, reply.reason);
    response.statusCode = reply.statusCode;
    response.setHeaders(new Map(Object.entries(reply.headers))).end(reply.body);
  };
}

/** The function's reply, or the answer of the gateway's own in its place. */
async function replyFrom(
  lambda: Pick<Lambda, 'invoke'>,
  { functionName, timeoutMs }: RouteDefinition,
  event: unknown,
): Promise<NonNullable<ReturnType<typeof replyOf>> | { readonly status: 500 | 503; readonly reason: string }> {
  const { promise: timedOut, resolve: timeOut } = Promise.withResolvers<undefined>();
  const timer = setTimeout(timeOut, timeoutMs, undefined);
  const outcome = await Promise.race([lambda.invoke(functionName, event), timedOut]);
  clearTimeout(timer);
  if (!outcome) return { status: 503, reason: `${functionName} did not answer within ${timeoutMs / 1_000} s` };
  if (isThrottled(outcome))
    return { status: 503, reason: `${functionName} was throttled: too many invocations at a time` };
  if ('error' in outcome) return { status: 500, reason: `${functionName} failed with ${outcome.error.errorType}` };
  const wrong = `${functionName} answered what API Gateway does not understand`;
  return replyOf(outcome.payload) ?? { status: 500, reason: wrong };
}

/** Returns the whole body, or undefined if it is larger than API Gateway takes. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > bodyBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The messages that API Gateway itself answers with. */
const messages = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  413: 'Request Entity Too Large',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
} as const;

function fail(response: ServerResponse, statusCode: keyof typeof messages): void {
  if (response.headersSent) return void response.destroy();
  // What is left of a request that was not read to its end must not be taken for the next one.
  if (statusCode === 413) response.setHeader('connection', 'close');
  response.statusCode = statusCode;
  response.setHeader('content-type', 'application/json').end(JSON.stringify({ message: messages[statusCode] }));
}
