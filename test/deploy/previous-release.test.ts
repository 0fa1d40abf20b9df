/** What is kept of the previous release is what its commit has, wherever the history is there to compare. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { blobsOf, previousSources } from './previous-release.ts';

const { commit, files } = previousSources();
function inHistory(): ReturnType<typeof blobsOf> | undefined {
  try {
    return blobsOf(commit);
  } catch {
    return undefined;
  }
}
const known = inHistory();

/** https://git-scm.com/book/en/v2/Git-Internals-Git-Objects */
const idOf = (text: string): string =>
  createHash('sha1')
    .update(`blob ${Buffer.byteLength(text)}\0${text}`)
    .digest('hex');

test.skipIf(known === undefined)('the kept sources are those of the commit (skipped in a shallow clone)', () => {
  expect(Object.fromEntries(Object.entries(files).map(([path, text]) => [path, idOf(text)]))).toEqual(known);
});
