/** The right protocol goes through every race without breaking anything; test/mutants sends wrong ones through them. */
import { expect, test } from 'vitest';
import { races } from './races.ts';

test.each(races)('$name: nothing breaks', async ({ run }) => {
  expect(await run()).toEqual([]);
});
