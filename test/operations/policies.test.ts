import { expect, test } from 'vitest';
import { allows, type Call, type Statement } from './policies.ts';

const statement = (more: Partial<Statement> = {}): Statement => ({
  effect: 'Allow',
  actions: ['dynamodb:GetItem'],
  resources: ['table/secrets'],
  conditions: {},
  ...more,
});
const call = (more: Partial<Call> = {}): Call => ({
  action: 'dynamodb:GetItem',
  resource: 'table/secrets',
  context: {},
  ...more,
});

test('an action on a resource is allowed by a statement that names both, and by no other', () => {
  expect(allows([statement()], call())).toBe(true);
  expect(allows([], call())).toBe(false);
  expect(allows([statement()], call({ action: 'dynamodb:PutItem' }))).toBe(false);
  expect(allows([statement()], call({ resource: 'table/secrets/index/due' }))).toBe(false);
  expect(allows([statement({ resources: ['table/*/index'] })], call({ resource: 'table/a/b/index' }))).toBe(true);
  expect(allows([statement({ resources: ['table.secrets'] })], call())).toBe(false);
});

test('a denial wins over what is allowed, where its condition holds', () => {
  const denied = statement({ effect: 'Deny', conditions: { StringEquals: { operation: ['TransactWriteItems'] } } });
  expect(allows([statement(), denied], call())).toBe(true);
  expect(allows([statement(), denied], call({ context: { operation: ['TransactWriteItems'] } }))).toBe(false);
});

test('keys have to match, all of them; a value may be missing where the operator says so', () => {
  const keys = { 'ForAllValues:StringLike': { keys: ['*/client', '*/refresh-*'] } };
  const withKeys = (...values: string[]) =>
    allows([statement({ conditions: keys })], call({ context: { keys: values } }));
  expect(withKeys('exact-nl/client', 'exact-nl/refresh-0')).toBe(true);
  expect(withKeys('exact-nl/client', 'exact-nl')).toBe(false);
  const returns = { StringEqualsIfExists: { returns: ['NONE'] } };
  const returning = (context: Call['context']) => allows([statement({ conditions: returns })], call({ context }));
  expect(returning({})).toBe(true);
  expect(returning({ returns: ['NONE'] })).toBe(true);
  expect(returning({ returns: ['ALL_OLD'] })).toBe(false);
});

test('an operator that is not understood here is refused, rather than taken to hold', () => {
  expect(() => allows([statement({ conditions: { IpAddress: { ip: ['10.0.0.0/8'] } } })], call())).toThrow('IpAddress');
});
