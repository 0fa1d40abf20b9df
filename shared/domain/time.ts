import type { Brand } from './brand.ts';

/** Milliseconds since 1970-01-01T00:00Z. Durations are plain numbers whose names end in `Ms`. */
export type EpochMs = Brand<number, 'EpochMs'>;

export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

/** Returns the instant `ms` after `instant` (before it, if negative). */
export const plus = (instant: EpochMs, ms: number): EpochMs => (instant + ms) as EpochMs;

export const earliest = (...instants: EpochMs[]): EpochMs => Math.min(...instants) as EpochMs;

export const latest = (...instants: EpochMs[]): EpochMs => Math.max(...instants) as EpochMs;

/** The instant as people and programs read it: ISO 8601 in UTC, with milliseconds. */
export function iso(instant: EpochMs): string;
export function iso(instant: EpochMs | undefined): string | undefined;
export function iso(instant: EpochMs | undefined): string | undefined {
  return instant === undefined ? undefined : new Date(instant).toISOString();
}
