/** The OpenAPI document: right as such, up to date, and strict enough to find what it does not say. */
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, test } from 'vitest';
import { assertOpenApi, openApiDocument } from '../../infra/openapi-document.ts';
import { routes } from '../../lambdas/routes.ts';
import { faultsOfRequest, undocumentedIn } from './documented.ts';
import { routed } from './request.ts';

const document = openApiDocument() as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId: string }>>>>;
};

describe('openapi.json', () => {
  test('is what the code says', () => {
    expect(() => assertOpenApi()).not.toThrow();
  });

  test('is an OpenAPI 3.1 document', async () => {
    const validator = new Validator({ strict: false });
    expect(await validator.validate(structuredClone(document))).toMatchObject({ valid: true });
    expect(validator.version).toBe('3.1');
  });

  test('has every route, each under a name of its own', () => {
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(documented.toSorted()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).toSorted());
    const names = Object.values(document.paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    );
    expect(new Set(names).size).toBe(routes.length);
  });
});

describe('a reply is undocumented', () => {
  const token = {
    connection: 'exact-nl',
    access_token: 'at-1',
    token_type: 'Bearer',
    expires_in: 59,
    expires_at: '2026-11-22T21:01:50.640Z',
    refresh_after: '2026-11-22T21:01:20.640Z',
    generation: 1,
    headers: { Authorization: 'Bearer at-1' },
  };
  const undocumented = (body: unknown, statusCode = 200, type = 'application/json') =>
    undocumentedIn('GET /token/{connection}', {
      statusCode,
      headers: { 'content-type': type },
      body: JSON.stringify(body),
    });

  test('never as it should be', () => expect(undocumented(token)).toEqual([]));

  test.each([
    ['by a member that is not declared', { ...token, colour: 'red' }],
    ['without one that is', { ...token, generation: undefined }],
    ['by a number for a text', { ...token, expires_at: 5 }],
    ['by a text that is no instant', { ...token, refresh_after: 'tomorrow' }],
    ['by a header that is no text', { ...token, headers: { Authorization: 5 } }],
  ])('%s', (_, body) => expect(undocumented(body)).not.toEqual([]));

  test('by its status', () => expect(undocumented(token, 202)).toEqual(['status 202 is not documented']));

  test('by its type', () =>
    expect(undocumented(token, 200, 'text/plain')).toEqual(['text/plain is not documented for 200']));

  test('by a code that this status does not have, or a member of the error', () => {
    const problem = {
      type: 'urn:token-broker:problem:connection_not_found',
      title: 'There is no connection of this name',
      status: 404,
      detail: 'There is no connection "a".',
      code: 'connection_not_found',
      retryable: false,
      downstream_errors: [],
    };
    const ofProblem = (body: unknown, status = 404) => undocumented(body, status, 'application/problem+json');
    expect(ofProblem(problem)).toEqual([]);
    expect(ofProblem(problem, 409)).not.toEqual([]);
    expect(ofProblem({ ...problem, colour: 'red' })).not.toEqual([]);
    expect(ofProblem({ ...problem, downstream_errors: [{ error: 'x', colour: 'red' }] })).not.toEqual([]);
  });
});

describe('a request is wrong', () => {
  const faults = (request: string, body?: unknown) => faultsOfRequest(routed(request, body).event);
  const connection = { provider: 'exact-online', settings: { country: 'nl' }, client: { client_id: 'id' } };

  test('never as it should be', () => {
    expect(faults('GET /token/exact-nl?min_ttl=60&wait=0')).toEqual([]);
    expect(faults('PUT /connections/exact-nl', connection)).toEqual([]);
    expect(faults('POST /connections/exact-nl/authorizations')).toEqual([]);
  });

  test.each([
    ['GET /token/Exact_NL', undefined],
    ['GET /token/exact-nl?min_ttl=4', undefined],
    ['GET /token/exact-nl?wait=soon', undefined],
    ['GET /token/exact-nl?colour=red', undefined],
    ['GET /token/exact-nl', {}],
    ['POST /token/exact-nl/rejections', undefined],
    ['POST /token/exact-nl/rejections', { generation: 0 }],
    ['POST /connections/exact-nl/authorizations', { expires_in: 59 }],
    ['PUT /connections/exact-nl', { ...connection, provider: 'exact' }],
    ['PUT /connections/exact-nl', { ...connection, settings: { country: 'atlantis' } }],
    ['PUT /connections/exact-nl', { ...connection, settings: { colour: 'red' } }],
    ['PUT /connections/exact-nl', { ...connection, provider: 'business-central', settings: {} }],
    ['PUT /connections/exact-nl', { ...connection, margin_seconds: 9 }],
    ['PUT /connections/exact-nl', { ...connection, account: ' a' }],
    ['PUT /connections/exact-nl', { ...connection, colour: 'red' }],
    ['PUT /connections/exact-nl', { ...connection, client: { client_id: 'a\nb' } }],
  ])('%s %j', (request, body) => expect(faults(request, body)).not.toEqual([]));
});
