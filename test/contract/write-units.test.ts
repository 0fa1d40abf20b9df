import { expect, test } from 'vitest';
import { bytesOf, writeUnits } from '../../bench/write-units.ts';

const item = (bytes: number, dueAt?: number) => ({
  connection: { S: 'a' },
  dueShard: { S: '0' },
  filling: { S: 'x'.repeat(bytes - 'connection'.length - 'dueShard'.length - 2 - 'filling'.length) },
  ...(dueAt !== undefined && { dueAt: { N: String(dueAt) } }),
});

test('an item is charged by the bytes of its names and values', () => {
  expect(bytesOf({ ab: { S: 'é' } })).toBe(4);
  expect(bytesOf({ n: { N: '12345' } })).toBe(1 + 4);
  expect(bytesOf({ n: { N: '-12' } })).toBe(1 + 3);
  expect(bytesOf({ b: { BOOL: true } })).toBe(2);
  expect(bytesOf({ m: { M: { k: { S: 'v' } } } })).toBe(1 + 3 + 2 + 1);
  expect(bytesOf({ l: { L: [{ S: 'v' }, { NULL: true }] } })).toBe(1 + 3 + 2 + 2);
});

test('a write is charged for the larger of the item before and after, by begun KB', () => {
  expect(writeUnits(item(1_024), item(1_024))).toBe(1);
  expect(writeUnits(item(100), item(1_025))).toBe(2);
  expect(writeUnits(item(2_049), item(100))).toBe(3);
});

test('the due index is charged for the entry that goes and the one that comes', () => {
  expect(writeUnits(item(100), item(100, 1))).toBe(2);
  expect(writeUnits(item(100, 1), item(100, 2))).toBe(3);
  expect(writeUnits(item(100, 1), item(100, 1))).toBe(1);
});

test('the index of names is charged when an item comes and when it goes', () => {
  expect(writeUnits(undefined, item(100))).toBe(2);
  expect(writeUnits(undefined, item(100, 1))).toBe(3);
  expect(writeUnits(item(100, 1), undefined)).toBe(3);
});
