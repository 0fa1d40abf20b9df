/** `openapi.json`: the HTTP API as an OpenAPI 3.1 document, out of the routes and schemas that the handlers use. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Operation, operations, parameters } from '../lambdas/operations.ts';
import { pageStatuses } from '../lambdas/pages/login-pages.ts';
import { type ProblemCode, problemKinds } from '../lambdas/problems.ts';
import { type FunctionName, type Route, type RouteKey, routes } from '../lambdas/routes.ts';
import { Faults } from './faults.ts';
import { type Json, parameterSchemas, refTo, schemas } from './openapi-schemas.ts';

const file = join(import.meta.dirname, '../openapi.json');

/** What every route with a JSON answer may say. */
const always: readonly ProblemCode[] = ['invalid_request', 'temporarily_unavailable', 'internal_error'];

const gatewayStatuses = {
  401: 'There is no JWT, or it is not good: WWW-Authenticate says why.',
  403: 'The request is not signed, or the caller may not make it.',
  429: 'More requests than the deployment lets through. Ask again after a second or two, with jitter.',
  500: 'API Gateway failed.',
  503: 'No function is free. Ask again after a second or two, with jitter.',
} as const;

const content = (type: string, schema: Json) => ({ content: { [type]: { schema } } });
const contentOf = (...parts: readonly { readonly content: Json }[]) => ({
  content: Object.assign({}, ...parts.map((part) => part.content)),
});

/** Problem details with one of these codes. */
const problemWith = (codes: readonly ProblemCode[]) =>
  content('application/problem+json', {
    allOf: [refTo('Problem'), { type: 'object', properties: { code: { type: 'string', enum: codes } } }],
  });

const retryAfter = {
  'Retry-After': { description: 'Seconds to wait.', schema: { type: 'integer', minimum: 1, maximum: 60 } },
};

/** Refusals of the broker and of API Gateway, by status. */
function refusalsOf(route: Route, problems: readonly ProblemCode[]): Json {
  const gateway = Object.entries(gatewayStatuses).filter(
    ([status]) => (status !== '401' || route.jwt) && (status !== '403' || !route.public),
  );
  const codes = [...new Set<ProblemCode>([...problems, ...(route.jwt ? (['forbidden'] as const) : [])])];
  const statuses = [
    ...new Set([...codes.map((code) => String(problemKinds[code].status)), ...gateway.map(([s]) => s)]),
  ];
  return Object.fromEntries(
    statuses.map((status) => {
      const own = codes.filter((code) => String(problemKinds[code].status) === status);
      const [, bare] = gateway.find(([of]) => of === status) ?? [];
      const waits = own.some((code) => problemKinds[code].retryable && code !== 'internal_error');
      const parts = [
        ...(own.length > 0 ? [problemWith(own)] : []),
        ...(bare === undefined ? [] : [content('application/json', refTo('GatewayMessage'))]),
      ];
      const words = [
        ...own.map((code) => `${code}: ${problemKinds[code].title}.`),
        ...(bare === undefined ? [] : [bare]),
      ];
      return [status, { description: words.join(' '), ...(waits && { headers: retryAfter }), ...contentOf(...parts) }];
    }),
  );
}

const page = content('text/html', { type: 'string' });

/** A page answers whatever happens; API Gateway itself may answer in its place. */
const pagesOf = (route: Route): Json => {
  const refusals = refusalsOf(route, []);
  const shown = pageStatuses.map((status) => {
    const other = refusals[status] as { readonly description: string; readonly content: Json } | undefined;
    const what = status < 300 ? 'A page that says how to go on.' : 'A page that says what went wrong, and what to do.';
    return [
      status,
      {
        description: other === undefined ? what : `${what} Or: ${other.description}`,
        ...contentOf(page, ...(other === undefined ? [] : [other])),
      },
    ];
  });
  return { ...refusals, ...Object.fromEntries(shown) };
};

const successesOf = (replies: Exclude<Operation['replies'], 'page'>): Json =>
  Object.fromEntries(
    Object.entries(replies).map(([status, { what, body }]) => [
      status,
      { description: what, ...(body !== undefined && content('application/json', refTo(body))) },
    ]),
  );

function parametersOf({ path }: Route, { query = [] }: Operation): Json[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    description: "The connection's name.",
    schema: parameterSchemas[name],
  }));
  const inQuery = query.map((name) => ({
    name,
    in: 'query',
    description: parameters[name],
    schema: parameterSchemas[name],
  }));
  return [...inPath, ...inQuery];
}

const securityOf = (route: Route): Json[] => {
  if (route.public) return [];
  return [{ sigv4: [] }, ...(route.jwt ? [{ jwt: [] }] : [])];
};

function operationOf(route: Route, operation: Operation): Json {
  const { id, summary, description, body, replies, problems = [] } = operation;
  const declared = parametersOf(route, operation);
  return {
    operationId: id,
    summary,
    ...(description !== undefined && { description }),
    tags: [route.function],
    security: securityOf(route),
    ...(declared.length > 0 && { parameters: declared }),
    ...(body !== undefined && {
      requestBody: { required: body.required, ...content('application/json', refTo(body.name)) },
    }),
    responses:
      replies === 'page' ? pagesOf(route) : { ...successesOf(replies), ...refusalsOf(route, [...problems, ...always]) },
  };
}

function paths(): Json {
  const found: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    found[route.path] = {
      ...found[route.path],
      [route.method.toLowerCase()]: operationOf(
        route,
        operations[`${route.method} ${route.path}` as RouteKey<FunctionName>],
      ),
    };
  }
  return found;
}

/** Returns the document. */
export const openApiDocument = (): Json => ({
  openapi: '3.1.1',
  info: {
    title: 'Token broker',
    summary: 'One refresher for any number of clients.',
    version: '1',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  servers: [
    {
      url: 'https://{host}',
      description: 'A deployment: the output ApiUrl of its stack.',
      variables: { host: { default: 'api-id.execute-api.us-east-1.amazonaws.com' } },
    },
    { url: 'http://127.0.0.1:8790', description: 'The broker on this machine: npm start.' },
  ],
  tags: [
    { name: 'token', description: 'For clients: tokens, and reports of those that the provider refused.' },
    { name: 'connections', description: 'For operators: what there is, and how it is.' },
    { name: 'authorizations', description: 'For operators and the person who logs in.' },
  ],
  paths: paths(),
  components: {
    schemas: schemas(),
    securitySchemes: {
      sigv4: {
        type: 'apiKey',
        in: 'header',
        name: 'Authorization',
        description: 'AWS Signature Version 4, service execute-api.',
        'x-amazon-apigateway-authtype': 'awsSigv4',
      },
      jwt: {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description: 'Where the deployment names an issuer: a JWT with the scope token:NAME, or token:*.',
      },
    },
  },
});

const textOf = (): string => `${JSON.stringify(openApiDocument(), undefined, 1)}\n`;

/** Throws if `openapi.json` is not what the code says. */
export function assertOpenApi(): void {
  if (readFileSync(file, 'utf8') !== textOf()) throw new Faults('openapi.json is not up to date: run npm run openapi');
}

export const updateOpenApi = (): void => writeFileSync(file, textOf());
