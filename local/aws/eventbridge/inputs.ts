/**
 * What PutEvents takes. Parameters that the local one does not support (global endpoints, traces) are refused, not
 * ignored.
 * Limits: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
 */
import * as v from 'valibot';
import { ApiError } from '../json-server.ts';

/** Of all entries of a request together. 256 KB until January 2026. */
export const maxRequestBytes = 1_048_576;

const busName = v.pipe(
  v.string(),
  v.maxLength(1600),
  v.regex(
    /^(?:arn:aws[\w-]*:events:[\w-]+:\d{12}:event-bus\/)?[/.\-_A-Za-z0-9]+$/,
    'must be the name or the ARN of an event bus',
  ),
);

const entry = v.strictObject({
  EventBusName: v.optional(busName, 'default'),
  Source: v.optional(v.string(), ''),
  DetailType: v.optional(v.string(), ''),
  Detail: v.optional(v.string(), ''),
  Resources: v.optional(v.array(v.string()), []),
  /** Seconds since the epoch. */
  Time: v.optional(
    v.pipe(v.number(), v.minValue(0), v.maxValue(253_402_300_799, 'must be seconds since 1970, before the year 10000')),
  ),
});

export type EventEntry = v.InferOutput<typeof entry>;

export const PutEvents = v.strictObject({
  Entries: v.pipe(
    v.array(entry),
    v.minLength(1, 'must have at least 1 entry'),
    v.maxLength(10, 'must have at most 10 entries'),
  ),
});

/** As AWS counts: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html */
const bytesOf = ({ Time, Source, DetailType, Detail, Resources }: EventEntry): number =>
  (Time === undefined ? 0 : 14) +
  [Source, DetailType, Detail, ...Resources].reduce((sum, text) => sum + Buffer.byteLength(text), 0);

/** Throws if the entries together are too large. */
export function checkSize(entries: readonly EventEntry[]): void {
  if (entries.reduce((sum, one) => sum + bytesOf(one), 0) < maxRequestBytes) return;
  throw new ApiError('ValidationException', 'Total size of the entries in the request is over the limit.');
}

/** What is wrong with one entry; the other entries of its request are taken all the same. */
export function faultOf(given: EventEntry): ApiError | undefined {
  for (const name of ['Source', 'DetailType', 'Detail'] as const) {
    if (given[name] === '')
      return new ApiError('InvalidArgument', `Parameter ${name} is not valid. Reason: ${name} is a required argument.`);
  }
  return isObject(given.Detail) ? undefined : new ApiError('MalformedDetail', 'Detail is malformed.');
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
