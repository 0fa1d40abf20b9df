/** Instants as providers write them: lifetimes, epoch seconds, epoch milliseconds, ISO 8601, HTTP dates. */
import { type EpochMs, plus } from './time.ts';

/**
 * A number from here on is taken for epoch seconds, a smaller one for a lifetime in seconds. This one is September 2001
 * or 31 years, and no token expired then or lives that long.
 */
const leastEpochSeconds = 1e9;
/** A number from here on is taken for epoch milliseconds: March 1973. As epoch seconds it would be the year 5138. */
const leastEpochMs = 1e11;

/** A number from here on counts microseconds, and one a thousand times as large nanoseconds. */
const leastEpochMicroseconds = 1e14;
const leastEpochNanoseconds = 1e17;

const number = /^[+-]?\d+(?:\.\d+)?(?:e[+-]?\d{1,3})?$/i;
/** `7,200`, for people. */
const grouped = /^\d{1,3}(?:,\d{3}){1,4}$/;
/** `3600s`, as protocol buffers write a duration in JSON, and the like. */
const withUnit = /^(\d+(?:\.\d+)?) ?(ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)$/i;
const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };
/** A duration of ISO 8601, without years and months: `PT1H30M`. */
const isoDuration = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.\d+)?S)?)?$/i;
/** A duration as .NET writes it: `1.02:30:00`. */
const timeSpan = /^(?:(\d+)\.)?(\d\d?):(\d\d):(\d\d)(?:\.\d+)?$/;
/** ISO 8601, also with a blank where it wants a T, and a zone that stands apart: `2026-11-29 03:00:00 UTC`. */
const iso8601 = new RegExp(
  '^(\\d{4})[-/](\\d\\d)[-/](\\d\\d)[T ](\\d\\d:\\d\\d(?::\\d\\d(?:\\.\\d+)?)?) ?(Z|UTC|GMT|[+-]\\d\\d(?::?\\d\\d)?)?' +
    // As Java writes a zone besides.
    '(?:\\[[\\w/+-]{1,40}\\])?$',
  'i',
);
const zone = '(?:(?:GMT|UTC|UT|Z)?(?:[+-]\\d{4})?)';
const zoneName = '(?: \\([\\w ]{1,40}\\))?';
/** Dates that spell the month, as in e-mails, in HTTP and in C (RFC 5322 §3.3, RFC 9110 §5.6.7). */
const named = new RegExp(
  '^(?:[a-z]{3,9},? )?(?:\\d{1,2}[ -][a-z]{3}[ -]\\d{2,4}|[a-z]{3} {1,2}\\d{1,2},?(?: \\d{4})?) \\d\\d:\\d\\d:\\d\\d' +
    `(?: ${zone})?(?: \\d{4})?${zoneName}$`,
  'i',
);
/** Those of them that name a zone; the rest is taken for UTC. */
const zoned = new RegExp(`(?:\\b(?:GMT|UTC|UT|Z)|[+-]\\d{4})(?= ?(?:\\d{4})?${zoneName}$)`, 'i');
/** Epoch milliseconds as older .NET writes them. */
const dotNet = /^\/Date\((\d{1,16})(?:[+-]\d{4})?\)\/$/;
const mostCharacters = 64;

/**
 * Returns the instant that `value` stands for: a number (or a text of digits) is a lifetime from `start` in `unit`, or
 * epoch seconds or milliseconds, by its size; a text may be a date (UTC where ISO 8601 names no zone). Undefined if it
 * tells nothing.
 */
export function instantOf(
  value: unknown,
  start: EpochMs,
  unit: 'seconds' | 'milliseconds' = 'seconds',
): EpochMs | undefined {
  if (typeof value === 'number') return ofNumber(value, start, unit);
  if (typeof value !== 'string' || value.length > 512) return undefined;
  const text = value.trim();
  if (number.test(text)) return ofNumber(Number(text), start, unit);
  if (grouped.test(text)) return ofNumber(Number(text.replaceAll(',', '')), start, unit);
  return text.length <= mostCharacters ? ofText(text, start) : undefined;
}

function ofNumber(value: number, start: EpochMs, unit: 'seconds' | 'milliseconds'): EpochMs | undefined {
  if (!Number.isFinite(value) || value <= 0) return undefined;
  if (value >= leastEpochNanoseconds) return Math.floor(value / 1e6) as EpochMs;
  if (value >= leastEpochMicroseconds) return Math.floor(value / 1e3) as EpochMs;
  if (value >= leastEpochMs) return value as EpochMs;
  if (unit === 'milliseconds') return plus(start, Math.floor(value));
  return value >= leastEpochSeconds ? ((value * 1_000) as EpochMs) : plus(start, Math.floor(value * 1_000));
}

function ofText(text: string, start: EpochMs): EpochMs | undefined {
  const seconds = durationOf(text);
  if (seconds !== undefined) return seconds > 0 ? plus(start, Math.floor(seconds * 1_000)) : undefined;
  const milliseconds = dotNet.exec(text)?.[1];
  if (milliseconds !== undefined) return Number(milliseconds) as EpochMs;
  const instant = Date.parse(named.test(text) ? (zoned.test(text) ? text : `${text} UTC`) : isoOf(text));
  return Number.isNaN(instant) ? undefined : (instant as EpochMs);
}

/** Seconds, where the text is a duration. */
function durationOf(text: string): number | undefined {
  const [, count, unit = 's'] = withUnit.exec(text) ?? [];
  if (count !== undefined)
    return Number(count) * (/^m(?:s|illi)/i.test(unit) ? 0.001 : (unitSeconds[unit.charAt(0).toLowerCase()] ?? 1));
  const parts = isoDuration.exec(text) ?? timeSpan.exec(text);
  if (parts === null) return undefined;
  const [days = 0, hours = 0, minutes = 0, rest = 0] = parts.slice(1).map((part) => Number(part ?? 0));
  return days * 86_400 + hours * 3_600 + minutes * 60 + rest;
}

/** In the one form that every engine reads, or empty. */
function isoOf(text: string): string {
  const [, year, month, day, time, zone = 'Z'] = iso8601.exec(text) ?? [];
  if (year === undefined) return '';
  const offset = /^[+-]/.test(zone)
    ? zone.replace(/^([+-]\d\d):?(\d\d)?$/, (_, hours, minutes = '00') => `${hours}:${minutes}`)
    : 'Z';
  return `${year}-${month}-${day}T${time}${offset}`;
}

/** The instant in a `Retry-After` header (RFC 9110 §10.2.3): seconds from `receivedAt`, or an HTTP date. */
export function retryAfterOf(value: string | undefined, receivedAt: EpochMs): EpochMs | undefined {
  if (value === undefined) return undefined;
  if (number.test(value.trim())) return instantOf(value, receivedAt);
  const instant = / GMT$/.test(value.trim()) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(instant) ? undefined : (instant as EpochMs);
}

/**
 * When to come back, in the reply's own words: `Retry-After`, then the provider's own headers, most telling first.
 * Undefined if it does not say.
 */
export function toldRetryAt(
  headers: Readonly<Record<string, string>>,
  resetHeaders: readonly string[],
  receivedAt: EpochMs,
): EpochMs | undefined {
  const told = resetHeaders.map(
    (name) => retryAfterOf(headers[name], receivedAt) ?? instantOf(headers[name], receivedAt),
  );
  return [retryAfterOf(headers['retry-after'], receivedAt), ...told].find((instant) => instant !== undefined);
}
