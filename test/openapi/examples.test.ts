/** Requests and replies in files for people, held against the OpenAPI document. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { routes } from '../../lambdas/routes.ts';
import { faultsOfRequest, undocumentedIn } from '../handlers/documented.ts';
import { routed } from '../handlers/request.ts';

const read = (path: string): string => readFileSync(join(import.meta.dirname, '../..', path), 'utf8');

describe('examples/broker.http', () => {
  const [head = '', ...requests] = read('examples/broker.http').split(/^### /m);
  const variables = new Map([...head.matchAll(/^@(\w+) = (.*)$/gm)].map(([, name = '', value = '']) => [name, value]));
  const filled = (text: string): string =>
    text.replaceAll(/\{\{(\w+)\}\}/g, (place, name) => variables.get(name) ?? place);
  const clicked = requests.map((request) => {
    const [title = '', line = '', ...rest] = request.split('\n');
    const [headers = '', body] = rest.join('\n').trim().split('\n\n');
    const call = filled(line).replace(variables.get('url') ?? '', '');
    return { title, call, headers: filled(headers), ...(body !== undefined && { body: JSON.parse(body) as unknown }) };
  });

  test('has every route that is not for browsers, once', () => {
    const keys = clicked.map(({ call, body }) => routed(call, body).event.routeKey);
    const signed = routes.filter((route) => !('public' in route)).map(({ method, path }) => `${method} ${path}`);
    expect(keys.toSorted()).toEqual(signed.toSorted());
  });

  test.each(clicked.map((request) => [request.title, request] as const))('%s', (_, { call, headers, body }) => {
    expect(faultsOfRequest(routed(call, body).event)).toEqual([]);
    expect(headers).toMatch(/^Authorization: AWS .* service:execute-api$/m);
    expect(/^Content-Type: application\/json$/m.test(headers)).toBe(body !== undefined);
  });
});

test('the reply that README shows is a token', () => {
  const [, body = ''] = /^```json\n(\{\n {2}"connection".*?\n\})\n```$/ms.exec(read('README.md')) ?? [];
  const reply = { statusCode: 200, headers: { 'content-type': 'application/json' }, body };
  expect(undocumentedIn('GET /token/{connection}', reply)).toEqual([]);
});
