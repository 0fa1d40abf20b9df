import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import findMyWay from 'find-my-way';
import type { RouteDefinition } from './deployment.ts';
import { jwtVerifier } from './jwt.ts';
import { isThrottled, type Lambda } from './lambda.ts';
import { listen } from './loopback.ts';
import { type Caller, eventOf, replyOf } from './payload.ts';
import { type Credentials, isSigned, type SignedRequest } from './signature.ts';
import { queryOf } from './signed-fetch.ts';

export interface GatewayOptions {
  readonly routes: readonly RouteDefinition[];
  readonly lambda: Pick<Lambda, 'invoke'>;
  readonly credentials: Credentials;
}

export interface Gateway {
  readonly url: string;
  /** Starts to route requests; until then they are answered 503. Apart from the start, since functions are told the URL. */
  serve(options: GatewayOptions): void;
  /** Resolves when the requests in flight have been answered. */
  close(): Promise<void>;
}

/** API Gateway's limits. */
const requestLineAndHeadersBytes = 10_240;
const bodyBytes = 10 * 1024 * 1024;

/** Starts a loopback HTTP server that answers as an API Gateway HTTP API would. Rejects with `EADDRINUSE` if the port is taken. */
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

interface Refusal {
  readonly statusCode: 401 | 403;
  /** What a token would have to be like. */
  readonly challenge?: string;
}

function router({
  routes,
  lambda,
  credentials,
}: GatewayOptions): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const table = findMyWay({ caseSensitive: true, maxParamLength: requestLineAndHeadersBytes });
  // One for each authorizer, not for each route: it remembers keys.
  const verifiers = new Map(
    routes.flatMap(({ authorization: found }) =>
      typeof found === 'object' ? [[found, jwtVerifier(found)] as const] : [],
    ),
  );
  for (const route of routes) {
    const [method, path = ''] = route.routeKey.split(' ');
    table.on(method as findMyWay.HTTPMethod, path.replace(/\{(\w+)\}/g, ':$1'), () => {}, route);
  }

  /** Who sent a request, or the answer to somebody who may not. */
  async function callerOf(
    authorization: RouteDefinition['authorization'],
    request: SignedRequest,
  ): Promise<Caller | Refusal | undefined> {
    if (authorization === 'NONE') return undefined;
    if (authorization === 'AWS_IAM')
      return (await isSigned(request, credentials)) ? { accessKeyId: credentials.accessKeyId } : { statusCode: 403 };
    const verdict = await verifiers.get(authorization)?.(request.headers.authorization?.toString());
    return verdict && 'claims' in verdict ? verdict : { statusCode: 401, challenge: verdict?.challenge ?? 'Bearer' };
  }

  return async (request, response) => {
    const [path = '', rawQuery = ''] = (request.url ?? '').split(/\?(.*)/s);
    const found = table.find(request.method as findMyWay.HTTPMethod, path);
    const pathParameters = Object.entries(found?.params ?? {}).flatMap(([name, value]) =>
      value ? [[name, value] as const] : [],
    );
    // An empty segment is no value for a parameter.
    if (!found || pathParameters.length < Object.keys(found.params).length) return fail(response, 404);

    const { routeKey, authorization, functionName, timeoutMs } = found.store as RouteDefinition;
    const body = await bodyOf(request);
    if (!body) return fail(response, 413);
    const sent = { method: request.method ?? '', path, query: queryOf(rawQuery), headers: request.headers, body };
    const caller = await callerOf(authorization, sent);
    if (caller && 'statusCode' in caller) {
      if (caller.challenge) response.setHeader('www-authenticate', caller.challenge);
      return fail(response, caller.statusCode);
    }
    const event = eventOf(request, {
      routeKey,
      path,
      rawQuery,
      pathParameters: Object.fromEntries(pathParameters),
      body,
      caller,
    });
    const { promise: timedOut, resolve: timeOut } = Promise.withResolvers<undefined>();
    const timer = setTimeout(timeOut, timeoutMs, undefined);
    const outcome = await Promise.race([lambda.invoke(functionName, event), timedOut]);
    clearTimeout(timer);
    if (!outcome || isThrottled(outcome)) return fail(response, 503);
    const reply = 'payload' in outcome ? replyOf(outcome.payload) : undefined;
    if (!reply) return fail(response, 500);
    response.statusCode = reply.statusCode;
    response.setHeaders(new Map(Object.entries(reply.headers))).end(reply.body);
  };
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
