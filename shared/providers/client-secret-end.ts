/**
 * The end of a client's secret, as an operator knows it from the provider: a day, an instant (ISO 8601), or seconds
 * since 1970 as a registration tells them, where 0 is never (`client_secret_expires_at`, RFC 7591 §3.2.1).
 */
import * as v from 'valibot';
import type { Fault } from '../domain/fault.ts';
import type { EpochMs } from '../domain/time.ts';
import { member } from './credentials.ts';

const words =
  'must be a day (2027-03-31), an instant (2027-03-31T12:00:00Z), seconds since 1970, or 0 for never; of two secrets ' +
  'a list of two';
/** The last second that ISO 8601 has in four digits. Milliseconds would be beyond it. */
const lastSecond = 253_402_300_799;

/** A day that no calendar has is moved on by the language, without a word. */
function isInCalendar(given: string | number): boolean {
  if (typeof given === 'number') return true;
  const day = given.slice(0, 'YYYY-MM-DD'.length);
  return !Number.isNaN(Date.parse(given)) && new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
}

const secretEnd = v.pipe(
  v.union(
    [
      v.pipe(v.string(), v.isoDate()),
      v.pipe(v.string(), v.isoTimestamp()),
      v.pipe(v.number(), v.integer(words), v.minValue(0, words), v.maxValue(lastSecond, words)),
    ],
    words,
  ),
  v.check(isInCalendar, words),
);

/** One end, or one for each of two secrets. */
export const clientSecretEnds = v.union([secretEnd, v.pipe(v.array(secretEnd), v.length(2, words))], words);

const listOf = (given: v.InferOutput<typeof clientSecretEnds>): readonly (string | number)[] =>
  Array.isArray(given) ? given : [given];

/** Returns the ends in the order of the secrets; undefined in the place of never. */
export const secretEndsOf = (given: v.InferOutput<typeof clientSecretEnds>): readonly (EpochMs | undefined)[] =>
  listOf(given).map((end) => {
    if (end === 0) return undefined;
    return (typeof end === 'number' ? end * 1_000 : Date.parse(end)) as EpochMs;
  });

/** Returns the fault of ends that are not as many as the secrets beside them. */
export function unpairedEnds(client: unknown): Fault[] {
  const [secrets, ends] = [member(client, 'client_secret'), member(client, 'client_secret_expires_at')];
  if (secrets === undefined || !v.is(clientSecretEnds, ends)) return [];
  const isOfTwo = Array.isArray(secrets) && secrets.length === 2;
  if (listOf(ends).length === (isOfTwo ? 2 : 1)) return [];
  const message = isOfTwo ? 'must be a list of two, in the order of the secrets' : 'must be one: there is one secret';
  return [{ path: 'client.client_secret_expires_at', message }];
}
