import { expect, test } from 'vitest';
import { routeFinder } from '../../../local/platform/routes.ts';

const keys = ['GET /items/{item}', 'GET /items/none', 'GET /items', 'PUT /items/{item}', 'GET /{kind}/x'];
const find = routeFinder(
  keys.map((routeKey) => ({ routeKey, authorization: 'NONE', functionName: 'f', timeoutMs: 1_000 })),
);

test.each([
  ['GET', '/items/a', 'GET /items/{item}', { item: 'a' }],
  ['PUT', '/items/none', 'PUT /items/{item}', { item: 'none' }],
  ['GET', '/items/a%20b%2Fc', 'GET /items/{item}', { item: 'a b/c' }],
  ['GET', '/items/{item}', 'GET /items/{item}', { item: '{item}' }],
  ['GET', '/items', 'GET /items', {}],
  ['GET', '/others/x', 'GET /{kind}/x', { kind: 'others' }],
  ['GET', '/items/%252F', 'GET /items/{item}', { item: '%2F' }],
  ['GET', '/items/%2e%2e', 'GET /items/{item}', { item: '..' }],
  ['GET', '/items/..', 'GET /items/{item}', { item: '..' }],
  ['GET', '/items/a%3Fb=c', 'GET /items/{item}', { item: 'a?b=c' }],
  ['GET', '/items/a%00b', 'GET /items/{item}', { item: 'a\u0000b' }],
  ['GET', '/items/a\\b', 'GET /items/{item}', { item: 'a\\b' }],
  ['GET', '/items/__proto__', 'GET /items/{item}', { item: '__proto__' }],
])('%s %s is for %s', (method, path, routeKey, parameters) => {
  expect(find(method, path)).toMatchObject({ route: { routeKey }, parameters });
});

test('a literal segment goes before a parameter', () => {
  expect(find('GET', '/items/none')).toMatchObject({ route: { routeKey: 'GET /items/none' }, parameters: {} });
});

test.each([
  ['DELETE', '/items'],
  ['get', '/items'],
  ['GET', '/Items'],
  ['GET', '/items/'],
  ['GET', '//x'],
  ['GET', '/items/a/b'],
  ['GET', '/items/%zz'],
  ['GET', '/items/%'],
  ['GET', '/items/%C3%28'],
  ['GET', '//items'],
  ['GET', '/items//'],
  ['GET', '/./items'],
  ['GET', '/items/../items'],
  ['GET', '/%69tems'],
  ['GET', '/items;x'],
  ['GET', 'http://evil.example/items'],
  ['GET', '*'],
  ['GET', 'items'],
  ['GET', ''],
])('%s "%s" is for no route', (method, path) => {
  expect(find(method, path)).toBeUndefined();
});
