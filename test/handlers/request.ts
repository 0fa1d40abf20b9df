/** Requests as API Gateway hands them to a function: payload format 2.0. */
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { type Route, routes } from '../../lambdas/routes.ts';

export type Routed = (typeof routes)[number];

/** What API Gateway says of a request whose signature IAM has accepted. */
const accepted = {
  iam: { accessKey: 'AKIDEXAMPLE', accountId: '000000000000', userArn: 'arn:aws:iam::000000000000:role/worker' },
};

/**
 * The function that a request (`GET /token/exact-nl?wait=0`) goes to, and the event it gets. A body that is no text is
 * sent as JSON. `authorizer` is what API Gateway says of who sent it; null if nothing.
 */
export function routed(
  request: string,
  body?: unknown,
  authorizer: object | null = accepted,
): { readonly name: Routed['function']; readonly event: APIGatewayProxyEventV2 } {
  const [method = '', target = ''] = request.split(' ', 2);
  const [path = '', query = ''] = target.split('?', 2);
  for (const route of routes) {
    const pathParameters = route.method === method ? parametersIn(route, path) : undefined;
    if (pathParameters === undefined) continue;
    const routeKey = `${route.method} ${route.path}`;
    const event = eventOf(routeKey, path, pathParameters, query, body);
    const said = 'public' in route || authorizer === null ? {} : { authorizer };
    return { name: route.function, event: { ...event, requestContext: { ...event.requestContext, ...said } } };
  }
  throw new Error(`there is no route for ${method} ${path}`);
}

function parametersIn({ path: template }: Route, path: string): Record<string, string> | undefined {
  const pattern = new RegExp(`^${template.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`);
  const groups = pattern.exec(path);
  return groups === null
    ? undefined
    : Object.fromEntries(Object.entries(groups.groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value)]));
}

function eventOf(
  routeKey: string,
  rawPath: string,
  pathParameters: Record<string, string>,
  rawQueryString: string,
  body: unknown,
): APIGatewayProxyEventV2 {
  const [method = ''] = routeKey.split(' ');
  const query = new URLSearchParams(rawQueryString);
  // A parameter that comes twice is joined.
  const queryStringParameters = Object.fromEntries(
    [...query.keys()].map((name) => [name, query.getAll(name).join(',')]),
  );
  return {
    version: '2.0',
    routeKey,
    rawPath,
    rawQueryString,
    headers: { 'content-type': 'application/json' },
    ...(query.size === 0 ? {} : { queryStringParameters }),
    ...(Object.keys(pathParameters).length === 0 ? {} : { pathParameters }),
    requestContext: {
      accountId: '000000000000',
      apiId: 'test',
      domainName: 'test.execute-api.us-east-1.amazonaws.com',
      domainPrefix: 'test',
      http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'test' },
      requestId: 'request',
      routeKey,
      stage: '$default',
      time: '22/Nov/2026:20:09:00 +0000',
      timeEpoch: 1_795_378_140_000,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    isBase64Encoded: false,
  };
}
