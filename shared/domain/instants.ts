/** Instants as providers write them: lifetimes, epoch seconds, epoch milliseconds, ISO 8601, HTTP dates. */
import { type EpochMs, plus } from './time.ts';

/** As a lifetime 31 years in seconds, as an instant September 2001: no token lives that long, or began then. */
const leastEpochSeconds = 1e9;
/** As epoch seconds the year 5138, as epoch milliseconds March 1973. */
const leastEpochMs = 1e11;

const number = /^[+-]?\d+(?:\.\d+)?$/;
const iso8601 = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?$/i;

/**
 * Returns the instant that `value` stands for: a number (or a text of digits) is a lifetime from `start` in `unit`, or epoch
 * seconds or milliseconds, by its size; a text may be ISO 8601 (UTC where it names no zone). Undefined if it tells nothing.
 */
export function instantOf(
  value: unknown,
  start: EpochMs,
  unit: 'seconds' | 'milliseconds' = 'seconds',
): EpochMs | undefined {
  if (typeof value === 'string' && number.test(value.trim())) return instantOf(Number(value), start, unit);
  if (typeof value === 'number') return ofNumber(value, start, unit);
  return typeof value === 'string' ? ofIsoDate(value.trim()) : undefined;
}

function ofNumber(value: number, start: EpochMs, unit: 'seconds' | 'milliseconds'): EpochMs | undefined {
  if (!Number.isFinite(value) || value <= 0) return undefined;
  if (value >= leastEpochMs) return value as EpochMs;
  if (unit === 'milliseconds') return plus(start, Math.floor(value));
  return value >= leastEpochSeconds ? ((value * 1_000) as EpochMs) : plus(start, Math.floor(value * 1_000));
}

function ofIsoDate(value: string): EpochMs | undefined {
  const zone = iso8601.exec(value);
  if (zone === null) return undefined;
  const instant = Date.parse(zone[1] === undefined ? `${value}Z` : value);
  return Number.isNaN(instant) ? undefined : (instant as EpochMs);
}

/** The instant in a `Retry-After` header (RFC 9110 §10.2.3): seconds from `receivedAt`, or an HTTP date. */
export function retryAfterOf(value: string | undefined, receivedAt: EpochMs): EpochMs | undefined {
  if (value === undefined) return undefined;
  if (number.test(value.trim())) return instantOf(value, receivedAt);
  const instant = / GMT$/.test(value.trim()) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(instant) ? undefined : (instant as EpochMs);
}

/** When to come back, in the reply's own words: `Retry-After`, then the provider's own headers, most telling first. Undefined if it does not say. */
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
