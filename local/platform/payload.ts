/**
 * Payload format 2.0, between API Gateway and a function.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type {
  APIGatewayProxyEventV2,
  APIGatewayProxyEventV2WithIAMAuthorizer,
  APIGatewayProxyEventV2WithJWTAuthorizer,
} from 'aws-lambda';
import * as v from 'valibot';
import { account } from './account.ts';
import { queryOf } from './signed-fetch.ts';

/** What an event tells of the request itself: an `IncomingMessage` has all of it. */
interface ReceivedRequest {
  readonly method?: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly httpVersion: string;
  readonly socket: { readonly remoteAddress?: string | undefined };
}

interface RoutedRequest {
  readonly routeKey: string;
  readonly path: string;
  readonly rawQuery: string;
  readonly pathParameters: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** What was found out about the client that sent it; absent on routes that every client may call. */
  readonly caller: Caller | undefined;
}

/** The key that signed a request, or the claims of its token. */
export type Caller = { readonly accessKeyId: string } | { readonly claims: Readonly<Record<string, unknown>> };

type Event = APIGatewayProxyEventV2 | APIGatewayProxyEventV2WithIAMAuthorizer | APIGatewayProxyEventV2WithJWTAuthorizer;

/** Bodies of these types are text in the event; those of other types are base64. */
const textual = /^(text\/|application\/(json|javascript|xml)\b|application\/[^;]+\+(json|xml)\b)/;

/** Returns the event for a request, as API Gateway's HTTP API would send it. */
export function eventOf(request: ReceivedRequest, routed: RoutedRequest): Event {
  const { routeKey, path, rawQuery, pathParameters, body, caller } = routed;
  const { cookie, ...headers } = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
  );
  const query = Object.entries(queryOf(rawQuery)).map(([name, value]) => [name, String(value)]);
  const now = new Date();
  const isBase64Encoded = body.length > 0 && !textual.test(headers['content-type'] ?? '');
  return {
    version: '2.0',
    routeKey,
    rawPath: path,
    rawQueryString: rawQuery,
    ...(cookie === undefined ? {} : { cookies: cookie.split('; ') }),
    headers,
    ...(query.length === 0 ? {} : { queryStringParameters: Object.fromEntries(query) }),
    ...(Object.keys(pathParameters).length === 0 ? {} : { pathParameters }),
    requestContext: {
      accountId: account.accountId,
      apiId: 'local',
      domainName: headers.host ?? '',
      domainPrefix: 'local',
      http: {
        method: request.method ?? '',
        path,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: request.socket.remoteAddress ?? '',
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: randomUUID(),
      routeKey,
      stage: '$default',
      time: clfTime(now),
      timeEpoch: now.getTime(),
      ...(caller === undefined ? {} : { authorizer: authorizerOf(caller) }),
    },
    ...(body.length === 0 ? {} : { body: body.toString(isBase64Encoded ? 'base64' : 'utf8') }),
    isBase64Encoded,
  };
}

function authorizerOf(caller: Caller) {
  // Scopes are those of the route, which has none.
  if ('claims' in caller) return { jwt: { claims: claimsAsText(caller.claims), scopes: null } };
  const { accessKeyId: accessKey } = caller;
  const userId = 'LOCAL';
  const iam = {
    accessKey,
    accountId: account.accountId,
    callerId: userId,
    cognitoIdentity: null,
    principalOrgId: '',
    userArn: `arn:aws:iam::${account.accountId}:user/local`,
    userId,
  };
  return { iam };
}

/** As it was seen of API Gateway: all of them text, lists as `[a b]`, and what is null left out. */
function claimsAsText(claims: Readonly<Record<string, unknown>>): Record<string, string> {
  const text = (value: unknown): string => {
    if (Array.isArray(value)) return `[${value.map(text).join(' ')}]`;
    return typeof value === 'object' ? JSON.stringify(value) : String(value);
  };
  return Object.fromEntries(
    Object.entries(claims).flatMap(([name, value]) => (value === null ? [] : [[name, text(value)]])),
  );
}

/** `22/Nov/2026:20:09:00 +0000` */
function clfTime(time: Date): string {
  const [, day, month, year, clock] = /^\w+, (\d+) (\w+) (\d+) ([\d:]+)/.exec(time.toUTCString()) ?? [];
  return `${day}/${month}/${year}:${clock} +0000`;
}

interface Reply {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: string | Buffer;
}

const headerValue = v.pipe(v.union([v.string(), v.number(), v.boolean()]), v.transform(String));

const Structured = v.object({
  statusCode: v.pipe(
    v.union([v.number(), v.pipe(v.string(), v.regex(/^\d{3}$/), v.transform(Number))]),
    v.integer(),
    v.minValue(200),
    v.maxValue(599),
  ),
  headers: v.optional(v.record(v.string(), headerValue), {}),
  cookies: v.optional(v.array(v.string()), []),
  body: v.optional(v.string(), ''),
  isBase64Encoded: v.optional(v.boolean(), false),
});

/** Understands a function's result: a reply with `statusCode`, else the body of a 200. Undefined if it is neither. */
export function replyOf(payload: string): Reply | undefined {
  const result: unknown = JSON.parse(payload);
  if (typeof result !== 'object' || result === null || !('statusCode' in result)) {
    return {
      statusCode: 200,
      headers: { 'content-type': 'application/json' },
      body: typeof result === 'string' ? result : payload,
    };
  }
  const reply = v.safeParse(Structured, result);
  if (!reply.success) return undefined;
  const { statusCode, headers, cookies, body, isBase64Encoded } = reply.output;
  return {
    statusCode,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      ...lowerCase(headers),
      ...(cookies.length === 0 ? {} : { 'set-cookie': cookies }),
    },
    body: isBase64Encoded ? Buffer.from(body, 'base64') : body,
  };
}

const lowerCase = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
