import { expect, test } from 'vitest';
import { sideBySide } from '../../shared/application/side-by-side.ts';

test('what is done side by side comes back in its order', async () => {
  expect(await sideBySide(Promise.resolve(1), Promise.resolve('two'))).toEqual([1, 'two']);
});

test('the first fault in their order is thrown, once all have ended', async () => {
  const [first, second] = [Promise.withResolvers<never>(), Promise.withResolvers<never>()];
  let ended = false;
  const all = sideBySide(first.promise, second.promise).finally(() => {
    ended = true;
  });
  all.catch(() => undefined);
  second.reject(new Error('the second'));
  await new Promise(setImmediate);
  expect(ended).toBe(false);
  first.reject(new Error('the first'));
  await expect(all).rejects.toThrow('the first');
});
