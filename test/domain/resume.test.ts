/** What a resume ends, beside the pause. */
import { expect, test } from 'vitest';
import { applied } from '../../shared/domain/apply.ts';
import type { Failure } from '../../shared/domain/failure.ts';
import { resume } from '../../shared/domain/schedule-writes.ts';
import type { Plain } from '../plain.ts';
import { at, connectionOf, minute, myFence, now } from './fixtures.ts';

const paused = { at: at(-minute), by: 'operator' };
const failing = { class: 'transient', code: 'http_503', at: at(-minute), count: 3, fence: myFence } as const;

test.each<[string, Plain<Failure>, readonly string[]]>([
  ['the wait of a back-off', failing, ['failure']],
  ['not a wait that the provider told', { ...failing, told: true }, ['failure', 'notBefore']],
  ['not a wait for the age of a token', { ...failing, class: 'too_early' }, ['failure', 'notBefore']],
  ['what was refused alike', { ...failing, alike: 9 }, []],
  ['not the words that say why it is misconfigured', { ...failing, class: 'misconfigured', alike: 3 }, ['failure']],
])('ends %s', (_title, failure, left) => {
  const item = connectionOf({ paused, failure, notBefore: at(minute) });
  const after = applied(resume(item, now), item) ?? {};
  expect(['failure', 'notBefore', 'paused'].filter((name) => name in after)).toEqual(left);
});
